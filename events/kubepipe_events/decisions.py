"""What a person decided about data that the privacy gate keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from kubepipe.records.approval import Approval, write_approval
from kubepipe.records.claim import Claim
from kubepipe.settings import parse_settings, settings_digest
from kubepipe_events.resources import Resource
from kubepipe_events.status import timestamp
from kubepipe_events.world import World

OPENS: Final = frozenset({"approved", "released"})
"""Decisions after which another attempt is made."""
_POSSIBLE: Final[dict[str, frozenset[str]]] = {
    "needs_human": frozenset({"approved", "rejected"}),
    "quarantined": frozenset({"released", "rejected"}),
}
"""What can be decided, by the verdict that a claim has."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that was taken up.

    Attributes:
        verdict: approved, released or rejected.
        by: Who, as the Kubernetes API knows the person.
        words: The same for a person to read.
    """

    verdict: str
    by: str
    words: str


def is_due(resource: Resource, claim: Claim) -> bool:
    """Whether a decision fits what is kept and was not taken up yet: a gate that refuses again is asked once."""
    given, status = resource.spec.get("decision"), claim.status
    if not given or given["verdict"] not in _POSSIBLE.get(str(status.get("verdict")), ()):
        return False
    return given["datasetDigest"] == status.get("datasetDigest") and not is_taken(resource, claim)


def is_taken(resource: Resource, claim: Claim) -> bool:
    """Whether the decision that stands was taken up."""
    given = resource.spec.get("decision") or {}
    waiting = next((each for each in claim.status.get("conditions", ()) if each["type"] == "AwaitingDecision"), None)
    return waiting is not None and waiting["status"] == "False" and waiting["reason"].lower() == given.get("verdict")


def take_decision(world: World, resource: Resource, claim: Claim) -> Decision | None:
    """Record the decision on a data set that is kept; None when there is nothing to decide or no decision yet.

    The approval lies where steps behind the gate cannot write, and names the data set and the policy by digest: the
    gate of the next attempt looks for one that fits what it measured itself. A release names the rules that it
    overrules besides; which of them may be overruled at all is the gate's to say.
    """
    if claim.run is None or not is_due(resource, claim):
        return None
    given = resource.spec["decision"]
    parameters = world.kfp.run(claim.run)["runtime_config"]["parameters"]
    is_release = given["verdict"] == "released"
    verdict: Literal["approved", "rejected"] = "approved" if given["verdict"] in OPENS else "rejected"
    approval = Approval(
        run=claim.run,
        dataset_digest=given["datasetDigest"],
        policy_digest=settings_digest(parse_settings(parameters["settings"]), ["privacy"]),
        verdict=verdict,
        by=given["by"],
        at=given.get("at") or timestamp(world.now()),
        reason=given.get("reason", ""),
        overrules=tuple(given.get("rules", ())) if is_release else (),
    )
    write_approval(world.quarantine, approval)
    return Decision(given["verdict"], given["by"], f"{given['verdict']} by {given['by']}")
