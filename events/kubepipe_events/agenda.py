"""Who is visited next: by time, or in order of arrival as soon as a slot is free.

What has ended takes no time here: neither ten thousand settled DatasetRuns nor ten thousand that wait are gone through
to find the next one.
"""

from __future__ import annotations

import heapq
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from kubepipe.records.claim import Claim
from kubepipe_events.resources import Resource


@dataclass(slots=True, eq=False)
class Entry:
    """What the loop knows of a DatasetRun.

    Attributes:
        resource: As the API has it.
        claim: As the last visit left it, or as the status tells it before the first visit; None when that is not known.
        due: Monotonic time of the next visit; None waits for a change or for a slot.
        is_unsure: Whether an outage broke off a visit that could have submitted it: it keeps its slot until the next.
        progress: Monotonic time of the last change of phase or step, and what they were.
        errors: Visits in a row that broke off, outages left out.
        stamp: Number of the plan that holds.
    """

    resource: Resource
    claim: Claim | None = None
    due: float | None = None
    is_unsure: bool = False
    progress: tuple[float, str] = field(default_factory=lambda: (time.monotonic(), ""))
    errors: int = 0
    stamp: int = 0

    @property
    def name(self) -> str:
        """Name of the DatasetRun."""
        return self.resource.name

    @property
    def order(self) -> tuple[str, str]:
        """What comes first is run first."""
        return self.resource.created, self.resource.name

    @property
    def is_over(self) -> bool:
        """Whether it has ended and nothing new is asked."""
        return self.claim is not None and not self.claim.is_open

    @property
    def is_submitted(self) -> bool:
        """Whether it takes a slot."""
        return self.claim is not None and self.claim.state == "submitted"

    @property
    def waits_for_slot(self) -> bool:
        """Whether a free slot is all that it waits for."""
        is_claimed = self.claim is not None and self.claim.state == "claimed"
        return is_claimed and self.due is None and not self.is_suspended

    @property
    def is_suspended(self) -> bool:
        """Whether a person holds it back."""
        return bool(self.resource.spec.get("suspend"))

    @property
    def schedule(self) -> dict[str, Any]:
        """The tick that made it; empty when none did."""
        return dict(self.resource.spec.get("schedule") or {})


class Agenda:
    """All entries, and the order of their visits; the loop's thread changes them, others only list them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._ticks: dict[str, set[str]] = {}
        self._submitted: set[str] = set()
        self._times: list[tuple[float, tuple[str, str], int]] = []
        self._waiting: list[tuple[tuple[str, str], int]] = []

    def get(self, name: str) -> Entry | None:
        """The entry of a DatasetRun."""
        return self._entries.get(name)

    def entries(self) -> list[Entry]:
        """All of them."""
        with self._lock:
            return list(self._entries.values())

    def names(self) -> frozenset[str]:
        """Names of all of them."""
        with self._lock:
            return frozenset(self._entries)

    def put(self, entry: Entry) -> None:
        """Take in an entry, or what has changed in one: claim, due and resource decide when its turn is."""
        with self._lock:
            self._entries[entry.name] = entry
        if schedule := entry.schedule.get("name"):
            self._ticks.setdefault(schedule, set()).add(entry.name)
        if entry.is_submitted or entry.is_unsure:
            self._submitted.add(entry.name)
        else:
            self._submitted.discard(entry.name)
        entry.stamp += 1
        if entry.due is not None:
            heapq.heappush(self._times, (entry.due, entry.order, entry.stamp))
        elif entry.waits_for_slot:
            heapq.heappush(self._waiting, (entry.order, entry.stamp))

    def remove(self, name: str) -> Entry | None:
        """Forget an entry."""
        with self._lock:
            entry = self._entries.pop(name, None)
        self._submitted.discard(name)
        if entry is not None and (schedule := entry.schedule.get("name")):
            self._ticks[schedule].discard(name)
        return entry

    def others_of_schedule(self, entry: Entry) -> list[Entry]:
        """Other ticks of the same schedule that have not ended."""
        names = self._ticks.get(entry.schedule.get("name", ""), set()) - {entry.name}
        return [self._entries[name] for name in sorted(names) if not self._entries[name].is_over]

    def slots_taken(self, besides: Entry | None = None) -> int:
        """How many take a slot, one of them left out."""
        return len(self._submitted) - (besides is not None and besides.name in self._submitted)

    def first_waiting(self) -> Entry | None:
        """The one that has waited longest for a slot."""
        while self._waiting:
            order, stamp = self._waiting[0]
            entry = self._entries.get(order[1])
            if entry is not None and entry.stamp == stamp:
                return entry
            heapq.heappop(self._waiting)
        return None

    def next_due(self) -> Entry | None:
        """The one whose visit is due first, whether it is time or not."""
        while self._times:
            _, order, stamp = self._times[0]
            entry = self._entries.get(order[1])
            if entry is not None and entry.stamp == stamp:
                return entry
            heapq.heappop(self._times)
        return None

    def pop(self, *, has_slot: bool) -> Entry | None:
        """Whose turn it is; it is put again after its visit."""
        # A free slot does not stay empty while thousands of new ones are claimed.
        if has_slot and (waiting := self.first_waiting()) is not None:
            heapq.heappop(self._waiting)
            return waiting
        if (due := self.next_due()) is not None and (due.due or 0.0) <= time.monotonic():
            heapq.heappop(self._times)
            return due
        return None
