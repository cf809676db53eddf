"""What goes wrong in a cluster, and where a person reads why. Each test puts right what it broke."""

from __future__ import annotations

import base64
import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kubepipe.pipeline.kfp_api import TERMINAL
from kubepipe.pipeline.overlay import apply_overlay, parse_compiled
from kubepipe.pipeline.remote import Release, find_release
from kubepipe.records import read_document

from .conftest import CHART, LITE, RELEASE, Cluster, namespace

pytestmark = pytest.mark.cluster

DEFINITION = "scheduledworkflows.kubeflow.org"
NOWHERE = "docker.io/kubepipe/nowhere:0"


def test_a_fresh_release_is_well(cluster: Cluster) -> None:
    """Doctor finds nothing to mend."""
    assert cluster.problems_left() == {}


def test_a_wrong_value_is_refused_before_anything_changes(cluster: Cluster) -> None:
    """A typo names the key."""
    said = cluster.fails("upgrade", RELEASE, str(CHART), "--values", LITE, "--set", "minio.replica=2")
    assert "replica" in said


def test_wrong_credentials_are_named_with_their_secret_and_the_store(cluster: Cluster) -> None:
    """Which secret, which endpoint."""
    from kubernetes import client

    accounts = {each["name"]: each for each in find_release(cluster.namespace).setup["accounts"]}
    name, key = accounts["source"]["secret"], accounts["source"]["secretKeyKey"]
    right = cluster.secret(name)[key]
    api = client.CoreV1Api()

    def put(value: bytes) -> None:
        api.patch_namespaced_secret(name, cluster.namespace, {"data": {key: base64.b64encode(value).decode()}})

    put(b"not the password")
    try:
        problems = cluster.doctor()
    finally:
        put(right)
    assert list(problems) == ["object store as source"]
    assert name in problems["object store as source"]
    assert find_release(cluster.namespace).setup["s3"]["endpoint"] in problems["object store as source"]


def test_a_pipelines_api_that_is_away_is_one_line(cluster: Cluster) -> None:
    """Submit ends with one line and code 1; doctor names the address and the deployment."""
    with _scaled(cluster, "ml-pipeline", 0):
        cluster.kubepipe("submit", "s3://incoming/any", expect=1)
        problems = cluster.doctor()
    assert "pipelines API" in problems
    assert "ml-pipeline" in problems["pipelines API"]


@contextmanager
def _scaled(cluster: Cluster, service: str, replicas: int) -> Iterator[None]:
    """The deployment behind a service at another number of pods."""
    from kubernetes import client

    apps, core = client.AppsV1Api(), client.CoreV1Api()
    selector = core.read_namespaced_service(service, cluster.namespace).spec.selector
    labels = ",".join(f"{key}={value}" for key, value in selector.items())
    (deployment,) = apps.list_namespaced_deployment(cluster.namespace, label_selector=labels).items
    name = deployment.metadata.name

    def has_ready_pod() -> bool:
        subsets = core.read_namespaced_endpoints(service, cluster.namespace).subsets or []
        return any(subset.addresses for subset in subsets)

    def scale(count: int) -> None:
        apps.patch_namespaced_deployment_scale(name, cluster.namespace, {"spec": {"replicas": count}})
        _wait(lambda: has_ready_pod() == (count > 0))

    scale(replicas)
    try:
        yield
    finally:
        scale(deployment.spec.replicas)


def test_a_definition_of_another_release_is_named_and_renewed(cluster: Cluster) -> None:
    """Doctor tells both versions; the upgrade's hook brings ours back."""
    from kubernetes import client

    api = client.ApiextensionsV1Api()
    label = "app.kubernetes.io/version"
    wanted = find_release(cluster.namespace).setup["definitions"][DEFINITION]["release"]
    found = api.read_custom_resource_definition(DEFINITION)
    if (found.metadata.labels or {}).get("app.kubernetes.io/part-of") != "kubepipe":
        pytest.skip(f"{DEFINITION} belongs to another installation of this cluster")
    api.patch_custom_resource_definition(DEFINITION, {"metadata": {"labels": {label: "1.0.0"}}})
    problems = cluster.doctor()
    assert "1.0.0" in problems[f"definition {DEFINITION}"]
    assert wanted in problems[f"definition {DEFINITION}"]
    cluster.helm("upgrade", RELEASE, str(CHART), "--values", LITE, "--wait", "--timeout", "10m")
    assert cluster.problems_left() == {}


def test_a_storage_class_that_does_not_exist_is_named(api: Any) -> None:
    """The install does not end well, and doctor tells the class and those that there are."""
    with namespace(api) as place:
        arguments = ["--values", LITE, "--set", "global.storageClass=nowhere", "--wait", "--timeout", "20s"]
        place.fails("install", RELEASE, str(CHART), *arguments)
        volumes = {name: text for name, text in place.doctor().items() if name.startswith("volume ")}
        assert volumes
        assert all("nowhere does not exist" in text for text in volumes.values())


def test_two_releases_live_side_by_side(cluster: Cluster, api: Any) -> None:
    """Another namespace, the same name: both are well, and the first is well when the second is gone."""
    with namespace(api) as other:
        other.helm("install", RELEASE, str(CHART), "--values", LITE, "--wait", "--timeout", "10m")
        assert other.problems_left() == {}
        assert cluster.problems_left() == {}
        other.helm("uninstall", RELEASE, "--wait", "--timeout", "5m")
    assert cluster.problems_left() == {}


@pytest.fixture(scope="module")
def broken(cluster: Cluster, uploaded: str) -> dict[str, str]:
    """Two ended runs, side by side: a step with too little memory, and one whose image nobody has."""
    release = find_release(cluster.namespace)
    runs = {
        "memory": _submit(release, "memory", uploaded, {"resources": {"limits": {"memory": "64Mi"}}}, {}),
        "image": _submit(release, "image", uploaded, {"timeoutSeconds": 45}, {"image": NOWHERE}),
    }
    api = release.kfp()
    for run in runs.values():
        _wait(lambda run=run: api.run(run)["state"] in TERMINAL, seconds=300)
    return runs


def _submit(release: Release, name: str, source: str, step: dict[str, Any], image: dict[str, Any]) -> str:
    """Register the release's graph with another first step, and start it."""
    overlay = copy.deepcopy(dict(release.overlay))
    overlay["steps"]["prepare-data"].update(step)
    overlay["steps"]["prepare-data"]["retry"]["limit"] = 0
    overlay["images"]["stages"].update(image)
    graph = release.graph()
    assert graph is not None
    compiled = apply_overlay(parse_compiled(graph, place="the graph"), overlay)
    api = release.kfp()
    pipeline, _ = api.upload(f"broken-{name}", f"broken-{name}", compiled.yaml())
    return api.create_run(f"broken-{name}", pipeline, {"source": source})


@pytest.mark.parametrize(
    ("what", "kind", "told"),
    [
        ("memory", "OutOfMemoryError", ["64Mi", "pipeline.steps.prepare-data.resources.limits.memory"]),
        ("image", "ImagePullError", [NOWHERE, "global.imageRegistry"]),
    ],
)
def test_why_a_step_was_killed_stands_in_the_runs_record(
    cluster: Cluster, broken: dict[str, str], tmp_path: Path, what: str, kind: str, told: list[str]
) -> None:
    """Nobody had to watch: fetching the run writes what the Workflow and the kubelet know into its record."""
    cluster.kubepipe("fetch", broken[what], "--out", str(tmp_path / "run"), expect=1)
    document = read_document(tmp_path / "run" / "run.json", "run")
    assert (document["verdict"], document["error"]["type"]) == ("failed", kind)
    assert all(text in document["error"]["message"] for text in told)
    (line,) = [each for each in cluster.kubepipe("runs").splitlines() if each.startswith(broken[what])]
    assert "failed" in line


def _wait(holds: Any, seconds: float = 120) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"did not come about in {seconds} s"
        time.sleep(1)
