"""Every value has an effect: a mark put into it comes out in the objects, a switch that is turned changes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

DIGEST = "sha256:{:064x}"
CANDIDATES = ("kp{}", "{}Mi", "{}s", "10.11.{}.0/24", DIGEST, "0.{}")
# Alternatives to each other: the second rendering sets them, with what they replace switched off.
EXTERNAL = {
    "global.objectStore.endpoint", "global.objectStore.secure", "global.objectStore.existingSecret",
    "global.objectStore.artifacts.existingSecret", "global.objectStore.source.existingSecret",
    "global.objectStore.serving.existingSecret", "global.objectStore.cidrs", "global.database.host",
    "global.database.existingSecret", "global.database.cidrs", "keys.existingSecret", "keys.publicKey",
    "signing.existingSecret", "signing.publicKey", "pipeline.configMap",
}  # fmt: skip
OTHER_API = {"global.kubeflowPipelines.endpoint", "global.kubeflowPipelines.cidrs"}
PUBLIC_KEYS = ("keys.publicKey", "signing.publicKey")
# Read by Helm or by an upgrade only, or by what stands in the way of the others; each with its own test.
ELSEWHERE = {
    "global.imageRegistry": "moves every image (test_images.py)",
    "global.gitops": "refuses to generate secrets (test_secrets.py)",
    "global.openshift": "takes user ids away (test_security.py)",
    "global.fullnameOverride": "moves every name (test_names.py)",
    "global.networkPolicy.enabled": "test_security.py",
    "global.networkPolicy.scope": "test_security.py",
    "global.objectStore.workloadIdentity": "test_secrets.py",
    "global.objectStore.separateUsers": "test_secrets.py",
    "global.retention.intermediate": "the longer of two holds (test_overlay.py)",
    "preflight.crds": "test_validation.py",
    "upgrade.allowStoreRemoval": "looks into the cluster (tests/cluster)",
    "minio.replicas": "test_pods.py",
    "mariadb.enabled": "test_validation.py",
    "minio.enabled": "test_validation.py",
    "kubeflowPipelines.enabled": "test_validation.py",
    "argoWorkflows.enabled": "test_validation.py",
    "events.enabled": "test_events.py",
    "events.mode": "test_events.py",
    "events.ruleDefaults.prefix": "each rule names its own",
    "events.notifications.urls": "stands in a secret, whose content is masked here",
    "pipeline.enabled": "test_overlay.py",
    "setup.enabled": "test_hooks.py",
}
ON: dict[str, Any] = {
    "argoEvents": {"enabled": True},
    "kubeflowPipelines": {"ui": {"enabled": True}},
    "serving": {"enabled": True},
    "argoWorkflows": {"runs": {"archiveLogs": {"enabled": True}}},
    "events": {
        "schedules": [{"name": "nightly", "cron": "0 3 * * *", "dataset": "squad.json"}],
        "metrics": {name: {"enabled": True} for name in ("serviceMonitor", "alerts", "dashboard")},
    },
}
"""What brings in every part, so that each value can show itself."""
FALLBACK = {"global.storageClass", "global.priorityClassName"}
"""What each workload's own value wins over."""
SETTINGS = ("pipeline.settings", "serving.settings")
"""The product's own; the chart hands them on as they are."""
TRIED = ("images.stages", "images.train", "minio.", "argoWorkflows.executor")


@dataclass(frozen=True)
class Leaf:
    """A value that is no section: path, default, and what the schema says of it."""

    path: str
    default: Any
    schema: Mapping[str, Any]


@pytest.fixture(scope="module")
def leaves(chart_folder: Path) -> list[Leaf]:
    """All values of the chart but the product's own settings."""
    schema = json.loads((chart_folder / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((chart_folder / "values.yaml").read_text(encoding="utf-8"))
    return [leaf for leaf in _leaves(values, schema, schema) if not leaf.path.startswith(SETTINGS)]


@pytest.fixture(scope="module")
def parts(leaves: list[Leaf]) -> dict[str, Any]:
    """Values that switch on every part that the chart has."""
    sections = {leaf.path.partition(".")[0] for leaf in leaves}
    return {name: values for name, values in ON.items() if name in sections}


def _leaves(
    values: Mapping[str, Any], node: Mapping[str, Any], root: Mapping[str, Any], path: str = ""
) -> Iterator[Leaf]:
    for name, value in values.items():
        below = _resolved(node.get("properties", {}).get(name, {}), root)
        here = f"{path}{name}"
        if isinstance(value, dict) and "properties" in below:
            yield from _leaves(value, below, root, f"{here}.")
        else:
            yield Leaf(here, value, below)


def _resolved(node: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in node:
        return _resolved(root["definitions"][node["$ref"].rpartition("/")[2]], root)
    options = [each for each in node.get("anyOf", node.get("allOf", [])) if each.get("type") != "null"]
    return _resolved(options[0], root) if options else node


def _mark(leaf: Leaf, number: int) -> tuple[Any, str] | None:
    """A value that no other has, and the text by which it is found again; None for switches and words of a list."""
    kind, word, figure = leaf.schema.get("type"), f"kp{number}", 20_000 + number
    items = leaf.schema.get("items", {})
    if "enum" in {*leaf.schema, *items} or "$ref" in items:
        # Words of a list, and lists of sections, have tests of their own.
        return None
    if kind == "integer":
        return (figure, str(figure)) if leaf.schema.get("maximum", figure) >= figure else None
    if kind == "string":
        made = (each.format(number) for each in CANDIDATES)
        text = next((each for each in made if re.search(leaf.schema.get("pattern", ""), each)), None)
        return (text, text) if text else None
    if kind == "object":
        is_number = leaf.schema.get("additionalProperties", {}) == {"type": "integer"}
        return {word: 1 if is_number else word}, word
    if kind == "array":
        return _list(leaf, word, figure)
    return None


def _list(leaf: Leaf, word: str, figure: int) -> tuple[list[Any], str]:
    name = leaf.path.rpartition(".")[2]
    items = {
        "ports": figure,
        "extraObjects": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": word}},
        "clients": {"podSelector": {"matchLabels": {word: "true"}}},
        "allowFrom": {"podSelector": {"matchLabels": {word: "true"}}},
        "topologySpreadConstraints": {"topologyKey": word, "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"},
        "trustedKeys": f"BEGIN PUBLIC KEY {word}",
        "tolerations": {"key": word, "operator": "Exists"},
    }
    plain = word if leaf.schema.get("items", {}).get("type") == "string" else {"name": word}
    return [items.get(name, plain)], str(figure) if name == "ports" else word


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *sections, name = path.split(".")
    for section in sections:
        document = document.setdefault(section, {})
    document[name] = value


def _merge(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in more.items():
        is_section = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _merge(merged[name], value) if is_section else value
    return merged


def _render(helm: Any, folder: Path, values: Mapping[str, Any]) -> str:
    """All objects as text, with what is drawn by lot masked."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(dict(values)), encoding="utf-8")
    done = helm.run(f"--values={file}", "--api-versions=argoproj.io/v1alpha1/Workflow")
    assert done.returncode == 0, done.stderr
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = [each for each in yaml.load_all(done.stdout, Loader=loader) if each]
    for each in documents:
        if each["kind"] == "Secret":
            each["data"] = sorted(each.get("data") or {})
    return yaml.safe_dump_all(documents, width=10_000)


def _marked(leaves: list[Leaf], wanted: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Values with a mark in every leaf that is wanted, and the mark of each path."""
    document: dict[str, Any] = {}
    marks = {}
    for number, leaf in enumerate(leaves):
        mark = _mark(leaf, number) if wanted(leaf.path) else None
        if mark is not None and not leaf.path.endswith((".cidrs", "pullPolicy")):
            _put(document, leaf.path, mark[0])
            marks[leaf.path] = mark[1]
    return document, marks


def test_a_mark_in_every_value_comes_out(helm: Any, leaves: list[Leaf], parts: dict[str, Any], tmp_path: Path) -> None:
    """Texts, numbers, maps and lists: whatever is written into a value stands somewhere in the objects."""
    bundled, marks = _marked(leaves, lambda path: path not in EXTERNAL | OTHER_API | FALLBACK | set(ELSEWHERE))
    text = _render(helm, tmp_path, _merge(bundled, parts))
    lost = [path for path, mark in marks.items() if not re.search(rf"{re.escape(mark)}(?![0-9])", text)]
    assert lost == []
    assert len(marks) > 150


def test_a_mark_in_every_external_value_comes_out(helm: Any, leaves: list[Leaf], tmp_path: Path) -> None:
    """The same for what names existing stores, secrets and keys."""
    external, marks = _marked(leaves, lambda path: path in EXTERNAL - set(PUBLIC_KEYS))
    off = {"minio": {"enabled": False}, "mariadb": {"enabled": False}, "serving": {"enabled": True}}
    keys: dict[str, Any] = {}
    for path in PUBLIC_KEYS:
        _put(keys, path, f"BEGIN PUBLIC KEY {path}")
    text = _render(helm, tmp_path, _merge(_merge(external, off), keys))
    assert [path for path, mark in marks.items() if not re.search(rf"{re.escape(mark)}(?![0-9])", text)] == []
    assert all(f"BEGIN PUBLIC KEY {path}" in text for path in PUBLIC_KEYS)


def test_a_mark_in_every_common_value_comes_out(helm: Any, leaves: list[Leaf], tmp_path: Path) -> None:
    """The same for what holds where a workload says nothing."""
    common, marks = _marked(leaves, lambda path: path in FALLBACK)
    text = _render(helm, tmp_path, common)
    assert [path for path, mark in marks.items() if mark not in text] == []
    assert set(marks) == FALLBACK


@pytest.mark.slow
def test_every_switch_changes_something(helm: Any, leaves: list[Leaf], parts: dict[str, Any], tmp_path: Path) -> None:
    """A switch that is turned, and another word of a list, change the objects."""
    plain = _render(helm, tmp_path, parts)
    idle = []
    for leaf in leaves:
        words = leaf.schema.get("enum", [])
        if leaf.path in EXTERNAL | set(ELSEWHERE) or not (leaf.schema.get("type") == "boolean" or words):
            continue
        # Pull policies are many and of one form: one of ours and one of each kind of engine are enough.
        if leaf.path.endswith("pullPolicy") and not leaf.path.startswith(
            ("images.", "minio.", "argoWorkflows.executor")
        ):
            continue
        change: dict[str, Any] = {}
        other = next((word for word in words if word != leaf.default), not _at(parts, leaf.path, leaf.default))
        _put(change, leaf.path, other)
        if _render(helm, tmp_path, _merge(parts, change)) == plain:
            idle.append(leaf.path)
    assert idle == []


def _at(document: Mapping[str, Any], path: str, default: Any) -> Any:
    for name in path.split("."):
        if not isinstance(document, Mapping) or name not in document:
            return default
        document = document[name]
    return document
