"""Whether a run goes on: stuck is one whose phase and step have not changed for a while."""

from __future__ import annotations

import time

from kubepipe_events.agenda import Entry
from kubepipe_events.case import Visit
from kubepipe_events.reconcile import Reconciler
from kubepipe_events.status import is_true


def watch_progress(reconciler: Reconciler, entry: Entry, visit: Visit) -> None:
    """Keep and tell that a submitted one is stuck, or goes on again."""
    if visit.claim is None or not entry.is_submitted:
        entry.progress = (time.monotonic(), "")
        return
    now, place = time.monotonic(), f"{visit.status.get('phase')} {visit.status.get('step')}"
    is_stuck = is_true(visit.status.get("conditions", ()), "Stuck")
    if entry.progress[1] != place:
        # The first look of a controller that has just begun is no progress.
        goes_on = bool(entry.progress[1])
        entry.progress = (now, place)
        if is_stuck and goes_on:
            entry.claim = reconciler.free(entry.resource, visit.claim)
        return
    seconds = reconciler.config.notifications.stuck_after_seconds
    if not is_stuck and now - entry.progress[0] >= seconds:
        words = f"no progress for {seconds:.0f} s at {visit.status.get('step') or 'its start'}"
        entry.claim = reconciler.stick(entry.resource, visit.claim, words)
