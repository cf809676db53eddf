from __future__ import annotations

from typing import Any

import pytest

from kubepipe.pipeline.cluster.register import prune
from kubepipe.pipeline.kfp_api import KfpApi

API = "/apis/v2beta1"


def _version(number: int, name: str = "") -> dict[str, str]:
    return {"pipeline_version_id": f"v{number}", "display_name": name or f"kubepipe-{number:012x}"}


@pytest.fixture
def api(cluster: Any) -> KfpApi:
    """A KFP with six versions, newest first; the third bears a person's name, the fifth has a schedule."""
    cluster.on(f"{API}/pipelines/names/kubepipe", {"pipeline_id": "p"})
    versions = [_version(6), _version(5), _version(4, "mine"), _version(3), _version(2), _version(1)]
    cluster.on(f"{API}/pipelines/p/versions", {"pipeline_versions": versions})
    reference = {"pipeline_id": "p", "pipeline_version_id": "v2"}
    cluster.on(f"{API}/recurringruns", {"recurringRuns": [{"pipeline_version_reference": reference}]})
    for number in range(7):
        cluster.on(f"{API}/pipelines/p/versions/v{number}", {}, method="DELETE")
    return KfpApi(f"http://{cluster.address}")


@pytest.mark.parametrize(
    ("keep", "current", "deleted"),
    [
        (10, 6, []),
        (2, 6, ["v3", "v1"]),  # v2 has a schedule, "mine" is a person's
        (1, 6, ["v5", "v3", "v1"]),
        (1, 1, ["v5", "v3"]),  # gone back to an older one: it stays
    ],
)
def test_old_versions_go_but_for_what_is_in_use(
    cluster: Any, api: KfpApi, keep: int, current: int, deleted: list[str]
) -> None:
    """The newest few stay, the current one, those of schedules, and whatever a person registered."""
    count = prune(api, {"name": "kubepipe", "keepVersions": keep}, f"kubepipe-{current:012x}")
    asked = [each.rpartition("/")[2] for each in cluster.asked if each.startswith("DELETE")]
    assert (count, asked) == (len(deleted), deleted)


def test_a_pipeline_that_is_not_there_has_nothing_to_prune(cluster: Any) -> None:
    """The first install."""
    assert prune(KfpApi(f"http://{cluster.address}"), {"name": "kubepipe", "keepVersions": 1}, "x") == 0
