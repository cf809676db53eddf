"""Every object of every scenario is what Kubernetes takes."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml


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
