"""A world in memory: a store, KFP, the Kubernetes API and the bucket, with faults that can be provoked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kubepipe.pipeline.kfp_api import KfpError
from kubepipe.records.claim import take_claim
from kubepipe.records.step import Failure, StepRecord, write_step_record
from kubepipe_events.identity import Source
from kubepipe_events.resources import Resource
from kubepipe_events.settings import parse_beside
from kubepipe_events.world import World

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class MemoryStore:
    """Objects in a dictionary; each call is one atomic step, as in S3."""

    url = "memory:"

    def __init__(self, before: Callable[[str], None] = lambda what: None) -> None:
        self.objects: dict[str, bytes] = {}
        self.before = before

    def read(self, key: str) -> bytes | None:
        self.before(f"read {key}")
        return self.objects.get(key)

    def write(self, key: str, data: bytes) -> None:
        self.before(f"write {key}")
        self.objects[key] = data

    def create(self, key: str, data: bytes) -> bool:
        self.before(f"create {key}")
        if key in self.objects:
            return False
        self.objects[key] = data
        return True

    def delete(self, key: str) -> None:
        self.before(f"delete {key}")
        self.objects.pop(key, None)

    def erase(self, key: str) -> None:
        self.before(f"erase {key}")
        self.objects.pop(key, None)

    def keys(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

    def download(self, key: str, target: Path) -> bool:
        raise NotImplementedError

    def upload(self, source: Path, key: str) -> None:
        raise NotImplementedError


class MemoryKfp:
    """Runs by id; a run does nothing until a test lets it."""

    def __init__(self, before: Callable[[str], None] = lambda what: None) -> None:
        self.started: dict[str, dict[str, Any]] = {}
        self.before = before
        self.is_down = False
        self.pipeline: str | None = "pipeline-1"
        self._ids = itertools.count(1)

    def _reached(self, what: str) -> None:
        self.before(what)
        if self.is_down:
            raise KfpError("the KFP API cannot be reached", place="memory")

    def pipeline_id(self, name: str) -> str | None:
        self._reached(f"pipeline {name}")
        return self.pipeline

    def create_run(self, name: str, pipeline: str, parameters: Mapping[str, Any]) -> str:
        self._reached(f"submit {name}")
        run = f"run-{next(self._ids)}"
        self.started[run] = {
            "run_id": run, "display_name": name, "state": "PENDING",
            "runtime_config": {"parameters": dict(parameters)},
        }  # fmt: skip
        return run

    def runs_named(self, name: str) -> list[dict[str, Any]]:
        self._reached(f"find {name}")
        return [run for run in self.started.values() if run["display_name"] == name]

    def run(self, run: str) -> dict[str, Any]:
        self._reached(f"look at {run}")
        if run not in self.started:
            raise KfpError("GET answers 404", place="memory", status=404)
        return self.started[run]

    def terminate(self, run: str) -> None:
        self._reached(f"terminate {run}")
        self.started[run]["state"] = "FAILED"


class MemoryRuns:
    """DatasetRuns as the Kubernetes API keeps them."""

    namespace = "memory"

    def __init__(self, before: Callable[[str], None] = lambda what: None) -> None:
        self.bodies: dict[str, dict[str, Any]] = {}
        self.told: list[tuple[str, str]] = []
        self.before = before
        self._ids = itertools.count(1)

    def list(self, selector: str = "") -> Iterator[Resource]:
        return iter([Resource.of(body) for body in self.bodies.values()])

    def get(self, name: str) -> Resource | None:
        body = self.bodies.get(name)
        return Resource.of(body) if body else None

    def create(self, name: str, spec: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> bool:
        self.before(f"make {name}")
        if name in self.bodies:
            return False
        number = next(self._ids)
        created = (START + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
        about = {"name": name, "uid": f"uid-{number}", "creationTimestamp": created, "generation": 1}
        self.bodies[name] = {"metadata": about, "spec": {"trigger": "upload", "rerun": 0, **spec}, "status": {}}
        return True

    def patch_spec(self, name: str, spec: Mapping[str, Any]) -> bool:
        self.bodies[name]["spec"] |= spec
        self.bodies[name]["metadata"]["generation"] += 1
        return True

    def write_status(self, name: str, status: Mapping[str, Any]) -> bool:
        self.before(f"status {name}")
        if name not in self.bodies:
            return False
        merged = self.bodies[name]["status"] | dict(status)
        self.bodies[name]["status"] = {key: value for key, value in merged.items() if value is not None}
        return True

    def delete(self, name: str) -> None:
        self.bodies.pop(name, None)

    def tell(self, resource: Resource, kind: str, reason: str, message: str) -> None:
        self.told.append((resource.name, reason))


class MemoryArrivals:
    """The bucket for incoming data: versions of objects, newest last, and files beside them."""

    def __init__(self) -> None:
        self.objects: list[Source] = []
        self.deleted: set[str] = set()
        self.files: dict[str, bytes] = {}

    def put(self, key: str, content: str = "x", size: int = 10) -> Source:
        version = f"v{len(self.objects) + 1}"
        source = Source.make("incoming", key, version, f"etag-{content}", size)
        self.objects.append(source)
        self.deleted.discard(key)
        return source

    def find(self, source: Source) -> Source | None:
        known = [each for each in self.objects if (each.key, each.version_id) == (source.key, source.version_id)]
        return known[0] if known and source.key not in self.deleted else None

    def newest(self, bucket: str, key: str) -> Source | None:
        known = [each for each in self.objects if each.key == key and key not in self.deleted]
        return known[-1] if known else None

    def versions(self, bucket: str) -> Iterator[Source]:
        return iter([each for each in self.objects if each.key not in self.deleted])

    def beside(self, source: Source) -> dict[str, Any]:
        data = self.files.get(source.key.rpartition("/")[0])
        return parse_beside(data) if data is not None else {}


class MemoryWorld:
    """All of it, and what a test does to it.

    Args:
        before: Called before each effect with its words; raises to make it fail.
    """

    def __init__(self, before: Callable[[str], None] = lambda what: None) -> None:
        self.store = MemoryStore(before)
        self.quarantine = MemoryStore(before)
        self.kfp = MemoryKfp(before)
        self.runs = MemoryRuns(before)
        self.arrivals = MemoryArrivals()
        self.notices: list[tuple[str, str, str]] = []
        self.failure: Failure | None = None
        self.time = START

    def world(self) -> World:
        return World(
            store=self.store,
            quarantine=self.quarantine,
            arrivals=self.arrivals,  # type: ignore[arg-type]
            kfp=self.kfp,
            runs=self.runs,  # type: ignore[arg-type]
            settle=self.settle,
            post=lambda name, kind, words: self.notices.append((name, kind, words)),
            now=lambda: self.time,
        )

    def settle(self, run: str) -> None:
        """What the engine knows of a failed run becomes its record."""
        if self.failure is not None and f"runs/{run}/prepare-data.json" not in self.store.objects:
            self.record(run, "prepare-data", error=self.failure)

    def drop(self, key: str = "a.jsonl", content: str = "x", size: int = 10) -> Source:
        """An object arrives and its DatasetRun is made."""
        source = self.arrivals.put(key, content, size)
        self.runs.create(source.name, {"source": source.spec()})
        return source

    def fence(self, run: str) -> None:
        """The first step of a run takes the fence."""
        take_claim(self.store, self.kfp.started[run]["runtime_config"]["parameters"]["source"], run)

    def record(self, run: str, step: str, *, error: Failure | None = None, **results: Any) -> None:
        """A step of a run leaves its record."""
        write_step_record(self.store, step_record(run, step, results, error))

    def finish(self, run: str) -> None:
        """A run goes to its end and publishes."""
        self.fence(run)
        for name, results in {
            "prepare-data": {},
            "benchmark-model": {
                side: {"exact_match": value, "f1": value + 10} for side, value in (("untuned", 1.0), ("tuned", 50.0))
            },
            "publish-model": {"published": True},
        }.items():
            self.record(run, name, **results)
        self.kfp.started[run]["state"] = "SUCCEEDED"


def step_record(run: str, step: str, results: Mapping[str, Any], error: Failure | None = None) -> StepRecord:
    """A record of a step."""
    return StepRecord(
        run=run,
        step=step,
        status="failed" if error else "succeeded",
        started_at="2026-03-01T12:00:01+00:00",
        finished_at="2026-03-01T12:00:02+00:00",
        seconds=1.0,
        cpu_seconds=1.0,
        peak_rss_bytes=1000,
        energy={"energy_kwh": 0.001, "gco2e": 0.4},
        memo_key=f"sha256:{'0' * 64}",
        settings_digest=f"sha256:{'0' * 64}",
        results=dict(results),
        error=error,
    )
