"""The end of a release, and a new one over what it left. It stands last: nothing else finds the release afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubepipe.records import read_document

from .conftest import CHART, LITE, RELEASE, Cluster

pytestmark = pytest.mark.cluster


@pytest.mark.smoke
def test_uninstalling_leaves_secrets_and_volumes_only(cluster: Cluster, run: str, api: Any) -> None:
    """What remains is data, and it can be listed."""
    assert run
    cluster.helm("uninstall", RELEASE, "--wait", "--timeout", "5m")
    pods = api.list_namespaced_pod(cluster.namespace).items
    assert [pod.metadata.name for pod in pods if not pod.metadata.deletion_timestamp] == []
    assert api.list_namespaced_service(cluster.namespace).items == []
    kept = [each.metadata.name for each in api.list_namespaced_config_map(cluster.namespace).items]
    assert kept == ["kube-root-ca.crt"]
    assert api.list_namespaced_persistent_volume_claim(cluster.namespace).items != []


def test_a_new_release_finds_the_data_of_the_old_one(cluster: Cluster, run: str, tmp_path: Path) -> None:
    """Secrets and volumes were kept, so the same install brings back the runs, their records and their results."""
    cluster.helm("install", RELEASE, str(CHART), "--values", LITE, "--wait", "--timeout", "10m")
    assert cluster.problems_left() == {}
    assert run in cluster.kubepipe("runs")
    cluster.kubepipe("fetch", run, "--out", str(tmp_path / "again"))
    assert read_document(tmp_path / "again" / "run.json", "run")["verdict"] == "published"
