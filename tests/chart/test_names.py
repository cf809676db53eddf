"""Names stay within the limits of Kubernetes and apart from those of other releases."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import EVERYTHING, SCHEDULES

LONG = "a" + "bcdefghij" * 5 + "klmnopq"  # 53 characters: the longest that Helm takes
LABEL = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")


@pytest.fixture(scope="module")
def long(helm: Any) -> Any:
    """Every part, under the longest name of a release."""
    assert len(LONG) == 53
    return helm(EVERYTHING, f"--set-json={SCHEDULES}", release=LONG)


def test_names_fit(long: Any) -> None:
    """Names have at most 63 characters, fewer where Kubernetes or Argo Events makes longer names of them."""
    for each in long.objects:
        limit = {"StatefulSet": 52, "CronJob": 52, "EventBus": 40, "EventSource": 40, "Sensor": 40}.get(
            each["kind"], 63
        )
        name = each["metadata"]["name"]
        assert len(name) <= limit, name
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name), name


def test_labels_fit(long: Any) -> None:
    """All labels, those of pods too, are valid."""
    metadata = [each["metadata"] for each in long.objects] + [each for _, each, _ in long.pods()]
    for each in metadata:
        assert all(LABEL.fullmatch(value) for value in each["labels"].values()), each


def test_suffixes_survive(long: Any, full: Any) -> None:
    """A long release name is cut in front: as many objects of each kind stay apart as with a short one."""
    for kind in {each["kind"] for each in full.objects}:
        names = {each["metadata"]["name"] for each in long.all(kind)}
        assert len(names) == len(full.all(kind))


def test_long_names_do_not_collide(helm: Any) -> None:
    """Two long release names that differ at their end give different names."""
    names = [{each["metadata"]["name"] for each in helm(release=LONG[:-1] + end).all("Deployment")} for end in "xy"]
    assert not names[0] & names[1]


def test_references_resolve(long: Any) -> None:
    """Whatever a pod mounts or reads under the longest name is made under that very name."""
    made = {(each["kind"], each["metadata"]["name"]) for each in long.objects}
    wanted = set()
    for _, _, spec in long.pods():
        for volume in spec.get("volumes", []):
            if "configMap" in volume:
                wanted.add(("ConfigMap", volume["configMap"]["name"]))
            if "secret" in volume:
                wanted.add(("Secret", volume["secret"]["secretName"]))
        for container in spec["containers"]:
            for each in container.get("env", []):
                if "secretKeyRef" in each.get("valueFrom", {}):
                    wanted.add(("Secret", each["valueFrom"]["secretKeyRef"]["name"]))
    assert wanted
    assert wanted <= made


def test_selectors_find_their_pods(full: Any) -> None:
    """Services, workloads and disruption budgets select exactly the pods of one component."""
    pods = [metadata["labels"] for _, metadata, _ in full.pods()]
    selectors = [each["spec"]["selector"] for each in full.all("Service")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in full.all("PodDisruptionBudget")]
    selectors += [
        each["spec"]["selector"]["matchLabels"] for each in [*full.all("Deployment"), *full.all("StatefulSet")]
    ]
    for selector in selectors:
        found = [labels for labels in pods if selector.items() <= labels.items()]
        assert len(found) == 1, selector


def test_selectors_are_stable(helm: Any, full: Any) -> None:
    """Labels of one's own reach objects and pods but never a selector, which could not be changed later."""
    labelled = helm(EVERYTHING, f"--set-json={SCHEDULES}", "--set=global.commonLabels.team=research")
    for before, after in zip(full.objects, labelled.objects, strict=True):
        assert after["metadata"]["labels"]["team"] == "research"
        if after["kind"] in {"Deployment", "StatefulSet"}:
            assert after["spec"]["selector"] == before["spec"]["selector"]
            assert after["spec"]["template"]["metadata"]["labels"]["team"] == "research"


def test_two_namespaces_share_nothing(helm: Any) -> None:
    """Releases of the same name in two namespaces have no cluster-wide object in common."""
    first, second = (
        {
            (each["kind"], each["metadata"]["name"])
            for each in helm(namespace=name).objects
            if "namespace" not in each["metadata"]
        }
        for name in ("one", "two")
    )
    assert first
    assert not first & second
