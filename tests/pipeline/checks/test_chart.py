"""doctor on the very objects that the chart renders: selectors, names and setup.json of the one fit the other."""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kubepipe.pipeline.checks import check_cluster
from kubepipe.pipeline.cluster.register import version_name
from kubepipe.pipeline.overlay import apply_overlay, parse_compiled
from kubepipe.pipeline.remote import find_release
from kubepipe.sealing.keys import public_pem

CHART = Path(__file__).parents[3] / "charts" / "kubepipe"
CORE, APPS = "/api/v1/namespaces/models", "/apis/apps/v1/namespaces/models"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
KFP = f"{CORE}/services/ml-pipeline:8888/proxy/apis/v2beta1"


@pytest.fixture
def site(cluster: Any) -> Any:
    """The objects of a rendering with an existing store, in a cluster in which everything is ready."""
    program = os.environ.get("KUBEPIPE_HELM") or Path(sys.executable).with_name("helm")
    store = f"minio.enabled=false,global.objectStore.endpoint={cluster.address},global.objectStore.secure=false"
    arguments = [f"--set={store},global.objectStore.existingSecret=s3", "--namespace=models"]
    command = [str(program), "template", "kubepipe", str(CHART), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    objects = [each for each in yaml.load_all(done.stdout, Loader=loader) if each]
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for each in objects:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            each["status"] = {"readyReplicas": each["spec"]["replicas"], "replicas": each["spec"]["replicas"]}
        by_kind.setdefault(each["kind"], []).append(each)
    (keys,) = [each for each in by_kind["Secret"] if "wrapping.key" in each["data"]]
    (signing,) = [each for each in by_kind["Secret"] if "model-signing.pem" in each["data"]]
    private = keys["data"]["permit-signing.pem"], signing["data"]["model-signing.pem"]
    _answer(cluster, by_kind, [b64decode(each) for each in private])
    return cluster


def _answer(cluster: Any, by_kind: dict[str, list[dict[str, Any]]], private: list[bytes]) -> None:
    permits, models = (public_pem(load_pem_private_key(each, None).public_key()) for each in private)  # type: ignore[arg-type]
    for each in by_kind["ConfigMap"]:
        if each["metadata"]["name"] == "kubepipe-permits":
            each["data"] = {"permit-public.pem": permits.decode(), "model-public.pem": models.decode()}
    held = b64encode(b"x").decode()
    credentials = {"metadata": {"name": "s3"}, "data": {"accesskey": held, "secretkey": held}}
    cluster.on("/version/", {
        "major": "1", "minor": "34", "gitVersion": "v1.34.4", "gitCommit": "", "gitTreeState": "", "buildDate": "",
        "goVersion": "", "compiler": "", "platform": "",
    })  # fmt: skip
    review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    cluster.on(review, lambda asked: {**asked, "status": {"allowed": True}}, status=201, method="POST")
    cluster.serve(f"{CORE}/configmaps", *by_kind["ConfigMap"])
    cluster.serve(f"{CORE}/secrets", *by_kind["Secret"], credentials)
    cluster.serve(f"{APPS}/deployments", *by_kind["Deployment"])
    cluster.serve(f"{APPS}/statefulsets", *by_kind["StatefulSet"])
    (database,) = by_kind["StatefulSet"]
    # The controller of StatefulSets gives claims the labels of the selector.
    labels = database["spec"]["selector"]["matchLabels"]
    cluster.serve(
        f"{CORE}/persistentvolumeclaims",
        {"metadata": {"name": "data-0", "labels": labels}, "spec": {}, "status": {"phase": "Bound"}},
        {"metadata": {"name": "foreign"}, "spec": {}, "status": {"phase": "Pending"}},
    )
    for file in (*CHART.glob("crds/*.yaml"), *CHART.glob("charts/*/crds/*.yaml")):
        definition = yaml.safe_load(file.read_text(encoding="utf-8"))
        cluster.on(f"{CRDS}/{definition['metadata']['name']}", definition)
    for bucket, status in (("incoming", "Enabled"), ("quarantine", ""), ("mlpipeline", ""), ("kubepipe", "Enabled")):
        answer = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"
        cluster.on(f"/{bucket}", answer.replace("<Status></Status>", "").encode())
    release = find_release("models")
    graph = release.graph()
    assert graph is not None
    version = version_name("kubepipe", apply_overlay(parse_compiled(graph, place="x"), release.overlay))
    cluster.on(f"{KFP}/healthz", {})
    cluster.on(f"{KFP}/runs", {})
    cluster.on(f"{KFP}/pipelines/names/kubepipe", {"pipeline_id": "p"})
    cluster.on(f"{KFP}/pipelines/p/versions", {"pipeline_versions": [{"display_name": version}]})


@pytest.mark.usefixtures("site")
def test_a_rendered_release_is_well() -> None:
    """Every workload, definition, user, bucket and key of the rendering is found, and nothing that is foreign."""
    found = {check.name: check.one_line() for check in check_cluster("models") if check.good is not True}
    assert found == {}
    names = [check.name for check in check_cluster("models")]
    for wanted in (
        "deployment kubepipe-workflow-controller", "statefulset kubepipe-mariadb", "volume data-0",
        "definition workflows.argoproj.io", "definition scheduledworkflows.kubeflow.org",
        "object store as admin", "object store as artifacts", "object store as source",
        "bucket incoming as source", "bucket kubepipe as artifacts", "pipeline kubepipe",
        "privacy keys in secret kubepipe-privacy-keys", "public key of permits",
    ):  # fmt: skip
        assert wanted in names
    assert "volume foreign" not in names


def test_another_release_of_the_namespace_is_not_mixed_in(site: Any) -> None:
    """Workloads of others carry other labels."""
    other = {"app.kubernetes.io/instance": "other", "app.kubernetes.io/part-of": "kubepipe"}
    site.serve(f"{APPS}/deployments", {"metadata": {"name": "sick", "labels": other}, "spec": {}, "status": {}})
    assert "deployment sick" not in [check.name for check in check_cluster("models")]
