"""The install-time overlay: what a cluster adds to the compiled graph, so that nobody recompiles to change a registry.

An overlay is the JSON document that the chart renders (its form: charts/kubepipe/files/README.md). It is applied on the
two documents of KFP's intermediate representation: the pipeline spec and the Kubernetes platform spec.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml

from kubepipe.errors import InputError, SettingsError
from kubepipe.records import digest_json
from kubepipe.records.step import REQUESTED_BYTES, REQUESTED_CORES

_UNITS: Final = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
_RESOURCES: Final = {
    ("requests", "cpu"): ("cpuRequest", "resourceCpuRequest"),
    ("limits", "cpu"): ("cpuLimit", "resourceCpuLimit"),
    ("requests", "memory"): ("memoryRequest", "resourceMemoryRequest"),
    ("limits", "memory"): ("memoryLimit", "resourceMemoryLimit"),
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled graph.

    Attributes:
        spec: The pipeline spec.
        platforms: The platform spec; empty when the graph has none.
    """

    spec: Mapping[str, Any]
    platforms: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Digest of both parts."""
        return digest_json([self.spec, self.platforms])

    def yaml(self) -> str:
        """Both parts as KFP's YAML."""
        documents = [dict(self.spec), dict(self.platforms)] if self.platforms else [dict(self.spec)]
        return yaml.safe_dump_all(documents, sort_keys=True)


def read_compiled(file: Path) -> Compiled:
    """Read a compiled graph.

    Raises:
        InputError: The file is missing or holds no compiled graph.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError("is no readable YAML", place=str(file), remedy="Compile it again") from error
    return parse_compiled(text, place=str(file))


def parse_compiled(text: str, *, place: str) -> Compiled:
    """A compiled graph of its text.

    Raises:
        InputError: The text holds no compiled graph.
    """
    try:
        documents = [each for each in yaml.safe_load_all(text) if each]
    except yaml.YAMLError as error:
        raise InputError("is no readable YAML", place=place, remedy="Compile it again") from error
    if not documents or "deploymentSpec" not in documents[0]:
        raise InputError("holds no compiled graph", place=place, remedy="Make it by `kubepipe pipeline compile FILE`")
    return Compiled(documents[0], documents[1] if len(documents) > 1 else {})


def apply_overlay(compiled: Compiled, overlay: Mapping[str, Any]) -> Compiled:
    """The graph with images, resources, placement, secrets and defaults of one installation.

    Raises:
        SettingsError: The overlay names a step that the graph does not have, or an unreadable quantity.
    """
    spec, platforms = copy.deepcopy(dict(compiled.spec)), copy.deepcopy(dict(compiled.platforms))
    executors = spec["deploymentSpec"]["executors"]
    kubernetes = platforms.setdefault("platforms", {}).setdefault("kubernetes", {})
    per_executor = kubernetes.setdefault("deploymentSpec", {}).setdefault("executors", {})
    tasks = spec["root"]["dag"]["tasks"]
    for step, options in overlay.get("steps", {}).items():
        executor = f"exec-{step}"
        if executor not in executors or step not in tasks:
            raise SettingsError(f"the graph has no step '{step}'", place="overlay", remedy="Use the graph's step names")
        image = overlay["images"][options["image"]]
        container = executors[executor]["container"]
        container["image"] = image["image"]
        _set_resources(container, options, step)
        _set_environment(container, {**options["env"], **_requested(options, step)})
        _set_retry(tasks[step], options.get("retry"))
        platform = per_executor.setdefault(executor, {})
        platform["imagePullPolicy"] = image["pullPolicy"]
        _set_platform(platform, options, overlay.get("imagePullSecrets", []))
    for name, value in overlay.get("parameters", {}).items():
        definition = spec["root"]["inputDefinitions"]["parameters"][name]
        definition["defaultValue"] = value
        definition["isOptional"] = True
    return Compiled(spec, platforms)


def _set_resources(container: dict[str, Any], options: Mapping[str, Any], step: str) -> None:
    resources = container.setdefault("resources", {})
    for (side, name), (number, text) in _RESOURCES.items():
        quantity = options.get("resources", {}).get(side, {}).get(name)
        if quantity in {None, ""}:
            continue
        value = _quantity(str(quantity), step)
        resources[number] = float(value / 10**9 if name == "memory" else value)
        resources[text] = str(quantity)
    accelerator = options.get("accelerator") or {}
    if accelerator.get("count"):
        count = str(accelerator["count"])
        resources["accelerator"] = {
            "count": count, "resourceCount": count,
            "type": accelerator["resource"], "resourceType": accelerator["resource"],
        }  # fmt: skip
    if not resources:
        del container["resources"]


def _requested(options: Mapping[str, Any], step: str) -> dict[str, str]:
    """What the step asks for, told to the step itself: it records how much of it was used."""
    requests = options.get("resources", {}).get("requests", {})
    found = {
        variable: _quantity(str(requests.get(name) or 0), step)
        for name, variable in (("cpu", REQUESTED_CORES), ("memory", REQUESTED_BYTES))
    }
    return {variable: f"{value.normalize():f}" for variable, value in found.items() if value}


def _quantity(text: str, step: str) -> Decimal:
    number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = text[len(number) :]
    try:
        return Decimal(number) / 1000 if unit == "m" else Decimal(number) * _UNITS[unit]
    except (ArithmeticError, KeyError) as error:
        raise SettingsError(
            f"'{text}' is no quantity", place=f"resources of step {step}", remedy="Write for example 500m, 2 or 4Gi"
        ) from error


def _set_environment(container: dict[str, Any], environment: Mapping[str, str]) -> None:
    known = {each["name"]: each["value"] for each in container.get("env", [])} | dict(environment)
    container["env"] = [{"name": name, "value": str(value)} for name, value in sorted(known.items())]


def _set_retry(task: dict[str, Any], retry: Mapping[str, Any] | None) -> None:
    if retry is None:
        return
    task["retryPolicy"] = {
        "maxRetryCount": int(retry["limit"]),
        "backoffDuration": str(retry["backoffDuration"]),
        "backoffFactor": float(retry["backoffFactor"]),
        "backoffMaxDuration": str(retry["backoffMaxDuration"]),
    }


def _set_platform(platform: dict[str, Any], options: Mapping[str, Any], pull_secrets: list[Any]) -> None:
    platform["nodeSelector"] = {"labels": dict(options.get("nodeSelector") or {})}
    platform["tolerations"] = list(options.get("tolerations") or [])
    if options.get("timeoutSeconds"):
        platform["activeDeadlineSeconds"] = str(options["timeoutSeconds"])
    if options.get("sharedMemory"):
        platform["emptyDirMounts"] = [
            {"volumeName": "shm", "mountPath": "/dev/shm", "medium": "Memory", "sizeLimit": options["sharedMemory"]}  # noqa: S108
        ]
    platform["imagePullSecret"] = [_named("secretName", _name(each)) for each in pull_secrets]
    platform["secretAsEnv"] = [
        {
            **_named("secretName", each["secret"]),
            "keyToEnv": [{"secretKey": each["key"], "envVar": each["name"]}],
            "optional": False,
        }
        for each in options.get("secretEnv", [])
    ]
    platform["secretAsVolume"] = [
        {**_named("secretName", each["secret"]), "mountPath": each["mountPath"], "optional": False}
        for each in options.get("secretVolumes", [])
    ]
    platform["configMapAsVolume"] = [
        {**_named("configMapName", each["configMap"]), "mountPath": each["mountPath"], "optional": False}
        for each in options.get("configMapVolumes", [])
    ]
    for name in [name for name, value in platform.items() if value in ([], {"labels": {}})]:
        del platform[name]


def _name(secret: Any) -> str:
    return str(secret["name"] if isinstance(secret, Mapping) else secret)


def _named(field: str, name: str) -> dict[str, Any]:
    """KFP 2.17 reads the newer parameter form; older back ends read the plain name."""
    return {field: name, f"{field}Parameter": {"runtimeValue": {"constant": name}}}
