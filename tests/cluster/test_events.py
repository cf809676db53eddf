"""Data sets that start their own runs, on a cluster.

But for the first two tests a stub graph of one light step stands in for the pipeline (benchmarks/events/stub.py);
everything around it is the real thing.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import CHART, LITE, RELEASE, SMALL, Cluster, settings_document

pytestmark = pytest.mark.cluster

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
QUICK = {"limits": {"concurrentRuns": 4}, "sweep": {"intervalSeconds": 10}}
PATIENCE = 240.0


@pytest.fixture(scope="module")
def bench(cluster: Cluster, dataset_run: str) -> Iterator[Any]:
    """The release with the stub graph."""
    assert dataset_run
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS / "events"))
        bench = importlib.import_module("release").Bench(cluster.namespace)
        with bench.configured(QUICK):
            yield bench


def until(what: str, holds: Callable[[], Any]) -> Any:
    """Wait until something holds; what it gave."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(Exception):
            found = holds()
            if found:
                return found
        time.sleep(1)
    raise AssertionError(f"not within {PATIENCE:.0f} s: {what}")


def phase(bench: Any, name: str) -> str | None:
    """Phase of a DatasetRun."""
    found = bench.runs.get(name)
    return found.status.get("phase") if found else None


def ended(bench: Any, name: str) -> Callable[[], str | None]:
    """Whether a DatasetRun has ended: its phase."""
    return lambda: phase(bench, name) if phase(bench, name) in {"Succeeded", "Failed", "Skipped", "Capped"} else None


def test_a_dropped_data_set_reads_like_a_dashboard(cluster: Cluster, dataset_run: str) -> None:
    """Phase, verdict, scores before and after, energy and the report are in the status; Events tell the way."""
    status = cluster.dataset_run(dataset_run)["status"]
    assert (status["phase"], status["verdict"], status["attempts"]) == ("Succeeded", "published", 1)
    assert status["exactMatch"]["after"] > status["exactMatch"]["before"]
    assert float(status["energyKwh"]) > 0
    assert status["report"].startswith(("minio://", "s3://"))
    listed = cluster.kubepipe("status")
    assert dataset_run[:13] in listed
    assert "published" in listed
    from kubernetes import client

    selector = f"involvedObject.name={dataset_run}"
    told = client.CoreV1Api().list_namespaced_event(cluster.namespace, field_selector=selector).items
    assert {"Submitted", "Succeeded"} <= {each.reason for each in told}


def test_a_person_decides_where_the_policy_asks_for_one(
    cluster: Cluster, dataset_run: str, examples: Path, tmp_path: Path
) -> None:
    """needs_human ends as Quarantined; an approval lets the next attempt pass, with the person's name on record."""
    assert dataset_run
    settings = settings_document(SMALL[1::2]) | {"privacy": {"require_approval": True}}
    (tmp_path / "kubepipe.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    cluster.kubepipe("upload", str(tmp_path / "kubepipe.yaml"), "--key", "decide/kubepipe.yaml")
    clinic = str(examples / "clinic" / "clinic.jsonl")
    said = cluster.kubepipe("upload", clinic, "--key", "decide/clinic.jsonl", "--watch", expect=3).splitlines()
    status = cluster.dataset_run(said[1])["status"]
    assert (status["phase"], status["verdict"]) == ("Quarantined", "needs_human")
    cluster.kubepipe("approve", said[1], "--reason", "looked at it")
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline and cluster.dataset_run(said[1])["status"]["phase"] != "Succeeded":
        time.sleep(3)
    found = cluster.dataset_run(said[1])
    assert found["status"]["phase"] == "Succeeded", found["status"]
    assert found["spec"]["decision"]["by"]
    run = found["status"]["runId"]
    cluster.kubepipe("fetch", run, "--out", str(tmp_path / "run"))
    permit = (tmp_path / "run" / "dataset" / "permit.json").read_text(encoding="utf-8")
    assert found["spec"]["decision"]["by"] in permit


def test_an_object_that_is_no_data_set_fails_and_the_rest_goes_on(bench: Any) -> None:
    """An empty object is skipped with the limit named; the one behind it runs."""
    empty, good = bench.put("mixed/empty.jsonl", b"").name, bench.put("mixed/good.jsonl", b"good").name
    assert until("the good one ran", ended(bench, good)) == "Succeeded"
    assert until("the empty one ended", ended(bench, empty)) == "Skipped"
    assert "minBytes" in bench.runs.get(empty).status["message"]


def test_an_object_deleted_before_its_run_is_skipped(bench: Any) -> None:
    """A version that is gone when its turn comes is not run."""
    bench.scale(0)
    source = bench.put("gone/a.jsonl", b"gone")
    bench.runs.create(source.name, {"source": source.spec()})
    bench.minio().remove_object(source.bucket, source.key)
    bench.scale(1)
    assert until("it ended", ended(bench, source.name)) == "Skipped"


def test_what_is_dropped_while_all_is_away_is_found(bench: Any) -> None:
    """Event source, sensor and controller at zero: the objects run after they are back."""
    from kubernetes import client

    apps, core = client.AppsV1Api(), client.CoreV1Api()
    bench.scale(0)
    parts = "app.kubernetes.io/component in (argo-events,events-source,events-sensor)"
    intake = [
        each.metadata.name for each in apps.list_namespaced_deployment(bench.namespace, label_selector=parts).items
    ]
    try:
        for name in intake:
            apps.patch_namespaced_deployment_scale(name, bench.namespace, {"spec": {"replicas": 0}})
        until("they are away", lambda: not core.list_namespaced_pod(bench.namespace, label_selector=parts).items)
        names = [bench.put(f"away/{number} ü.jsonl", f"away {number}".encode()).name for number in range(3)]
        assert [bench.runs.get(name) for name in names] == [None] * 3
    finally:
        for name in intake:
            apps.patch_namespaced_deployment_scale(name, bench.namespace, {"spec": {"replicas": 1}})
        bench.scale(1)
    for name in names:
        assert until("it ran", ended(bench, name)) == "Succeeded"


def test_deleting_a_datasetrun_stops_its_run_until_somebody_asks_again(cluster: Cluster, bench: Any) -> None:
    """No sweep brings it back; `kubepipe rerun` does."""
    name = bench.put("deleted/a.jsonl", b"deleted").name
    run = until("it was submitted", lambda: bench.runs.get(name).status.get("runId"))
    bench.runs.delete(name)
    until("its run ended", lambda: bench.kfp().run(run)["state"] in {"FAILED", "CANCELED", "SUCCEEDED"})
    time.sleep(2 * QUICK["sweep"]["intervalSeconds"])  # two sweeps, so that one that would bring it back has been
    # The durable notification, seconds behind the hint, may have made it again; then it says that it was deleted.
    assert phase(bench, name) in {None, "Skipped"}
    assert len(bench.kfp().runs_named(f"{name}-1")) == 1
    cluster.kubepipe("rerun", name)
    until("it ran again", lambda: phase(bench, name) == "Succeeded")
    assert bench.runs.get(name).status["runId"] != run


def test_a_suspended_one_waits(cluster: Cluster, bench: Any) -> None:
    """spec.suspend holds it back; taken away, it runs."""
    bench.scale(0)
    source = bench.put("suspended/a.jsonl", b"suspended")
    bench.runs.create(source.name, {"source": source.spec(), "suspend": True})
    bench.scale(1)
    until("it is seen", lambda: "suspended" in bench.runs.get(source.name).status.get("message", ""))
    assert phase(bench, source.name) == "Pending"
    bench.runs.patch_spec(source.name, {"suspend": False})
    assert until("it ran", ended(bench, source.name)) == "Succeeded"
    assert source.name[:13] in cluster.kubepipe("status")


def test_the_pipelines_api_may_be_away(bench: Any) -> None:
    """What arrives while KFP is down is claimed, waits, and runs when KFP is back."""
    from kubernetes import client

    apps = client.AppsV1Api()
    selector = "app.kubernetes.io/component=kfp-api"
    (api,) = apps.list_namespaced_deployment(bench.namespace, label_selector=selector).items
    apps.patch_namespaced_deployment_scale(api.metadata.name, bench.namespace, {"spec": {"replicas": 0}})
    core = client.CoreV1Api()
    until("it is away", lambda: not core.list_namespaced_pod(bench.namespace, label_selector=selector).items)
    name = bench.put("kfp-away/a.jsonl", b"kfp away").name
    until("it is made", lambda: bench.runs.get(name))
    time.sleep(5)  # long enough for a controller that would give up
    assert phase(bench, name) in {None, "Pending"}
    apps.patch_namespaced_deployment_scale(api.metadata.name, bench.namespace, {"spec": {"replicas": 1}})
    assert until("it ran", ended(bench, name)) == "Succeeded"


def test_a_tick_of_a_schedule_makes_a_run(cluster: Cluster, bench: Any, tmp_path: Path) -> None:
    """A CronJob that fires every minute: a DatasetRun named by schedule and tick, on the newest version."""
    source = bench.put("nightly/a.jsonl", b"nightly")
    values = tmp_path / "values.yaml"
    values.write_text("events: {schedules: [{name: minutely, cron: '* * * * *', dataset: nightly/a.jsonl}]}")
    common = ["--values", LITE, "--wait", "--timeout", "5m"]
    cluster.helm("upgrade", RELEASE, str(CHART), "--values", str(values), *common)
    try:
        made = until("a tick came", lambda: list(bench.runs.list("kubepipe.io/schedule=minutely")))
        assert made[0].name.startswith("minutely-")
        assert made[0].spec["source"]["versionId"] == source.version_id
        assert made[0].spec["trigger"] == "schedule"
        assert "minutely" in cluster.kubepipe("schedules")
    finally:
        cluster.helm("upgrade", RELEASE, str(CHART), *common)
        for each in bench.runs.list("kubepipe.io/schedule=minutely"):
            bench.runs.delete(each.name)


def test_chaos_loses_nothing_and_runs_nothing_twice(bench: Any) -> None:
    """One seed of the chaos benchmark: every version one terminal DatasetRun and one effective run."""
    command = [sys.executable, str(BENCHMARKS / "bench_chaos.py"), bench.namespace]
    options = ["--seeds", "1", "--objects", "6", "--large", "0"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
