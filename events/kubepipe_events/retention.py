"""Ended DatasetRuns go after a while; their claims stay, so nothing is run again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from kubepipe_events.resources import Resource
from kubepipe_events.status import ENDED, parse_time
from kubepipe_events.world import World


def remove_old(world: World, resources: Iterable[Resource], keep_seconds: int) -> int:
    """Remove DatasetRuns that ended longer ago, but for those that wait for a decision or another run; how many."""
    before = world.now() - timedelta(seconds=keep_seconds)
    removed = 0
    for resource in resources:
        finished = resource.status.get("finishedAt")
        is_asked = resource.spec.get("rerun", 0) > resource.status.get("reruns", 0)
        waits = is_asked or resource.status.get("verdict") == "needs_human"
        if resource.status.get("phase") in ENDED and finished and not waits and parse_time(finished) < before:
            world.runs.delete(resource.name)
            removed += 1
    return removed
