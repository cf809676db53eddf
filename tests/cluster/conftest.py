"""A release of the chart on the cluster that KUBECONFIG names, in a namespace of its own that is deleted afterwards."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHART = Path(__file__).resolve().parents[2] / "charts" / "kubepipe"
RELEASE = "kubepipe"
HELM = Path(sys.executable).parent / "helm"


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


@pytest.fixture(scope="session")
def cluster(api: Any) -> Iterator[Cluster]:
    """The chart, installed with the lite profile under Pod Security restricted."""
    name = f"kubepipe-test-{uuid.uuid4().hex[:6]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    api.create_namespace({"metadata": {"name": name, "labels": labels}})
    cluster = Cluster(name)
    try:
        start = time.monotonic()
        values = str(CHART / "ci" / "lite-values.yaml")
        cluster.helm("install", RELEASE, str(CHART), "--values", values, "--wait", "--timeout", "10m")
        cluster.install_seconds = time.monotonic() - start
        yield cluster
    finally:
        api.delete_namespace(name)
