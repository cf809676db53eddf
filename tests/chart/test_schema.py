"""Every object of every scenario is what Kubernetes takes."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, get_args

import kubernetes_validate
import pytest
import yaml

from kubepipe_events.config import Schedule
from kubepipe_events.identity import Source
from kubepipe_events.metrics import PHASES

ARGO = {"EventBus", "EventSource", "Sensor"}
OF_OTHERS = ("argoproj.io/", "monitoring.coreos.com/")  # kinds that Kubernetes does not know


@functools.cache
def check(document: str, version: str) -> None:
    """Compare an object with the schema; most objects are the same in many scenarios, and are looked at once."""
    kubernetes_validate.validate(json.loads(document), version, strict=True)


@pytest.mark.parametrize("version", ["1.31", "1.35"])
def test_objects_fit_the_schema(scenario: Any, version: str) -> None:
    """Each object passes the strict schema of the oldest and the newest supported Kubernetes."""
    for each in scenario.objects:
        if each["kind"] != "Secret" and not each["apiVersion"].startswith(OF_OTHERS):
            check(json.dumps(each, sort_keys=True), version)
    for each in scenario.all("Secret"):
        check(json.dumps({**each, "data": dict.fromkeys(each["data"], "AA==")}, sort_keys=True), version)


@pytest.mark.parametrize("version", ["1.31", "1.35"])
def test_pods_of_argo_events_fit_the_schema(scenario: Any, version: str) -> None:
    """What is said about pods in an event bus, an event source and a sensor is what Kubernetes takes in a pod."""
    for owner, metadata, spec in scenario.pods():
        if owner.partition("/")[0] in ARGO:
            containers = [{"image": "x", **each} for each in spec["containers"]]
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**spec, "containers": containers}}
            check(json.dumps(pod, sort_keys=True), version)


def test_definitions_fit_the_schema(chart_folder: Path) -> None:
    """Each custom resource definition passes too, and leaves its schema open."""
    files = sorted(chart_folder.glob("charts/*/crds/*.yaml"))
    assert len(files) == 10
    for file in files:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        kubernetes_validate.validate(document, "1.31", strict=True)
        for version in document["spec"]["versions"]:
            assert version["schema"]["openAPIV3Schema"]["x-kubernetes-preserve-unknown-fields"] is True


@pytest.mark.parametrize("version", ["1.31", "1.35"])
def test_our_definition_fits_the_schema(dataset_run: dict[str, Any], chart_folder: Path, version: str) -> None:
    """The definition of DatasetRun passes, has the version of the chart, and does not store what it does not know."""
    kubernetes_validate.validate(dataset_run, version, strict=True)
    chart = yaml.safe_load((chart_folder / "Chart.yaml").read_text(encoding="utf-8"))
    assert dataset_run["metadata"]["labels"]["app.kubernetes.io/version"] == chart["appVersion"]
    assert "x-kubernetes-preserve-unknown-fields" not in _schema(dataset_run)


def test_our_definition_is_what_the_controller_means(dataset_run: dict[str, Any]) -> None:
    """Fields of the source, phases and policies are the same in the definition and in the code."""
    properties = _schema(dataset_run)["properties"]
    source = properties["spec"]["properties"]["source"]
    assert set(source["required"]) == set(source["properties"]) == set(Source("b", "k").spec())
    assert tuple(properties["status"]["properties"]["phase"]["enum"]) == PHASES
    policies = properties["spec"]["properties"]["schedule"]["properties"]["concurrencyPolicy"]["enum"]
    assert tuple(policies) == get_args(Schedule.model_fields["concurrency_policy"].annotation)
    columns = dataset_run["spec"]["versions"][0]["additionalPrinterColumns"]
    for column in columns:
        node: Any = {"properties": properties}
        for name in column["jsonPath"].strip(".").split("."):
            if name == "metadata":
                break
            assert name in node["properties"], column["jsonPath"]
            node = node["properties"][name]
        else:
            assert node["type"] == column["type"], column["jsonPath"]


@pytest.fixture(scope="module")
def dataset_run(chart_folder: Path) -> dict[str, Any]:
    """The definition of DatasetRun."""
    text = (chart_folder / "crds" / "datasetruns.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def _schema(definition: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def test_objects_are_told_apart(scenario: Any) -> None:
    """No two objects of a rendering have the same kind and name, and all namespaced ones carry the namespace."""
    names = [(each["kind"], each["metadata"]["name"]) for each in scenario.objects]
    assert len(set(names)) == len(names)
    for each in scenario.objects:
        assert ("namespace" in each["metadata"]) != each["kind"].startswith(("Cluster", "ValidatingAdmissionPolicy"))


def test_no_environment_variable_twice(scenario: Any) -> None:
    """Helm 4 applies server-side, which refuses a name that stands twice in a container's environment."""
    for owner, container in scenario.containers():
        names = [each["name"] for each in container.get("env", [])]
        assert len(set(names)) == len(names), owner
