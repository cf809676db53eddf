"""What a status tells of its claim: a controller that begins knows its queue without reading any claim."""

from __future__ import annotations

from dataclasses import replace

from kubepipe.records.claim import Claim
from kubepipe_events.decisions import is_due
from kubepipe_events.resources import Resource
from kubepipe_events.status import ENDED, is_true


def claim_of_status(resource: Resource) -> tuple[Claim | None, bool]:
    """The claim as far as the status tells it, or None; and whether a visit is due now.

    What it says can be older than the claim, and a visit reads the claim anyway: it only decides who takes a slot, who
    waits for one, and who needs no visit.
    """
    status, source = resource.status, resource.source
    claim = Claim(resource.name, source.bucket, source.key, status=status, attempt=max(status.get("attempts", 1), 1))
    is_seen = (
        status.get("observedGeneration") == resource.generation
        and resource.spec.get("rerun", 0) <= status.get("reruns", 0)
        and not is_true(status.get("conditions", ()), "Blocked")
        and not is_due(resource, claim)
    )
    if status.get("phase") in ENDED and is_seen:
        return replace(claim, state="ended"), False
    if status.get("phase") in {"Submitted", "Running"}:
        return replace(claim, state="submitted"), True
    is_queued = any(each["type"] == "Submitted" and each["reason"] == "Queued" for each in status.get("conditions", ()))
    if status.get("phase") == "Pending" and is_seen and is_queued and not status.get("nextAttemptAt"):
        return claim, False
    return None, True
