"""One DatasetRun, one step further: the claim decides, the status shows.

Every visit may be the last one before a crash, so each does its effects in an order that the next visit can take up:
claim before submission, submission under a name that can be found again, the claim's new state, then the status. Of two
workflows that a crash leaves for one attempt, the fence that prepare-data takes lets one go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubepipe.errors import IntegrityError, KubePipeError
from kubepipe.records.claim import Claim, clear_mark, create_claim, read_claim, write_claim
from kubepipe_events.case import Case, Visit, destroy_key
from kubepipe_events.config import EventsConfig
from kubepipe_events.decisions import OPENS, is_due, take_decision
from kubepipe_events.follow import follow, stop
from kubepipe_events.outcome import KEPT
from kubepipe_events.resources import Resource
from kubepipe_events.rules import judge
from kubepipe_events.start import OBSERVED, Turn, start
from kubepipe_events.status import cleared, difference, merged, timestamp, with_condition
from kubepipe_events.world import World, words_of


class Reconciler:
    """Takes DatasetRuns from an object to an end.

    Args:
        config: The controller's configuration.
        world: Everything outside.
    """

    def __init__(self, config: EventsConfig, world: World) -> None:
        self.config = config
        self.world = world

    def visit(self, resource: Resource, turn: Turn) -> Visit:
        """Take a DatasetRun one step further.

        Raises:
            KubePipeError: Something outside is away, or a record is not intact.
        """
        claim = read_claim(self.world.store, resource.name) or self._claim(resource)
        if claim is None:
            self.world.runs.delete(resource.name)
            return Visit(None, {}, None)
        claim = self._take_up(resource, claim)
        case = Case(self.config, self.world, resource, claim)
        if claim.is_open and turn.replaced_by:
            stop(self.world, claim)
            visit = case.end("Skipped", "Replaced", "a later tick of the schedule came")
        elif claim.state == "claimed":
            visit = start(case, turn)
        elif claim.state == "submitted":
            visit = follow(case)
        else:
            visit = Visit(claim, claim.status, None)
        self._show(resource, visit.status)
        ended = visit.claim is not None and visit.claim.state == "ended"
        if visit.claim is not None and ended and (_asks_again(resource, visit.claim) or is_due(resource, visit.claim)):
            # A rerun that was asked for, or a decision that was made, while it went on.
            return replace(visit, again=0.0)
        return visit

    def forget(self, name: str, resource: Resource | None = None) -> None:
        """Stop what goes on for a DatasetRun that was deleted; a late duplicate starts nothing again.

        Args:
            name: Its name.
            resource: What it was, when it was seen; without a claim it gets one, so that no sweep makes it anew.
        """
        claim = read_claim(self.world.store, name) or (self._claim(resource) if resource else None)
        if claim is None or not claim.is_open:
            self.tidy(name)
            if claim is not None and claim.status.get("verdict") in KEPT:
                destroy_key(self.world, claim.run)
            return
        stop(self.world, claim)
        message = "its DatasetRun was deleted; `kubepipe rerun` starts it again"
        change = {"phase": "Skipped", "message": message, "finishedAt": timestamp(self.world.now())}
        write_claim(self.world.store, replace(claim, state="deleted", status=merged(claim.status, change)))

    def stick(self, resource: Resource, claim: Claim, words: str) -> Claim:
        """Keep and tell that a run makes no progress."""
        claim = Case(self.config, self.world, resource, claim).mark_stuck(True, "NoProgress", words)
        self.world.post(f"{claim.name}-{claim.attempt}-stuck", "stuck", f"DatasetRun {claim.name}: {words}")
        self._show(resource, claim.status)
        self.world.runs.tell(resource, "Warning", "Stuck", words)
        return claim

    def free(self, resource: Resource, claim: Claim) -> Claim:
        """Keep that a run makes progress again."""
        claim = Case(self.config, self.world, resource, claim).mark_stuck(False, "Progress", "")
        self._show(resource, claim.status)
        return claim

    def block(self, resource: Resource, error: Exception) -> None:
        """Show and tell why nothing can be done for a DatasetRun; the next visit that goes through takes it away.

        The claim is not written: it may be what is not intact.
        """
        words = error.one_line() if isinstance(error, KubePipeError) else words_of(error)
        reason, conditions = type(error).__name__, resource.status.get("conditions", ())
        change = {
            "message": words,
            "conditions": with_condition(conditions, "Blocked", True, reason, words, self.world.now()),
        }
        if isinstance(error, IntegrityError):
            change["phase"] = "Failed"
        self.world.runs.write_status(resource.name, merged({}, change))
        self.world.post(
            f"{resource.name}-{resource.generation}-blocked", "stuck", f"DatasetRun {resource.name}: {reason}"
        )
        self.world.runs.tell(resource, "Warning", "Blocked", words)

    def tidy(self, name: str) -> None:
        """Remove the mark of a claim that has ended."""
        claim = read_claim(self.world.store, name)
        if claim is not None and not claim.is_open:
            clear_mark(self.world.store, name)

    def _claim(self, resource: Resource) -> Claim | None:
        """Claim a version of an object; None when a rule says that it is no data set."""
        source, trigger = resource.source, resource.spec.get("trigger", "upload")
        judgement = judge(self.config.rules, source.key, source.size)
        if trigger in OBSERVED and judgement.action == "ignore":
            return None
        reruns = resource.spec.get("rerun", 0)
        status = {"phase": "Pending", "queuedAt": timestamp(self.world.now()), "attempts": 0, "reruns": reruns}
        claim = Claim(
            name=resource.name,
            bucket=source.bucket,
            key=source.key,
            version_id=source.version_id or None,
            etag=source.etag or None,
            size=source.size,
            marker=bool(judgement.rule and judgement.rule.marker and judgement.action == "run"),
            trigger=trigger,
            settings=resource.spec.get("settings") or {},
            reruns=reruns,
            status=status,
        )
        if create_claim(self.world.store, claim):
            return claim
        return read_claim(self.world.store, resource.name)

    def _take_up(self, resource: Resource, claim: Claim) -> Claim:
        """Begin another attempt when a person asked for one, by a rerun or by letting pass what is kept."""
        if claim.is_open:
            return claim
        rerun = resource.spec.get("rerun", 0)
        if not _asks_again(resource, claim):
            case = Case(self.config, self.world, resource, claim)
            claim, is_approved = _decided(case) if claim.state == "ended" else (claim, False)
            if not is_approved:
                return claim
        # What was kept is open no longer: the new attempt begins with the object itself.
        destroy_key(self.world, claim.run, mapping=claim.status.get("verdict") in KEPT)
        case = Case(self.config, self.world, resource, claim)
        return case.save(
            {**cleared(), "phase": "Pending", "reruns": rerun},
            reruns=rerun,
            attempt=claim.attempt + 1,
            tries=1,
            state="claimed",
            run=None,
            next_attempt_at=None,
        )

    def _show(self, resource: Resource, status: Mapping[str, Any]) -> None:
        change = difference(resource.status, {**status, "observedGeneration": resource.generation})
        if change:
            self.world.runs.write_status(resource.name, change)


def _asks_again(resource: Resource, claim: Claim) -> bool:
    """Whether a person asked for a run that no attempt was made for yet."""
    return int(resource.spec.get("rerun", 0)) > claim.reruns


def _decided(case: Case) -> tuple[Claim, bool]:
    """The claim after a person's decision, if there is one, and whether it lets the data pass."""
    taken = take_decision(case.world, case.resource, case.claim)
    if taken is None:
        return case.claim, False
    case.world.runs.tell(case.resource, "Normal", taken.verdict.capitalize(), taken.words)
    conditions = case.conditions("AwaitingDecision", False, taken.verdict.capitalize(), taken.words)
    if taken.verdict in OPENS:
        return replace(case.claim, status=merged(case.claim.status, {"conditions": conditions})), True
    destroy_key(case.world, case.claim.run)
    change = {"verdict": "rejected", "message": taken.words, "conditions": conditions}
    return case.save(change), False
