from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import InputError, SettingsError
from kubepipe.pipeline.compile import compile_pipeline
from kubepipe.pipeline.overlay import Compiled, apply_overlay, read_compiled

STEP = {
    "image": "train",
    "resources": {"requests": {"cpu": "500m", "memory": "2Gi"}, "limits": {"memory": "4Gi"}},
    "accelerator": {"resource": "nvidia.com/gpu", "count": 1},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "sharedMemory": "1Gi",
    "retry": {"limit": 4, "backoffDuration": "5s", "backoffFactor": 2, "backoffMaxDuration": "60s"},
    "timeoutSeconds": 600,
    "env": {"KUBEPIPE_STORE": "s3://store"},
    "secretEnv": [{"name": "KUBEPIPE_S3_ACCESS_KEY", "secret": "s3", "key": "accesskey"}],
    "secretVolumes": [{"secret": "keys", "mountPath": "/keys"}],
    "configMapVolumes": [{"configMap": "permits", "mountPath": "/permits"}],
}
OVERLAY: dict[str, Any] = {
    "images": {"train": {"image": "mirror.example/kubepipe/train@sha256:1", "pullPolicy": "Never"}},
    "imagePullSecrets": [{"name": "mirror"}],
    "parameters": {"settings": '{"seed":7}'},
    "steps": {"fine-tune-model": STEP},
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The graph as the chart ships it."""
    file = tmp_path_factory.mktemp("graph") / "kubepipe.yaml"
    compile_pipeline(file)
    return read_compiled(file)


def test_a_step_gets_image_resources_and_surroundings_of_the_installation(compiled: Compiled) -> None:
    """Nobody recompiles to change a registry."""
    changed = apply_overlay(compiled, OVERLAY)
    container = changed.spec["deploymentSpec"]["executors"]["exec-fine-tune-model"]["container"]
    assert container["image"] == "mirror.example/kubepipe/train@sha256:1"
    assert {each["name"]: each["value"] for each in container["env"]} == {
        "KUBEPIPE_STORE": "s3://store",
        "KUBEPIPE_REQUESTED_CORES": "0.5",
        "KUBEPIPE_REQUESTED_BYTES": "2147483648",
    }
    resources = container["resources"]
    assert (resources["resourceCpuRequest"], resources["cpuRequest"]) == ("500m", 0.5)
    assert (resources["resourceMemoryLimit"], resources["memoryLimit"]) == ("4Gi", pytest.approx(4.294967296))
    assert resources["accelerator"]["resourceCount"] == "1"
    assert changed.spec["root"]["dag"]["tasks"]["fine-tune-model"]["retryPolicy"]["maxRetryCount"] == 4
    platform = changed.platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-fine-tune-model"]
    assert platform["nodeSelector"] == {"labels": {"disk": "fast"}}
    assert platform["secretAsEnv"][0]["keyToEnv"] == [{"envVar": "KUBEPIPE_S3_ACCESS_KEY", "secretKey": "accesskey"}]
    assert platform["secretAsVolume"][0]["mountPath"] == "/keys"
    assert platform["imagePullSecret"][0]["secretName"] == "mirror"
    assert platform["activeDeadlineSeconds"] == "600"
    assert platform["fieldPathAsEnv"], "what the graph itself says stays"


@pytest.mark.parametrize(
    ("requests", "told"),
    [
        ({"cpu": "1500m", "memory": "1.5Gi"}, {"CORES": "1.5", "BYTES": "1610612736"}),
        ({"cpu": 2, "memory": "100M"}, {"CORES": "2", "BYTES": "100000000"}),
        ({"cpu": "10", "memory": ""}, {"CORES": "10"}),
        ({"cpu": "0", "memory": 0}, {}),
        ({}, {}),
    ],
)
def test_a_step_is_told_what_it_requests(compiled: Compiled, requests: dict[str, Any], told: dict[str, str]) -> None:
    """In cores and bytes; a request of nothing is none."""
    steps = {"fine-tune-model": {**STEP, "resources": {"requests": requests}}}
    container = apply_overlay(compiled, {**OVERLAY, "steps": steps}).spec["deploymentSpec"]["executors"][
        "exec-fine-tune-model"
    ]["container"]
    found = {each["name"]: each["value"] for each in container["env"]}
    found.pop("KUBEPIPE_STORE")
    assert found == {f"KUBEPIPE_REQUESTED_{name}": value for name, value in told.items()}


def test_default_settings_become_the_default_of_the_parameter(compiled: Compiled) -> None:
    """A run that says nothing gets the release's settings."""
    definition = apply_overlay(compiled, OVERLAY).spec["root"]["inputDefinitions"]["parameters"]["settings"]
    assert (definition["defaultValue"], definition["isOptional"]) == ('{"seed":7}', True)


def test_the_digest_follows_the_content(compiled: Compiled) -> None:
    """The same overlay gives the same version, another one another."""
    assert apply_overlay(compiled, OVERLAY).digest == apply_overlay(compiled, OVERLAY).digest
    assert apply_overlay(compiled, OVERLAY).digest != compiled.digest


def test_the_compiled_graph_itself_is_left_alone(compiled: Compiled) -> None:
    """An overlay makes a new graph."""
    before = compiled.digest
    apply_overlay(compiled, OVERLAY)
    assert compiled.digest == before


MUCH = {**STEP, "resources": {"requests": {"cpu": "much"}}}


@pytest.mark.parametrize("change", [{"steps": {"bake": STEP}}, {"steps": {"fine-tune-model": MUCH}}])
def test_a_wrong_overlay_names_the_step(compiled: Compiled, change: dict[str, Any]) -> None:
    """A step that does not exist, or a quantity that is none, is refused."""
    with pytest.raises(SettingsError):
        apply_overlay(compiled, {**OVERLAY, **change})


@pytest.mark.parametrize("text", ["", "a: [", "a: 1"])
def test_a_file_that_is_no_compiled_graph_is_refused(tmp_path: Path, text: str) -> None:
    """One line instead of a KeyError."""
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_compiled(tmp_path / "x.yaml")
