"""Other ways to a run than the store's notifications: listing the bucket, schedules, KFP itself; and who is told.

A release of its own that polls, so that nothing of Argo Events is there. A stub graph of one light step stands in for
the pipeline (benchmarks/events/stub.py), but for the recurring run, whose first step is the real one.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubepipe.pipeline.remote import find_release
from kubepipe.records.step import read_step_record

from .conftest import CHART, LITE, RELEASE, Cluster, namespace
from .test_events import BENCHMARKS, ended, until

pytestmark = pytest.mark.cluster

SINK = "sink"
LISTENER = """
import http.server
class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers['Content-Length'])).decode(), flush=True)
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(('', 8080), Sink).serve_forever()
"""
NIGHTLY = "schedules/a patient's file.jsonl"
EACH_MINUTE = {"cron": "* * * * *", "dataset": NIGHTLY, "suspend": True}
VALUES: dict[str, Any] = {
    "events": {
        "mode": "poll",
        "sweep": {"intervalSeconds": 5},
        "limits": {"concurrentRuns": 4},
        "schedules": [
            {"name": "made-up-for", **EACH_MINUTE},
            {"name": "left-out", "startingDeadline": 10, **EACH_MINUTE},
        ],
        "notifications": {
            "urls": [f"json://{SINK}:8080/"],
            "about": ["success"],
            "egress": [{"to": [{"podSelector": {"matchLabels": {"app": SINK}}}], "ports": [{"port": 8080}]}],
        },
    },
    "argoEvents": {"enabled": False},
}


@pytest.fixture(scope="module")
def polling(api: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The release."""
    values = tmp_path_factory.mktemp("values") / "polling.yaml"
    values.write_text(yaml.safe_dump(VALUES), encoding="utf-8")
    with namespace(api) as cluster:
        _start_sink(api, cluster.namespace)
        files = ["--values", LITE, "--values", str(values)]
        cluster.helm("install", RELEASE, str(CHART), *files, "--wait", "--timeout", "10m")
        yield cluster


@pytest.fixture(scope="module")
def bench(polling: Cluster) -> Iterator[Any]:
    """The release with the stub graph."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS / "events"))
        bench = importlib.import_module("release").Bench(polling.namespace)
        with bench.configured({}):
            yield bench


def _start_sink(api: Any, namespace: str) -> None:
    """A program that prints what is posted to it."""
    images = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["images"]
    version = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["appVersion"]
    name, security = images["events"], {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": SINK,
        "image": f"{name['registry']}/{name['repository']}:{name['tag'] or version}",
        "command": ["python", "-c", LISTENER],
        "securityContext": security,
    }
    pod = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    labels = {"app": SINK}
    api.create_namespaced_pod(
        namespace,
        {"metadata": {"name": SINK, "labels": labels}, "spec": {"securityContext": pod, "containers": [container]}},
    )
    api.create_namespaced_service(
        namespace, {"metadata": {"name": SINK}, "spec": {"selector": labels, "ports": [{"port": 8080}]}}
    )


def test_a_listing_finds_what_arrives(bench: Any) -> None:
    """No notification, no event source, no sensor: each version that the listing shows becomes one run."""
    names = [bench.put("polled/ü 1.jsonl", content).name for content in (b"first", b"second")]
    for name in names:
        assert until("it ran", ended(bench, name)) == "Succeeded"
    time.sleep(2 * VALUES["events"]["sweep"]["intervalSeconds"])  # two more listings
    assert sorted(each.name for each in bench.runs.list()) == sorted(names)


def test_a_receiver_is_told_once_and_of_no_key(bench: Any, api: Any) -> None:
    """The sink gets one notice of a run that succeeded; it names the DatasetRun and not the object."""
    name = bench.put("polled/jane-roe.jsonl", b"third").name
    assert until("it ran", ended(bench, name)) == "Succeeded"

    def told() -> list[str]:
        lines: list[str] = api.read_namespaced_pod_log(SINK, bench.namespace).splitlines()
        return [line for line in lines if name in line]

    until("the sink was told", told)
    time.sleep(15)  # longer than the pause before a notice would be repeated
    (line,) = told()
    notice = json.loads(line)
    assert name in notice["title"] + notice["message"]
    assert "jane-roe" not in line


def test_missed_ticks_follow_the_setting(bench: Any) -> None:
    """Of two schedules that slept over a tick, the one without a deadline makes up for it, and the other does not."""
    from kubernetes import client

    source = bench.put(NIGHTLY, b"nightly")
    batch = client.BatchV1Api()
    jobs = batch.list_namespaced_cron_job(bench.namespace).items
    assert len(jobs) == len(VALUES["events"]["schedules"])
    newest = max(each.metadata.creation_timestamp for each in jobs)
    until("they have missed a tick by more than the deadline", lambda: _has_missed(newest))
    tick = datetime.now(UTC).replace(second=0, microsecond=0)
    try:
        for job in jobs:
            batch.patch_namespaced_cron_job(job.metadata.name, bench.namespace, {"spec": {"suspend": False}})
        made = until("one was made up for", lambda: list(bench.runs.list("kubepipe.io/schedule=made-up-for")))
    finally:
        for job in jobs:
            batch.patch_namespaced_cron_job(job.metadata.name, bench.namespace, {"spec": {"suspend": True}})
    stamp = f"{tick:%Y%m%d%H%M}"
    assert f"made-up-for-{stamp}" in {each.name for each in made}
    assert made[0].spec["source"]["versionId"] == source.version_id
    assert bench.runs.get(f"left-out-{stamp}") is None


def _has_missed(since: datetime) -> bool:
    """Whether a tick lies between that time and now, longer ago than the deadline, and the next is not near."""
    now = datetime.now(UTC)
    return (now - since).total_seconds() > 60 + now.second and 20 <= now.second <= 40


def test_a_recurring_run_of_kfp_works_too(polling: Cluster, bench: Any, examples: Path) -> None:
    """One made in KFP on the registered pipeline: it resolves the version by itself and records it."""
    source = bench.put("recurring/clinic.jsonl", (examples / "clinic" / "clinic.jsonl").read_bytes())
    api = bench.kfp()
    pipeline = bench.release.setup["pipeline"]["name"]
    body = {
        "display_name": "from the KFP console",
        "pipeline_version_reference": {"pipeline_id": api.pipeline_id(pipeline)},
        "runtime_config": {"parameters": {"source": f"s3://{source.bucket}/{source.key}"}},
        "trigger": {"periodic_schedule": {"interval_second": "20"}},
        "max_concurrency": "1",
        "mode": "ENABLE",
    }
    recurring = api._call("POST", "/recurringruns", body=body)["recurring_run_id"]
    try:
        run = until(
            "it made a run", lambda: [each for each in api.runs() if each.get("recurring_run_id") == recurring]
        )[0]["run_id"]
        with find_release(polling.namespace).store() as store:
            record = until("its first step ended", lambda: read_step_record(store, run, "prepare-data"))
    finally:
        # With it go its workflows, the one that still works too.
        api._call("DELETE", f"/recurringruns/{recurring}")
    assert record.status == "succeeded"
    assert source.version_id in json.dumps(record.document())
