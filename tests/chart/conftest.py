"""Renders the chart with Helm, once per set of arguments, and hands out its objects."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "kubepipe"
WORKLOADS = ("Deployment", "StatefulSet", "Job")
SCENARIOS = sorted(file.name.removesuffix("-values.yaml") for file in (CHART / "ci").glob("*-values.yaml"))

EVERYTHING = (
    "--set=kubeflowPipelines.ui.enabled=true,serving.enabled=true,events.metrics.serviceMonitor.enabled=true,"
    "events.metrics.alerts.enabled=true,events.metrics.dashboard.enabled=true"
)
SCHEDULES = 'events.schedules=[{"name":"nightly","cron":"0 2 * * *","dataset":"squad.json"}]'

OF_PODS = {
    "serviceAccountName", "securityContext", "nodeSelector", "tolerations", "affinity", "imagePullSecrets",
    "priorityClassName", "volumes",
}  # fmt: skip
ARGO = ("EventBus", "EventSource", "Sensor")

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Release:
    """The objects of one rendering."""

    objects: tuple[dict[str, Any], ...]

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Objects of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """The object of a kind and a name."""
        return next(each for each in self.all(kind) if each["metadata"]["name"] == name)

    def typed(self, kind: str, name: str) -> Any:
        """The same as an object of the Kubernetes client."""
        from kubernetes.client import ApiClient

        return ApiClient().deserialize(SimpleNamespace(data=json.dumps(self.get(kind, name))), f"V1{kind}")

    def pods(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Every pod that the release starts itself: owner, metadata, spec."""
        for each in self.objects:
            owner = f"{each['kind']}/{each['metadata']['name']}"
            if each["kind"] == "Pod":
                yield owner, each["metadata"], each["spec"]
            elif each["kind"] in WORKLOADS:
                template = each["spec"]["template"]
                yield owner, template["metadata"], template["spec"]
            elif each["kind"] == "CronJob":
                template = each["spec"]["jobTemplate"]["spec"]["template"]
                yield owner, template["metadata"], template["spec"]
            elif each["kind"] in {"EventSource", "Sensor"}:
                yield owner, *self._argo(each["spec"]["template"], [each["spec"]["template"]["container"]])
            elif each["kind"] == "EventBus":
                bus = each["spec"]["jetstream"]
                names = ("containerTemplate", "reloaderContainerTemplate", "metricsContainerTemplate")
                yield owner, *self._argo(bus, [bus[name] for name in names])

    def _argo(
        self, template: Mapping[str, Any], containers: list[dict[str, Any]]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Metadata and spec of the pod that Argo Events makes; its account says whether it has a token."""
        account = self.get("ServiceAccount", template["serviceAccountName"])
        spec = {key: value for key, value in template.items() if key in OF_PODS}
        spec["containers"] = [{"name": f"argo-{number}", **each} for number, each in enumerate(containers)]
        spec["automountServiceAccountToken"] = account["automountServiceAccountToken"]
        return template["metadata"], spec

    def containers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every container of those pods."""
        for owner, _, spec in self.pods():
            for container in [*spec.get("initContainers", []), *spec["containers"]]:
                yield f"{owner}/{container['name']}", container


@dataclass(frozen=True)
class Helm:
    """`helm template` on the chart."""

    chart: Path

    def run(
        self, *arguments: str, release: str = "kubepipe", namespace: str = "models"
    ) -> subprocess.CompletedProcess[str]:
        """One rendering, which may fail."""
        helm = os.environ.get("KUBEPIPE_HELM") or Path(sys.executable).with_name("helm")
        return subprocess.run(
            [str(helm), "template", release, str(self.chart), "--namespace", namespace, *arguments],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "KUBECONFIG": os.devnull},
        )

    @functools.cache  # noqa: B019 - lives as long as the test session
    def __call__(self, *arguments: str, release: str = "kubepipe", namespace: str = "models") -> Release:
        """The objects of a rendering that must succeed."""
        done = self.run(*arguments, release=release, namespace=namespace)
        assert done.returncode == 0, done.stderr
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return Release(tuple(each for each in yaml.load_all(done.stdout, Loader=loader) if each))

    def scenario(self, name: str, *arguments: str, **options: str) -> Release:
        """The objects of one of the chart's example values."""
        return self(f"--values={CHART / 'ci' / name}-values.yaml", *arguments, **options)


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm on the chart with the compiled pipeline in it; one is compiled aside when the chart lies here without."""
    if (CHART / "files" / "pipeline" / "kubepipe.yaml").is_file():
        return Helm(CHART)
    from kubepipe.pipeline.compile import compile_pipeline

    copy = tmp_path_factory.mktemp("chart") / "kubepipe"
    shutil.copytree(CHART, copy)
    compile_pipeline(copy / "files" / "pipeline" / "kubepipe.yaml")
    return Helm(copy)


@pytest.fixture(scope="session")
def full(helm: Helm) -> Release:
    """A rendering with every part switched on."""
    return helm(EVERYTHING, f"--set-json={SCHEDULES}")


@pytest.fixture(scope="session", params=SCENARIOS)
def scenario(request: pytest.FixtureRequest, helm: Helm) -> Release:
    """Each of the chart's example values in turn."""
    return helm.scenario(request.param)


@pytest.fixture(scope="session")
def overlay_of() -> Callable[[Release], dict[str, Any]]:
    """Reads the overlay of the pipeline out of a rendering."""

    def read(release: Release) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(release.get("ConfigMap", "kubepipe-overlay")["data"]["overlay.json"])
        return document

    return read


@pytest.fixture(scope="session")
def chart_folder() -> Path:
    """The chart in the repository."""
    return CHART


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
