"""Ended DatasetRuns go after a while; their claims stay, so nothing is run again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from kubepipe_events.config import EventsConfig
from kubepipe_events.outcome import KEPT
from kubepipe_events.resources import Resource
from kubepipe_events.status import ENDED, parse_time
from kubepipe_events.world import World


def remove_old(world: World, resources: Iterable[Resource], config: EventsConfig) -> int:
    """Remove DatasetRuns that ended longer ago, but for those that another run was asked of; how many.

    What the privacy gate keeps has a time of its own. Its key goes with its DatasetRun (Reconciler.forget): when nobody
    has decided until then, nobody can open the data any more.
    """
    removed = 0
    for resource in resources:
        finished = resource.status.get("finishedAt")
        is_asked = resource.spec.get("rerun", 0) > resource.status.get("reruns", 0)
        if resource.status.get("phase") not in ENDED or not finished or is_asked:
            continue
        is_kept = resource.status.get("verdict") in KEPT
        seconds = config.quarantine_seconds if is_kept else config.keep_seconds
        is_old = parse_time(finished) < world.now() - timedelta(seconds=seconds)
        if is_old and not (is_kept and seconds == 0):
            world.runs.delete(resource.name)
            removed += 1
    return removed
