"""What a person decided when the privacy gate asked for one."""

from __future__ import annotations

from dataclasses import dataclass

from kubepipe.records.approval import Approval, write_approval
from kubepipe.records.claim import Claim
from kubepipe.settings import parse_settings, settings_digest
from kubepipe_events.resources import Resource
from kubepipe_events.status import timestamp
from kubepipe_events.world import World


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that was taken up.

    Attributes:
        verdict: approved or rejected.
        by: Who, as the Kubernetes API knows the person.
        words: The same for a person to read.
    """

    verdict: str
    by: str
    words: str


def take_decision(world: World, resource: Resource, claim: Claim) -> Decision | None:
    """Record the decision on a data set that waits for one; None when there is nothing to decide or no decision yet.

    The approval lies where steps behind the gate cannot write, and names the data set and the policy by digest: the
    gate of the next attempt looks for one that fits what it measured itself.
    """
    given = resource.spec.get("decision")
    if not given or claim.run is None or claim.status.get("verdict") != "needs_human":
        return None
    if given["datasetDigest"] != claim.status.get("datasetDigest"):
        return None
    parameters = world.kfp.run(claim.run)["runtime_config"]["parameters"]
    approval = Approval(
        run=claim.run,
        dataset_digest=given["datasetDigest"],
        policy_digest=settings_digest(parse_settings(parameters["settings"]), ["privacy"]),
        verdict=given["verdict"],
        by=given["by"],
        at=given.get("at") or timestamp(world.now()),
        reason=given.get("reason", ""),
    )
    write_approval(world.quarantine, approval)
    return Decision(given["verdict"], given["by"], f"{given['verdict']} by {given['by']}")
