"""The controller's loop: who is visited when.

One thread visits, in order of arrival, so there is nothing to lock. What it knows comes from the API's watch and, at
the start and at every sweep, from a full listing; what it knows of claims comes from the visits.
"""

from __future__ import annotations

import functools
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from kubepipe.errors import IntegrityError, KubePipeError
from kubepipe.records.claim import open_claims, read_claim
from kubepipe_events.agenda import Agenda, Entry
from kubepipe_events.case import Visit
from kubepipe_events.known import claim_of_status
from kubepipe_events.metrics import Metrics
from kubepipe_events.outages import FIRST_PAUSE_SECONDS, Outages
from kubepipe_events.reconcile import Reconciler
from kubepipe_events.resources import Resource
from kubepipe_events.start import Turn
from kubepipe_events.status import is_true, parse_time, timestamp
from kubepipe_events.world import outage_of, words_of

_LOG = structlog.get_logger(__name__)
_IDLE_SECONDS: Final = 1.0
_MEASURE_SECONDS: Final = 1.0
_LONGEST_ERROR_PAUSE: Final = 300.0


@dataclass(slots=True)
class _Gone:
    """A DatasetRun that was deleted, as it was seen last, and when its run is to be stopped."""

    resource: Resource | None
    due: float = 0.0
    errors: int = 0


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
        self._agenda = Agenda()
        self._gone: dict[str, _Gone] = {}
        self._outages = Outages()
        self._measured = 0.0
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
        return self._agenda.names()

    def resources(self) -> list[Resource]:
        """The DatasetRuns that are known."""
        return [entry.resource for entry in self._agenda.entries()]

    def run(self, stop: threading.Event) -> None:
        """Visit until told to stop."""
        while not stop.is_set():
            pause = self.turn(self._pause())
            if pause:
                stop.wait(pause)

    def turn(self, seconds: float = 0.0) -> float:
        """Take in what was seen, waiting for it at most so long, and make one visit if one is due."""
        rest = 0.0
        try:
            if self._listing.is_set():
                self._compare()
                self._listing.clear()
                self.ready.set()
            self._take_in(seconds)
            self._forget_gone()
            entry = self._agenda.pop(has_slot=self._has_slot())
            if entry is not None:
                self._visit(entry)
        except Exception as error:  # noqa: BLE001 - whatever it is, the loop goes on after a pause
            self._note(error, "loop")
            # What was seen may be lost with it: compare again.
            self._listing.set()
            rest = max(self._outages.over_at() - time.monotonic(), FIRST_PAUSE_SECONDS)
        if time.monotonic() - self._measured >= _MEASURE_SECONDS:
            self._measure()
        return rest

    def _compare(self) -> None:
        """Take over what is listed; an open claim without a DatasetRun had it deleted while nobody watched."""
        listed = {resource.name: resource for resource in self._world.runs.list()}
        for resource in listed.values():
            self._update(resource)
        for name in self._agenda.names() - set(listed):
            self._agenda.remove(name)
        for name in list(open_claims(self._world.store)):
            entry = self._agenda.get(name)
            if entry is None:
                self._gone.setdefault(name, _Gone(None))
            elif entry.is_over:
                self._attempt(functools.partial(self._reconciler.tidy, name), name)

    def _take_in(self, seconds: float) -> None:
        """Take in what was seen; wait for it at most so long."""
        while True:
            try:
                kind, resource = self._seen.get(timeout=seconds) if seconds > 0 else self._seen.get_nowait()
            except queue.Empty:
                return
            seconds = 0.0
            if kind == "DELETED":
                self._agenda.remove(resource.name)
                self._gone[resource.name] = _Gone(resource)
            else:
                self._update(resource)

    def _update(self, resource: Resource) -> None:
        entry = self._agenda.get(resource.name)
        if entry is not None and entry.resource.uid != resource.uid:
            # It was deleted and made anew, and only the second was seen.
            self._gone[resource.name] = _Gone(entry.resource)
            self._agenda.remove(resource.name)
            entry = None
        if entry is None:
            claim, is_due = claim_of_status(resource)
            self._agenda.put(Entry(resource, claim, time.monotonic() if is_due else None))
            return
        is_changed = resource.generation != entry.resource.generation
        entry.resource = resource
        if is_changed:
            entry.due = time.monotonic()
            self._agenda.put(entry)

    def _forget_gone(self) -> None:
        """Stop what was deleted."""
        now = time.monotonic()
        for name in [name for name, gone in self._gone.items() if gone.due <= now]:
            self._forget(name)

    def _forget(self, name: str) -> bool:
        """Stop what was deleted under a name; whether that is done."""
        gone = self._gone[name]
        if self._attempt(lambda: self._reconciler.forget(name, gone.resource), name):
            del self._gone[name]
            return True
        gone.errors += 1
        gone.due = max(time.monotonic() + _error_pause(gone.errors), self._outages.over_at())
        return False

    def _attempt(self, work: Callable[[], None], where: str) -> bool:
        """Whether some work for one DatasetRun went through; if not, the others go on."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - one DatasetRun never stops the others
            self._note(error, where)
            return False
        return True

    def _has_slot(self, entry: Entry | None = None) -> bool:
        """Whether one more can be started; a slot that the entry has already is its own."""
        is_free = self._agenda.slots_taken(besides=entry) < self._config.limits.concurrent_runs
        return is_free and not self._outages.away()

    def _visit(self, entry: Entry) -> None:
        away = self._outages.away()
        is_claimed = entry.claim is not None
        if away and (is_claimed or away != ["pipelines"]):
            entry.due = self._outages.over_at()
        elif entry.name in self._gone and not self._forget(entry.name):
            entry.due = self._gone[entry.name].due
        else:
            self._do(entry)
        if self._agenda.get(entry.name) is entry:
            self._agenda.put(entry)

    def _do(self, entry: Entry) -> None:
        used_pipelines = entry.is_submitted
        turn = self._turn(entry)
        try:
            visit = self._reconciler.visit(entry.resource, turn)
        except Exception as error:  # noqa: BLE001 - one DatasetRun never stops the others
            self._break_off(entry, error, may_have_started=turn.may_start)
            return
        entry.errors, entry.is_unsure = 0, False
        self._outages.answered("store", "kubernetes")
        if visit.claim is None:
            self._metrics.rejected.labels(reason="ignored").inc()
            self._agenda.remove(entry.name)
            return
        if used_pipelines or visit.claim.state == "submitted":
            self._outages.answered("pipelines")
        if visit.retried:
            self._metrics.attempts.labels(cause=visit.retried).inc()
        if visit.claim.state == "submitted" and not entry.is_submitted:
            self._metrics.submit.observe(self._seconds_since(entry.resource.created))
        entry.claim = visit.claim
        entry.due = None if visit.again is None else time.monotonic() + visit.again
        self._watch_progress(entry, visit)

    def _break_off(self, entry: Entry, error: Exception, *, may_have_started: bool) -> None:
        """A visit that did not come to its end is made again; a person sees why when it is no outage."""
        self._note(error, entry.name)
        if outage_of(error) is not None:
            entry.is_unsure, entry.due = may_have_started, self._outages.over_at()
            return
        if not isinstance(error, IntegrityError):
            self._attempt(functools.partial(self._reread, entry), entry.name)
        entry.errors += 1
        entry.due = time.monotonic() + _error_pause(entry.errors)
        if entry.errors == 1:
            self._attempt(lambda: self._reconciler.block(entry.resource, error), entry.name)

    def _reread(self, entry: Entry) -> None:
        """What the claim says after a visit that broke off, perhaps behind the submission."""
        entry.claim, entry.is_unsure = read_claim(self._world.store, entry.name), False

    def _turn(self, entry: Entry) -> Turn:
        others, own = self._agenda.others_of_schedule(entry), entry.schedule
        tick = str(own.get("tick", ""))
        later = [each for each in others if _tick(each) > tick and each.schedule.get("concurrencyPolicy") == "Replace"]
        forbids = own.get("concurrencyPolicy", "Forbid") == "Forbid"
        earlier = [each for each in others if _tick(each) < tick and forbids]
        first = self._agenda.first_waiting()
        return Turn(
            may_start=self._has_slot(entry) and (first is None or entry.order <= first.order),
            replaced_by=later[0].name if later else None,
            held_by=earlier[0].name if earlier else None,
        )

    def _watch_progress(self, entry: Entry, visit: Visit) -> None:
        now, place = time.monotonic(), f"{visit.status.get('phase')} {visit.status.get('step')}"
        is_stuck = is_true(visit.status.get("conditions", ()), "Stuck")
        if entry.progress[1] != place or visit.claim is None or not entry.is_submitted:
            is_first = not entry.progress[1]
            entry.progress = (now, place)
            if is_stuck and not is_first and visit.claim is not None and entry.is_submitted:
                entry.claim = self._reconciler.free(entry.resource, visit.claim)
            return
        seconds = self._config.notifications.stuck_after_seconds
        if not is_stuck and now - entry.progress[0] >= seconds:
            words = f"no progress for {seconds:.0f} s at {visit.status.get('step') or 'its start'}"
            entry.claim = self._reconciler.stick(entry.resource, visit.claim, words)

    def _note(self, error: Exception, where: str) -> None:
        part = outage_of(error)
        if part is None:
            said = error.one_line() if isinstance(error, KubePipeError) else words_of(error)
            _LOG.error("visit failed", at=where, error=said)
            return
        _LOG.warning("away", part=part, at=where, error=words_of(error), again_in=self._outages.note(part))

    def _seconds_since(self, created: str) -> float:
        return max((self._world.now() - parse_time(created or timestamp(self._world.now()))).total_seconds(), 0.0)

    def _measure(self) -> None:
        self._measured = time.monotonic()
        entries = self._agenda.entries()
        waiting = [each for each in entries if not (each.is_over or each.is_submitted or each.is_suspended)]
        oldest = min((each.resource.created for each in waiting), default="")
        self._metrics.show(
            phases=[each.resource.status.get("phase", "Pending") for each in entries],
            queue=len(waiting),
            oldest_seconds=self._seconds_since(oldest) if oldest else 0.0,
            pipelines_up=not self._outages.failed_last("pipelines"),
        )

    def _pause(self) -> float:
        """Seconds until something is due."""
        if self._listing.is_set() or (self._has_slot() and self._agenda.first_waiting() is not None):
            return 0.0
        dues = [gone.due for gone in self._gone.values()]
        if (entry := self._agenda.next_due()) is not None and entry.due is not None:
            dues.append(entry.due)
        return min([_IDLE_SECONDS, *(max(due - time.monotonic(), 0.0) for due in dues)])


def _error_pause(errors: int) -> float:
    return min(2.0 ** min(errors, 10), _LONGEST_ERROR_PAUSE)


def _tick(entry: Entry) -> str:
    return str(entry.schedule.get("tick", ""))
