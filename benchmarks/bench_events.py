"""Events: how long from a PUT to its DatasetRun and to its run in KFP, how fast a burst is claimed, what a sweep costs.

The release in NAMESPACE is measured twice: with the hint, and by the durable path alone (MinIO's disk queue, event
source, bus, sensor), which is what Argo Events gives without us. A stub graph of one light step stands in for the
pipeline.

    bench_events.py NAMESPACE [--puts 20] [--burst 200] [--listed 10000]

The last line is one JSON object; times are seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "events"))

from kubernetes import client, watch
from release import Bench

from kubepipe.records.claim import claim_key
from kubepipe.storage.s3 import S3Store
from kubepipe_events.identity import Source
from kubepipe_events.resources import GROUP, PLURAL, VERSION
from kubepipe_events.status import ENDED

_LIMITS = {"concurrentRuns": 4}
_NEVER = 86_400


class Watcher(threading.Thread):
    """When each DatasetRun was seen first, claimed first and submitted first, by this machine's clock."""

    def __init__(self, namespace: str) -> None:
        super().__init__(daemon=True)
        self.namespace = namespace
        self.seen: dict[str, dict[str, float]] = {}

    def run(self) -> None:
        """Watch for ever."""
        api = client.CustomObjectsApi()
        while True:
            with suppress(Exception):
                stream = watch.Watch().stream(
                    api.list_namespaced_custom_object, GROUP, VERSION, self.namespace, PLURAL, timeout_seconds=300
                )
                for event in stream:
                    self._note(event["object"], time.monotonic())

    def _note(self, body: Mapping[str, Any], now: float) -> None:
        times = self.seen.setdefault(body["metadata"]["name"], {})
        status = body.get("status") or {}
        times.setdefault("made", now)
        if status:
            times.setdefault("claimed", now)
        if status.get("submittedAt"):
            times.setdefault("submitted", now)


def latency(bench: Bench, watcher: Watcher, puts: int) -> dict[str, float]:
    """Single PUTs, each after the one before has ended."""
    waits: dict[str, list[float]] = {"made": [], "submitted": []}
    for number in range(puts):
        began = time.monotonic()
        name = bench.put(f"latency-{int(time.time())}-{number}.jsonl", f"{number} {began}".encode()).name
        _until(lambda name=name: "submitted" in watcher.seen.get(name, {}), 60)
        for what, seconds in waits.items():
            seconds.append(watcher.seen[name][what] - began)
        _until(lambda name=name: _has_ended(bench, name), 180)
    return {
        "put_to_datasetrun_median": _round(statistics.median(waits["made"])),
        "put_to_datasetrun_p95": _round(_p95(waits["made"])),
        "put_to_submitted_median": _round(statistics.median(waits["submitted"])),
        "put_to_submitted_p95": _round(_p95(waits["submitted"])),
    }


def burst(bench: Bench, watcher: Watcher, objects: int) -> dict[str, float]:
    """Many small objects at once: when all of them are claimed."""
    prefix, began = f"burst-{int(time.time())}", time.monotonic()
    names = [bench.put(f"{prefix}/{number}.jsonl", f"{prefix} {number}".encode()).name for number in range(objects)]
    put = time.monotonic() - began
    _until(lambda: all("claimed" in watcher.seen.get(name, {}) for name in names), 300)
    claimed = max(watcher.seen[name]["claimed"] for name in names) - began
    made = [each for each in bench.runs.list() if each.spec["source"]["key"].startswith(prefix)]
    for each in made:
        bench.runs.delete(each.name)
    return {
        "objects": objects,
        "put_seconds": _round(put),
        "claimed_seconds": _round(claimed),
        "datasetruns": len(made),
        "twice": len(made) - len(set(names)),
    }


def sweep(bench: Bench, objects: int) -> dict[str, float]:
    """A bucket full of objects that are all known: what a sweep over it takes."""
    if not objects:
        return {}
    prefix = f"listed-{int(time.time())}"
    bench.scale(0)
    store_url = bench.release.overlay["steps"]["prepare-data"]["env"]["KUBEPIPE_STORE"]
    records = S3Store(store_url.removeprefix("s3://"), "", bench.minio())

    def one(number: int) -> Source:
        source = bench.put(f"{prefix}/{number}.jsonl", str(number).encode())
        records.write(claim_key(source.name), b"{}")
        return source

    with bench.silent():
        sources = [one(number) for number in range(objects)]
    before = _memory(bench)
    bench.scale(1)
    _until(lambda: _metric(bench, "kubepipe_sweep_seconds") > 0, 300)
    told = {
        "listed": len(sources),
        "sweep_seconds": _metric(bench, "kubepipe_sweep_seconds"),
        "found": _metric(bench, "kubepipe_sweep_findings_total"),
        "memory_mib": _round(_memory(bench)),
        "memory_before_mib": _round(before),
    }
    for each in sources:
        bench.minio().remove_object(each.bucket, each.key, each.version_id)
        records.delete(claim_key(each.name))
    return told


def _memory(bench: Bench) -> float:
    return _metric(bench, "process_resident_memory_bytes") / 2**20


def _metric(bench: Bench, name: str) -> float:
    with suppress(Exception):
        pods = bench.core.list_namespaced_pod(
            bench.namespace, label_selector="app.kubernetes.io/component=events"
        ).items
        text = bench.core.connect_get_namespaced_pod_proxy_with_path(
            f"{pods[0].metadata.name}:8080", bench.namespace, "metrics"
        )
        for line in str(text).splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[-1])
    return 0.0


def _has_ended(bench: Bench, name: str) -> bool:
    found = bench.runs.get(name)
    return found is not None and found.status.get("phase") in ENDED


def _until(holds: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing within {seconds} s")
        time.sleep(0.05)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]


def _round(value: float) -> float:
    return round(value, 2)


def main() -> int:
    """Measure, print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("namespace")
    parser.add_argument("--puts", type=int, default=20, help="single PUTs; 0 measures the sweep only")
    parser.add_argument("--burst", type=int, default=200)
    parser.add_argument("--listed", type=int, default=10_000)
    given = parser.parse_args()
    bench = Bench(given.namespace)
    watcher = Watcher(given.namespace)
    watcher.start()
    told: dict[str, Any] = {}
    quiet = {"limits": _LIMITS, "sweep": {"intervalSeconds": _NEVER}}
    # In this order: behind a hint the durable path still has all objects of the burst before it.
    for name, changes in (("durable_path_alone", {**quiet, "hint": None}), ("hint", quiet)):
        if not given.puts:
            break
        with bench.configured(changes):
            told[name] = {**latency(bench, watcher, given.puts), "burst": burst(bench, watcher, given.burst)}
            print(name, told[name], flush=True)
    with bench.configured(quiet):
        told["sweep"] = sweep(bench, given.listed)
    if given.puts:
        ours, theirs = (told[name]["put_to_datasetrun_median"] for name in ("hint", "durable_path_alone"))
        told["ratio_durable_to_hint"] = _round(theirs / ours)
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
