"""What a visit is about: one DatasetRun, its claim, and what is needed to take it further."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubepipe.records.claim import Claim, write_claim
from kubepipe.sealing import mapping_name, shred
from kubepipe_events.config import EventsConfig
from kubepipe_events.decisions import is_taken
from kubepipe_events.outcome import Outcome
from kubepipe_events.resources import Resource
from kubepipe_events.status import is_true, merged, timestamp, with_condition
from kubepipe_events.world import World

_NOTICES = {"Succeeded": "success", "Failed": "failure", "Capped": "failure", "Quarantined": "quarantine"}
_CALM = frozenset({"Succeeded", "Skipped"})


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit left behind.

    Attributes:
        claim: The claim, or None when the object is no data set.
        status: The status as it is shown now.
        again: Seconds until the next visit is due; None waits for a change.
        retried: Cause for which another attempt follows; empty when none does.
    """

    claim: Claim | None
    status: Mapping[str, Any]
    again: float | None
    retried: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One DatasetRun and its claim, as a visit has them.

    Attributes:
        config: The controller's configuration.
        world: Everything outside.
        resource: The DatasetRun.
        claim: Its claim.
    """

    config: EventsConfig
    world: World
    resource: Resource
    claim: Claim

    def conditions(self, kind: str, holds: bool, reason: str, message: str) -> list[dict[str, Any]]:
        """The conditions with one of them set."""
        return with_condition(self.claim.status.get("conditions", ()), kind, holds, reason, message, self.world.now())

    def mark_stuck(self, holds: bool, reason: str, message: str) -> Claim:
        """Keep that it makes no progress, or makes some again."""
        return self.save({"conditions": self.conditions("Stuck", holds, reason, message)})

    def save(self, change: Mapping[str, Any], **fields: Any) -> Claim:
        """Write the claim with its status changed and other fields replaced."""
        claim = replace(self.claim, status=merged(self.claim.status, change), **fields)
        write_claim(self.world.store, claim)
        return claim

    def wait(self, reason: str, message: str) -> Visit:
        """Nothing is done until something changes."""
        conditions = self.conditions("Submitted", False, reason, message)
        change = {"phase": "Pending", "message": message, "conditions": conditions}
        return Visit(self.claim, merged(self.claim.status, change), None)

    def end(self, phase: str, reason: str, message: str, outcome: Outcome | None = None) -> Visit:
        """The end of a claim: notice, key, claim, in an order that loses none of them in a crash."""
        # What the gate keeps stays sealed until a person decides or its retention ends.
        is_kept = outcome is not None and outcome.is_kept
        status = merged(self.claim.status, self._last_change(phase, reason, message, outcome))
        notice = _NOTICES.get(phase)
        if notice:
            name = f"{self.claim.name}-{self.claim.attempt}-{notice}"
            self.world.post(name, notice, _words(self.claim.name, status))
        if not is_kept:
            destroy_key(self.world, self.claim.run, mapping=outcome is None or not outcome.is_done)
        claim = replace(self.claim, state="ended", next_attempt_at=None, status=status)
        write_claim(self.world.store, claim)
        kind = "Normal" if phase in _CALM else "Warning"
        self.world.runs.tell(self.resource, kind, phase, message or str(status.get("verdict", phase)))
        return Visit(claim, status, None)

    def _last_change(self, phase: str, reason: str, message: str, outcome: Outcome | None) -> dict[str, Any]:
        conditions = self.conditions("Finished", True, reason, message)
        if is_true(conditions, "Stuck"):
            conditions = with_condition(conditions, "Stuck", False, "Ended", "", self.world.now())
        # A gate that asks for the same data again was not opened by the decision: one more attempt would end the same.
        if outcome is not None and outcome.verdict == "needs_human" and not self._was_decided(outcome):
            words = "`kubepipe approve` or `kubepipe reject` decides"
            conditions = with_condition(conditions, "AwaitingDecision", True, "NeedsHuman", words, self.world.now())
        return {
            **(outcome.fields if outcome else {}),
            "phase": phase,
            "message": message or None,
            "verdict": _verdict(phase, outcome),
            "step": outcome.step if outcome and not outcome.is_done else None,
            "startedAt": outcome.started if outcome else None,
            "finishedAt": timestamp(self.world.now()),
            "nextAttemptAt": None,
            "conditions": conditions,
        }

    def _was_decided(self, outcome: Outcome) -> bool:
        given = self.resource.spec.get("decision") or {}
        digest = outcome.fields.get("datasetDigest")
        return given.get("datasetDigest") == digest and is_taken(self.resource, self.claim)


def destroy_key(world: World, run: str | None, *, mapping: bool = True) -> None:
    """From here on the sealed raw data of a run cannot be opened any more; nor, if so, its pseudonyms be led back.

    The mapping of a run that came to its end stays, for its data lives on; that of any other leads to nothing.
    """
    if not run:
        return
    shred(world.store, run)
    if mapping:
        world.quarantine.erase(mapping_name(run))


def _verdict(phase: str, outcome: Outcome | None) -> str | None:
    """What the run came to; one that ended without saying so has failed."""
    if outcome is None or phase == "Capped":
        return None
    return "failed" if outcome.verdict == "unfinished" else outcome.verdict


def _words(name: str, status: Mapping[str, Any]) -> str:
    """A notice: phase, verdict and scores; never a key or a value, for a key can name a person."""
    told = [f"DatasetRun {name}: {status['phase']}"]
    if status["phase"] != "Succeeded":
        told.append(next(each["reason"] for each in status["conditions"] if each["type"] == "Finished"))
    if status.get("verdict"):
        told.append(f"verdict {status['verdict']}")
    if status.get("f1"):
        told.append(f"F1 {status['f1']['before']} -> {status['f1']['after']}")
    if status.get("step"):
        told.append(f"at {status['step']}")
    if is_true(status["conditions"], "AwaitingDecision"):
        told.append("waits for `kubepipe approve` or `kubepipe reject`")
    return ", ".join(told)
