"""The release in a namespace: found by what its ConfigMaps say."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from kubepipe.errors import SettingsError
from kubepipe.pipeline.remote import find_release
from kubepipe.pipeline.remote import release as module

KEYS = {"setup": "setup.json", "pipeline": "overlay.json"}


@pytest.fixture
def maps(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """ConfigMaps of the namespace by component."""
    from kubernetes import client

    found: dict[str, list[Any]] = {component: [] for component in KEYS}

    class Api:
        def list_namespaced_config_map(self, namespace: str, label_selector: str) -> Any:
            assert namespace == "lab"
            return SimpleNamespace(items=found[label_selector.rpartition("=")[2]])

    monkeypatch.setattr(client, "CoreV1Api", Api)
    monkeypatch.setattr(module, "connect", lambda: "lab")
    return found


def add(maps: dict[str, list[Any]], instance: str, *components: str) -> None:
    """Put the ConfigMaps of a release there."""
    for component in components:
        metadata = SimpleNamespace(labels={"app.kubernetes.io/instance": instance})
        data = {KEYS[component]: json.dumps({"of": f"{instance} {component}"})}
        maps[component] += [
            SimpleNamespace(metadata=metadata, data=data),
            SimpleNamespace(metadata=metadata, data=None),
        ]


def test_a_release_of_engines_beside_it_is_passed_over(maps: dict[str, list[Any]]) -> None:
    """What has the pipeline is the release; setup and overlay of two are never mixed."""
    add(maps, "engines", "setup")
    add(maps, "kubepipe", "setup", "pipeline")
    found = find_release(None)
    assert (found.setup, found.overlay) == ({"of": "kubepipe setup"}, {"of": "kubepipe pipeline"})


@pytest.mark.parametrize(
    ("releases", "said"),
    [([], "no release"), ([("engines", "setup")], "no release"), ([("a", "*"), ("b", "*")], "2 rel")],
)
def test_none_or_two_are_said(maps: dict[str, list[Any]], releases: list[tuple[str, str]], said: str) -> None:
    """With what to do."""
    for name, component in releases:
        add(maps, name, *(KEYS if component == "*" else (component,)))
    with pytest.raises(SettingsError, match=said) as error:
        find_release("lab")
    assert "--namespace" in str(error.value)
