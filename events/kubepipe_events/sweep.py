"""The sweep: compares the bucket with the claims, and makes the DatasetRuns that no notification made."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

import structlog

from kubepipe.records.claim import claimed_names
from kubepipe_events.config import Rule
from kubepipe_events.identity import Source
from kubepipe_events.resources import KubernetesError
from kubepipe_events.rules import judge
from kubepipe_events.world import World

_LOG = structlog.get_logger(__name__)


def sweep(world: World, bucket: str, rules: Sequence[Rule], known: Collection[str]) -> int:
    """Make a DatasetRun for every version of an object that has neither one nor a claim; how many.

    Args:
        world: Everything outside.
        bucket: Bucket for incoming data.
        rules: Which objects are data sets.
        known: Names of the DatasetRuns that are there.
    """
    began, looked_at, found, refused = time.monotonic(), 0, 0, 0
    # A claim that is made after this line belongs to a version that is made twice at worst, to no harm.
    names = {*claimed_names(world.store), *known}
    for source in world.arrivals.versions(bucket):
        looked_at += 1
        if source.name in names or judge(rules, source.key, source.size).action == "ignore":
            continue
        try:
            found += make(world, source, "sweep")
        except KubernetesError as error:
            if error.is_outage:
                raise
            # One that the API refuses does not hide those behind it.
            refused += 1
    _LOG.info("sweep", objects=looked_at, found=found, refused=refused, seconds=round(time.monotonic() - began, 3))
    return found


def make(world: World, source: Source, trigger: str) -> bool:
    """Make the DatasetRun of a version; False when it is there already."""
    return world.runs.create(source.name, {"source": source.spec(), "trigger": trigger})
