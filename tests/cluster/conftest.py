"""A release of the chart on the cluster that KUBECONFIG names, in a namespace of its own that is deleted afterwards."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubepipe.pipeline.remote import find_release

CHART = Path(__file__).resolve().parents[2] / "charts" / "kubepipe"
RELEASE = "kubepipe"
HELM = os.environ.get("KUBEPIPE_HELM") or Path(sys.executable).parent / "helm"
LITE = str(CHART / "ci" / "lite-values.yaml")
SOURCE = "s3://incoming/clinic/clinic.jsonl"
SMALL = [
    "--set", "dataset.max_train_questions=24", "--set", "dataset.max_validation_questions=12",
    "--set", "training.epochs=1.0", "--set", "scoring.sample_questions=4", "--set", "publish.must_improve=false",
]  # fmt: skip


@dataclass
class Cluster:
    """An installed release.

    Attributes:
        namespace: Where it is.
        install_seconds: From `helm install` to ready, hooks included.
    """

    namespace: str
    install_seconds: float = 0.0

    def helm(self, *arguments: str) -> str:
        """Run helm in the namespace."""
        return _run([str(HELM), *arguments, "--namespace", self.namespace])

    def kubepipe(self, *arguments: str, expect: int = 0) -> str:
        """Run the command line against the release."""
        command = [sys.executable, "-m", "kubepipe.cli", *arguments, "--namespace", self.namespace]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command line against the release and go on."""
        command = [sys.executable, "-m", "kubepipe.cli", *arguments, "--namespace", self.namespace]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def fails(self, *arguments: str) -> str:
        """Run helm in the namespace; it must fail. What it said."""
        command = [str(HELM), *arguments, "--namespace", self.namespace]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def doctor(self) -> dict[str, str]:
        """Problems that `kubepipe doctor --cluster` finds, by what was looked at; its exit code must fit."""
        command = [sys.executable, "-m", "kubepipe.cli", "doctor", "--cluster", "--namespace", self.namespace]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        lines = [line.removeprefix("problem ") for line in done.stdout.splitlines() if line.startswith("problem ")]
        assert done.returncode == (1 if lines else 0), done.stdout + done.stderr
        return {name.strip(): text for name, _, text in (line.partition(": ") for line in lines)}

    def problems_left(self, seconds: float = 120.0) -> dict[str, str]:
        """Problems that are still there when what Argo Events makes after an install has had its time to start."""
        deadline = time.monotonic() + seconds
        while (problems := self.doctor()) and time.monotonic() < deadline:
            time.sleep(3)
        return problems

    def admin(self) -> tuple[str, str]:
        """User and password of the bundled store's administrator: the secret that its StatefulSet names."""
        from kubernetes import client

        stores = client.AppsV1Api().list_namespaced_stateful_set(self.namespace).items
        (store,) = [each for each in stores if "minio" in each.metadata.name]
        environment = store.spec.template.spec.containers[0].env
        named = {each.name: each.value_from.secret_key_ref for each in environment if each.value_from}
        user, password = named["MINIO_ROOT_USER"], named["MINIO_ROOT_PASSWORD"]
        return self.secret(user.name)[user.key].decode(), self.secret(password.name)[password.key].decode()

    @contextmanager
    def store(self) -> Iterator[Any]:
        """A client of the bundled store, as its administrator."""
        from minio import Minio

        user, password = self.admin()
        with find_release(self.namespace).store_address() as address:
            yield Minio(address, access_key=user, secret_key=password, secure=False)

    def dataset_run(self, name: str) -> dict[str, Any]:
        """A DatasetRun as the API has it."""
        from kubernetes import client

        found: dict[str, Any] = client.CustomObjectsApi().get_namespaced_custom_object(
            "kubepipe.io", "v1alpha1", self.namespace, "datasetruns", name
        )
        return found

    def secret(self, name: str) -> dict[str, bytes]:
        """Content of a secret."""
        from kubernetes import client

        data = client.CoreV1Api().read_namespaced_secret(name, self.namespace).data
        return {key: base64.b64decode(value) for key, value in data.items()}

    def secret_with(self, key: str) -> dict[str, bytes]:
        """Content of the one secret that has a key."""
        from kubernetes import client

        secrets = client.CoreV1Api().list_namespaced_secret(self.namespace).items
        (name,) = [each.metadata.name for each in secrets if each.data and key in each.data]
        return self.secret(name)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def api() -> Any:
    """The core API of the cluster."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster")
    from kubernetes import client, config

    config.load_kube_config()
    return client.CoreV1Api()


@contextmanager
def namespace(api: Any) -> Iterator[Cluster]:
    """A namespace of its own under Pod Security restricted; it is deleted afterwards."""
    name = f"kubepipe-test-{uuid.uuid4().hex[:6]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    api.create_namespace({"metadata": {"name": name, "labels": labels}})
    try:
        yield Cluster(name)
    finally:
        # What Argo Events made goes only while its controller lives, so the release goes before the namespace.
        uninstall = [
            str(HELM),
            "uninstall",
            RELEASE,
            "--ignore-not-found",
            "--wait",
            "--timeout",
            "3m",
            "--namespace",
            name,
        ]
        subprocess.run(uninstall, capture_output=True, check=False, timeout=300)
        api.delete_namespace(name)


@pytest.fixture(scope="session")
def cluster(api: Any) -> Iterator[Cluster]:
    """The chart, installed with the lite profile."""
    with namespace(api) as cluster:
        start = time.monotonic()
        cluster.helm("install", RELEASE, str(CHART), "--values", LITE, "--wait", "--timeout", "10m")
        cluster.install_seconds = time.monotonic() - start
        yield cluster


@pytest.fixture(scope="session")
def dataset_run(cluster: Cluster, examples: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The fictional clinic was dropped into the bucket and ran by itself; name of its DatasetRun."""
    beside = tmp_path_factory.mktemp("beside") / "kubepipe.yaml"
    beside.write_text(yaml.safe_dump(settings_document(SMALL[1::2])), encoding="utf-8")
    cluster.kubepipe("upload", str(beside), "--key", "clinic/kubepipe.yaml")
    clinic = str(examples / "clinic" / "clinic.jsonl")
    said = cluster.kubepipe("upload", clinic, "--key", "clinic/clinic.jsonl", "--watch").splitlines()
    assert said[0] == SOURCE
    return said[1]


@pytest.fixture(scope="session")
def uploaded(dataset_run: str) -> str:
    """The fictional clinic in the bucket for incoming data."""
    assert dataset_run
    return SOURCE


@pytest.fixture(scope="session")
def run(cluster: Cluster, dataset_run: str) -> str:
    """A finished run; its id."""
    return str(cluster.dataset_run(dataset_run)["status"]["runId"])


def settings_document(overrides: Sequence[str]) -> dict[str, Any]:
    """Settings of `--set` as a document."""
    document: dict[str, Any] = {}
    for override in overrides:
        path, _, value = override.partition("=")
        section, _, name = path.partition(".")
        document.setdefault(section, {})[name] = yaml.safe_load(value)
    return document


@pytest.fixture(scope="session")
def fetched(cluster: Cluster, run: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder on this machine."""
    folder = tmp_path_factory.mktemp("fetched") / "run"
    cluster.kubepipe("fetch", run, "--out", str(folder))
    return folder


@pytest.fixture(scope="session")
def second(cluster: Cluster, run: str, uploaded: str) -> str:
    """What was said about a second run of the same object, during which the release was upgraded."""
    assert run
    process = cluster.start("submit", uploaded, "--wait", *SMALL)
    # Another delay changes the workflow controller's configuration, so that it is replaced while the run goes on.
    change = "argoWorkflows.runs.podGcDelaySeconds=601"
    cluster.helm("upgrade", RELEASE, str(CHART), "--values", LITE, "--set", change, "--wait", "--timeout", "10m")
    assert process.poll() is None, "the run ended before the upgrade"
    said, _ = process.communicate(timeout=1200)
    assert process.returncode == 0, said
    return said
