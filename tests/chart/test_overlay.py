"""The overlay that the setup hook writes into the compiled graph."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubepipe.pipeline.overlay import Compiled, apply_overlay
from kubepipe.settings import parse_settings
from kubepipe.stages.catalogue import STAGES

BEFORE_THE_GATE = ["prepare-data", "assess-privacy-risk", "anonymize-data", "minimize-data", "verify-privacy"]

Overlay = Callable[[Any], dict[str, Any]]


def test_steps_are_those_of_the_graph(helm: Any, overlay_of: Overlay) -> None:
    """The overlay names every step of the graph and no other."""
    assert set(overlay_of(helm())["steps"]) == set(STAGES)


def test_keys_stay_before_the_gate(helm: Any, overlay_of: Overlay) -> None:
    """Private keys and the user of the incoming bucket go to steps before the gate; the others get the public key."""
    for name, step in overlay_of(helm())["steps"].items():
        users = {each["secret"] for each in step["secretEnv"]}
        if name in BEFORE_THE_GATE:
            assert [each["secret"] for each in step["secretVolumes"]] == ["kubepipe-privacy-keys"]
            assert users == {"kubepipe-source-store"}
            assert "KUBEPIPE_PERMIT_KEY" not in step["env"]
        else:
            signing = [{"secret": "kubepipe-model-signing", "mountPath": "/etc/kubepipe/signing"}]
            assert step["secretVolumes"] == (signing if name == "publish-model" else [])
            assert ("KUBEPIPE_SIGNING_KEY" in step["env"]) is (name == "publish-model")
            assert [each["configMap"] for each in step["configMapVolumes"]] == ["kubepipe-permits"]
            assert users == {"mlpipeline-minio-artifact"}
            assert "KUBEPIPE_KEYS" not in step["env"]


def test_steps_find_the_store(helm: Any, overlay_of: Overlay) -> None:
    """Address, region and bucket of the store are in the environment of every step."""
    for step in overlay_of(helm())["steps"].values():
        assert step["env"]["KUBEPIPE_STORE"] == "s3://kubepipe"
        assert step["env"]["KUBEPIPE_S3_ENDPOINT"] == "kubepipe-minio.models.svc.cluster.local:9000"
        assert step["env"]["KUBEPIPE_S3_SECURE"] == "false"
        assert {each["name"] for each in step["secretEnv"]} == {"KUBEPIPE_S3_ACCESS_KEY", "KUBEPIPE_S3_SECRET_KEY"}


def test_settings_become_the_default(helm: Any, overlay_of: Overlay) -> None:
    """Settings of the values are the default of the pipeline's parameter, as the product reads them."""
    release = helm("--set=pipeline.settings.training.epochs=3,pipeline.settings.dataset.max_bytes=5000000000")
    settings = parse_settings(overlay_of(release)["parameters"]["settings"])
    assert settings.training.epochs == 3.0
    assert settings.dataset.max_bytes == 5_000_000_000


def test_a_step_overrides_the_defaults(helm: Any, overlay_of: Overlay) -> None:
    """What a step leaves out it takes from stepDefaults; what it says wins."""
    steps = overlay_of(helm.scenario("gpu"))["steps"]
    assert steps["fine-tune-model"]["accelerator"] == {"count": 1, "resource": "nvidia.com/gpu"}
    assert steps["fine-tune-model"]["sharedMemory"] == "8Gi"
    assert steps["fine-tune-model"]["nodeSelector"] == {"node-pool": "gpu"}
    assert steps["fine-tune-model"]["timeoutSeconds"] == 86400
    assert steps["prepare-data"]["accelerator"]["count"] == 0
    assert steps["prepare-data"]["retry"] == {
        "limit": 2, "backoffDuration": "5s", "backoffFactor": 2, "backoffMaxDuration": "300s",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["lite", "gpu", "airgap", "gitops", "events"])
def test_overlay_fits_the_compiled_graph(helm: Any, overlay_of: Overlay, name: str) -> None:
    """Written into the graph of the chart, the overlay changes every image, and nothing is left over."""
    release = helm.scenario(name)
    spec, platforms = yaml.safe_load_all(release.get("ConfigMap", "kubepipe-pipeline")["data"]["kubepipe.yaml"])
    overlay = overlay_of(release)
    result = apply_overlay(Compiled(spec, platforms), overlay)
    executors = result.spec["deploymentSpec"]["executors"]
    for step, options in overlay["steps"].items():
        container = executors[f"exec-{step}"]["container"]
        assert container["image"] == overlay["images"][options["image"]]["image"]
        assert {each["name"] for each in container["env"]} >= set(options["env"])


@pytest.mark.parametrize(("intermediate", "protected", "days"), [(7, 3, 7), (3, 7, 7), (0, 7, None), (7, 0, None)])
def test_what_steps_hand_on_is_kept_for_the_longer_time(
    helm: Any, intermediate: int, protected: int, days: int | None
) -> None:
    """One rule holds for both classes, and 0 is for ever."""
    release = helm(f"--set=global.retention.intermediate={intermediate},global.retention.protected={protected}")
    setup = json.loads(release.get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
    assert setup["buckets"][2]["expireDays"].get("v2/artifacts/") == days


def test_setup_is_told_everything(helm: Any) -> None:
    """setup.json names the API, the store, the buckets with their rules, the users, the graph and the keys."""
    release = helm()
    setup = json.loads(release.get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
    assert setup["kfp"] == {"endpoint": "http://ml-pipeline.models.svc.cluster.local:8888"}
    assert setup["s3"] == {
        "endpoint": "kubepipe-minio.models.svc.cluster.local:9000",
        "secure": False,
        "region": "us-east-1",
    }
    assert [each["name"] for each in setup["buckets"]] == ["incoming", "quarantine", "mlpipeline", "kubepipe"]
    assert setup["buckets"][0]["versioning"] is True
    assert [each["expireDays"] for each in setup["buckets"]] == [
        {}, {"approvals/": 30, "mappings/": 365}, {"v2/artifacts/": 30}, {"keys/": 30},
    ]  # fmt: skip
    assert setup["users"][0]["grants"] == {"mlpipeline": "read-write", "kubepipe": "read-write"}
    assert setup["users"][1]["grants"]["kubepipe"] == "erase"
    assert setup["users"][1]["grants"]["incoming"] == "read"
    mounts = {
        each.mount_path
        for each in release.typed("Job", "kubepipe-setup").spec.template.spec.containers[0].volume_mounts
    }
    named = [setup["pipeline"]["file"], setup["pipeline"]["overlay"], setup["keys"]["privateKeyFile"]]
    named.append(setup["signing"]["privateKeyFile"])
    named += [f"{user['folder']}/accesskey" for user in setup["users"]]
    assert all(str(Path(file).parent) in mounts for file in named)


def test_doctor_is_told_what_to_look_at(helm: Any, chart_folder: Path) -> None:
    """setup.json names each definition with its version and engine, the secret of each user, and the privacy keys."""
    setup = json.loads(helm().get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
    files = [*chart_folder.glob("crds/*.yaml"), *chart_folder.glob("charts/*/crds/*.yaml")]
    brought = {}
    for file in files:
        definition = yaml.safe_load(file.read_text(encoding="utf-8"))
        label = definition["metadata"]["labels"].get("app.kubernetes.io/version", "")
        brought[definition["metadata"]["name"]] = {
            "version": definition["spec"]["versions"][0]["name"],
            "release": label,
        }
    assert setup["definitions"].items() <= brought.items()
    assert {"workflows.argoproj.io", "scheduledworkflows.kubeflow.org"} <= set(setup["definitions"])
    accounts = {each["name"]: (each["secret"], each["buckets"]) for each in setup["accounts"]}
    everything = ["incoming", "quarantine", "mlpipeline", "kubepipe"]
    assert accounts == {
        "admin": ("kubepipe-object-store", everything),
        "artifacts": ("mlpipeline-minio-artifact", ["mlpipeline", "kubepipe"]),
        "source": ("kubepipe-source-store", everything),
    }
    assert setup["privacy"]["secret"] == "kubepipe-privacy-keys"
    assert "accounts" not in json.loads(
        helm.scenario("identity").get("ConfigMap", "kubepipe-setup")["data"]["setup.json"]
    )


def test_definitions_say_the_engine_that_they_are_of(chart_folder: Path) -> None:
    """The label is the tag of the engine's image."""
    tags = {"argo-workflows": "argoexec", "kubeflow-pipelines": "kfp-driver", "argo-events": "argo-events"}
    images = (chart_folder / "images.txt").read_text(encoding="utf-8").split()
    for engine, image in tags.items():
        (tag,) = {each.rpartition(":")[2] for each in images if f"/{image}:" in each}
        for file in chart_folder.glob(f"charts/{engine}/crds/*.yaml"):
            labels = yaml.safe_load(file.read_text(encoding="utf-8"))["metadata"]["labels"]
            assert labels["app.kubernetes.io/version"] == tag, file.name


def test_without_the_pipeline(helm: Any) -> None:
    """With pipeline.enabled=false nothing of the product's own steps is rendered, and setup makes the buckets only."""
    release = helm.scenario("engines")
    names = {each["metadata"]["name"] for each in release.all("ConfigMap")}
    assert not {"kubepipe-overlay", "kubepipe-pipeline", "kubepipe-permits"} & names
    setup = json.loads(release.get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
    assert "pipeline" not in setup
    assert not {"keys", "signing"} & set(setup)


def test_external_pipelines(helm: Any) -> None:
    """With an existing installation only the controller is ours, and the hook goes to the given address."""
    release = helm.scenario("external")
    assert [each["metadata"]["name"] for each in release.all("Deployment")] == ["kubepipe-events"]
    assert not release.all("StatefulSet")
    setup = json.loads(release.get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
    assert setup["kfp"]["endpoint"] == "http://ml-pipeline.kubeflow.svc.cluster.local:8888"
    assert setup["s3"] == {"endpoint": "s3.eu-central-1.amazonaws.com", "secure": True, "region": "eu-central-1"}
    assert "users" not in setup
