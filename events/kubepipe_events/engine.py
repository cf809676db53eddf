"""The controller's loop: who is visited when.

One thread visits, in order of arrival, so there is nothing to lock. What it knows comes from the API's watch and, at
the start and at every sweep, from a full listing; what it knows of claims comes from the store.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import structlog

from kubepipe.errors import KubePipeError
from kubepipe.records.claim import Claim, open_claims, read_claim
from kubepipe_events.case import Visit
from kubepipe_events.metrics import Metrics
from kubepipe_events.reconcile import Reconciler
from kubepipe_events.resources import Resource
from kubepipe_events.start import Turn
from kubepipe_events.status import ENDED, parse_time, timestamp, with_condition
from kubepipe_events.world import outage_of, words_of

_LOG = structlog.get_logger(__name__)
_IDLE_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0


@dataclass(slots=True)
class Entry:
    """What the loop knows of a DatasetRun.

    Attributes:
        resource: As the API has it.
        claim: As the last visit left it; None before the first visit.
        due: Monotonic time of the next visit; None waits for a change or for a slot.
        progress: Monotonic time of the last change of phase or step, and what they were.
        is_stuck: Whether it was called stuck.
    """

    resource: Resource
    claim: Claim | None = None
    due: float | None = 0.0
    progress: tuple[float, str] = field(default_factory=lambda: (time.monotonic(), ""))
    is_stuck: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended and nothing new is asked."""
        return self.claim is not None and not self.claim.is_open

    @property
    def is_submitted(self) -> bool:
        """Whether it takes a slot."""
        return self.claim is not None and self.claim.state == "submitted"

    @property
    def schedule(self) -> str | None:
        """Name of the schedule that made it."""
        return (self.resource.spec.get("schedule") or {}).get("name")


class Engine:
    """Visits DatasetRuns.

    Args:
        reconciler: What a visit does.
        metrics: What is told to Prometheus.
    """

    def __init__(self, reconciler: Reconciler, metrics: Metrics) -> None:
        self._reconciler = reconciler
        self._world = reconciler.world
        self._config = reconciler.config
        self._metrics = metrics
        self._seen: queue.SimpleQueue[tuple[str, Resource]] = queue.SimpleQueue()
        self._entries: dict[str, Entry] = {}
        self._outages: dict[str, tuple[float, float]] = {}
        self._listing = threading.Event()
        self._listing.set()
        self.ready = threading.Event()

    def observe(self, kind: str, resource: Resource) -> None:
        """Take in what the watch tells: kind is DELETED or anything else."""
        self._seen.put((kind, resource))

    def relist(self) -> None:
        """Ask for a comparison with a full listing."""
        self._listing.set()

    def names(self) -> frozenset[str]:
        """Names of the DatasetRuns that are known."""
        return frozenset(self._entries)

    def run(self, stop: threading.Event) -> None:
        """Visit until told to stop."""
        while not stop.is_set():
            try:
                if self._listing.is_set():
                    self._compare()
                    self._listing.clear()
                    self.ready.set()
                self._take_in(self._pause())
                for entry in self._due():
                    self._visit(entry)
                    self._take_in(0.0)
                    if stop.is_set():
                        return
            except Exception as error:  # noqa: BLE001 - whatever it is, the loop goes on after a pause
                self._note(error, "loop")
                # What was seen may be lost with it: compare again.
                self._listing.set()
                stop.wait(self._longest_pause())
            self._measure()

    def _compare(self) -> None:
        """Take over what is listed; an open claim without a DatasetRun had it deleted while nobody watched."""
        listed = {resource.name: resource for resource in self._world.runs.list()}
        for resource in listed.values():
            self._update(resource)
        for name in [name for name in self._entries if name not in listed]:
            del self._entries[name]
        for name in list(open_claims(self._world.store)):
            if name not in listed:
                self._reconciler.forget(name)
            elif self._entries[name].is_over:
                self._reconciler.tidy(name)

    def _take_in(self, seconds: float) -> None:
        """Take in what was seen; wait for it at most so long."""
        while True:
            try:
                kind, resource = self._seen.get(timeout=seconds) if seconds > 0 else self._seen.get_nowait()
            except queue.Empty:
                return
            seconds = 0.0
            if kind == "DELETED":
                self._entries.pop(resource.name, None)
                self._reconciler.forget(resource.name)
            else:
                self._update(resource)

    def _update(self, resource: Resource) -> None:
        entry = self._entries.get(resource.name)
        if entry is None:
            self._entries[resource.name] = Entry(resource, claim=self._known(resource))
            return
        if resource.generation != entry.resource.generation:
            entry.due = 0.0
        entry.resource = resource

    def _known(self, resource: Resource) -> Claim | None:
        """The claim of one that has ended before this controller began, so that thousands need no visit."""
        status = resource.status
        is_settled = (
            status.get("phase") in ENDED
            and status.get("observedGeneration") == resource.generation
            and resource.spec.get("rerun", 0) <= status.get("reruns", 0)
        )
        return read_claim(self._world.store, resource.name) if not is_settled else _ended(resource)

    def _due(self) -> Iterator[Entry]:
        """Entries to visit now, those that came first in front; those that wait for a slot as long as there is one."""
        now = time.monotonic()
        for entry in sorted(self._entries.values(), key=lambda each: (each.resource.created, each.resource.name)):
            waits = entry.claim is not None and entry.claim.state == "claimed" and entry.due is None
            if (entry.due is not None and entry.due <= now) or (waits and self._has_slot() and not _suspended(entry)):
                yield entry

    def _has_slot(self) -> bool:
        used = sum(entry.is_submitted for entry in self._entries.values())
        return used < self._config.limits.concurrent_runs and not self._is_away("pipelines")

    def _visit(self, entry: Entry) -> None:
        name = entry.resource.name
        if name not in self._entries:
            return
        away = [part for part in self._outages if self._is_away(part)]
        if away and (entry.claim is not None or away != ["pipelines"]):
            entry.due = max(self._outages[part][0] for part in away)
            return
        before = entry.claim.attempt if entry.claim is not None else 0
        try:
            visit = self._reconciler.visit(entry.resource, self._turn(entry))
        except Exception as error:  # noqa: BLE001 - one DatasetRun never stops the others
            self._note(error, name)
            entry.due = time.monotonic() + _PAUSE_SECONDS
            return
        self._outages.clear()
        if visit.claim is None:
            self._metrics.rejected.labels(reason="ignored").inc()
            del self._entries[name]
            return
        if visit.claim.attempt > max(before, 1):
            self._metrics.attempts.labels(cause="again").inc()
        if visit.claim.state == "submitted" and not entry.is_submitted:
            self._metrics.submit.observe(self._seconds_since(entry.resource.created))
        entry.claim = visit.claim
        entry.due = None if visit.again is None else time.monotonic() + visit.again
        self._watch_progress(entry, visit)

    def _turn(self, entry: Entry) -> Turn:
        others = [
            other
            for other in self._entries.values()
            if other is not entry and entry.schedule and other.schedule == entry.schedule and not other.is_over
        ]
        own = _tick(entry)
        policy = (entry.resource.spec.get("schedule") or {}).get("concurrencyPolicy", "Forbid")
        later = [each for each in others if _tick(each) > own and _policy(each) == "Replace"]
        earlier = [each for each in others if _tick(each) < own and policy == "Forbid"]
        return Turn(
            may_start=self._has_slot(),
            replaced_by=later[0].resource.name if later else None,
            held_by=earlier[0].resource.name if earlier else None,
        )

    def _watch_progress(self, entry: Entry, visit: Visit) -> None:
        now, place = time.monotonic(), f"{visit.status.get('phase')} {visit.status.get('step')}"
        if entry.progress[1] != place or not entry.is_submitted:
            entry.progress, entry.is_stuck = (now, place), False
            return
        seconds = self._config.notifications.stuck_after_seconds
        if entry.is_stuck or now - entry.progress[0] < seconds:
            return
        entry.is_stuck = True
        words = f"no progress for {seconds:.0f} s at {visit.status.get('step')}"
        name, attempt = entry.resource.name, entry.claim.attempt if entry.claim else 0
        conditions = with_condition(
            visit.status.get("conditions", ()), "Stuck", True, "NoProgress", words, self._world.now()
        )
        self._world.post(f"{name}-{attempt}-stuck", "stuck", f"DatasetRun {name}: {words}")
        self._world.runs.write_status(name, {"conditions": conditions})
        self._world.runs.tell(entry.resource, "Warning", "Stuck", words)

    def _note(self, error: Exception, where: str) -> None:
        part = outage_of(error)
        if part is None:
            said = error.one_line() if isinstance(error, KubePipeError) else words_of(error)
            _LOG.error("visit failed", at=where, error=said)
            return
        pause = min(2 * self._outages.get(part, (0.0, _PAUSE_SECONDS / 2))[1], _LONGEST_PAUSE_SECONDS)
        self._outages[part] = (time.monotonic() + pause, pause)
        _LOG.warning("away", part=part, at=where, error=words_of(error), again_in=pause)

    def _longest_pause(self) -> float:
        return max((self._outages[part][1] for part in self._outages if self._is_away(part)), default=_PAUSE_SECONDS)

    def _is_away(self, part: str) -> bool:
        return self._outages.get(part, (0.0, 0.0))[0] > time.monotonic()

    def _seconds_since(self, created: str) -> float:
        return max((self._world.now() - parse_time(created or timestamp(self._world.now()))).total_seconds(), 0.0)

    def _measure(self) -> None:
        entries = self._entries.values()
        phases = [entry.resource.status.get("phase", "Pending") for entry in entries]
        waiting = [entry for entry in entries if entry.claim is None or entry.claim.state == "claimed"]
        oldest = min((entry.resource.created for entry in waiting), default="")
        self._metrics.show(
            phases=phases,
            queue=len(waiting),
            oldest_seconds=self._seconds_since(oldest) if oldest else 0.0,
            pipelines_up="pipelines" not in self._outages,
        )

    def _pause(self) -> float:
        """Seconds until something is due."""
        dues = [entry.due - time.monotonic() for entry in self._entries.values() if entry.due is not None]
        return 0.0 if self._listing.is_set() else min([_IDLE_SECONDS, *dues])


def _ended(resource: Resource) -> Claim:
    source = resource.source
    return Claim(resource.name, source.bucket, source.key, state="ended", status=resource.status)


def _suspended(entry: Entry) -> bool:
    return bool(entry.resource.spec.get("suspend"))


def _tick(entry: Entry) -> str:
    return str((entry.resource.spec.get("schedule") or {}).get("tick", ""))


def _policy(entry: Entry) -> str:
    return str((entry.resource.spec.get("schedule") or {}).get("concurrencyPolicy", "Forbid"))
