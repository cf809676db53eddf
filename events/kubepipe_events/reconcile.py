"""One DatasetRun, one step further: the claim decides, the status shows.

Every visit may be the last one before a crash, so each does its effects in an order that the next visit can take up:
claim before submission, submission under a name that can be found again, the claim's new state, then the status. Of two
workflows that a crash leaves for one attempt, the fence that prepare-data takes lets one go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import structlog

from kubepipe.errors import SettingsError
from kubepipe.pipeline.kfp_api import TERMINAL, KfpError
from kubepipe.records.claim import (
    Claim,
    claim_source,
    clear_mark,
    create_claim,
    fence_owner,
    read_claim,
    write_claim,
)
from kubepipe.settings import Settings, settings_json
from kubepipe.stages.context import data_key_name
from kubepipe_events.config import EventsConfig
from kubepipe_events.decisions import take_decision
from kubepipe_events.identity import Source
from kubepipe_events.outcome import Outcome, read_outcome
from kubepipe_events.resources import Resource
from kubepipe_events.rules import judge
from kubepipe_events.settings import settings_of_run
from kubepipe_events.status import cleared, difference, merged, parse_time, timestamp, with_condition
from kubepipe_events.world import World

_LOG = structlog.get_logger(__name__)
_FOLLOW_SECONDS: Final = 3.0
_NOT_FOUND: Final = 404
_OBSERVED: Final = frozenset({"upload", "sweep"})
_NOTICES: Final = {"Succeeded": "success", "Failed": "failure", "Capped": "failure", "Quarantined": "quarantine"}


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit left behind.

    Attributes:
        claim: The claim, or None when the object is no data set.
        status: The status as it is shown now.
        again: Seconds until the next visit is due; None waits for a change.
    """

    claim: Claim | None
    status: Mapping[str, Any]
    again: float | None


@dataclass(frozen=True, slots=True)
class Turn:
    """What the queue says.

    Attributes:
        may_start: Whether a slot is free.
        replaced_by: A later tick that takes this one's place.
        held_by: An earlier tick of the same schedule that goes on and forbids this one.
    """

    may_start: bool
    replaced_by: str | None = None
    held_by: str | None = None


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
        if claim.is_open and turn.replaced_by:
            visit = self._end(resource, self._stop(claim), "Skipped", "Replaced", "a later tick of the schedule came")
        elif claim.state == "claimed":
            visit = self._start(resource, claim, turn)
        elif claim.state == "submitted":
            visit = self._follow(resource, claim)
        else:
            visit = Visit(claim, claim.status, None)
        self._show(resource, visit.status)
        return visit

    def forget(self, name: str) -> None:
        """Stop what goes on for a DatasetRun that was deleted; a late duplicate starts nothing again."""
        claim = read_claim(self.world.store, name)
        if claim is None or not claim.is_open:
            self.tidy(name)
            return
        claim = self._stop(claim)
        now = timestamp(self.world.now())
        message = "its DatasetRun was deleted; `kubepipe rerun` starts it again"
        status = merged(claim.status, {"phase": "Skipped", "message": message, "finishedAt": now})
        write_claim(self.world.store, replace(claim, state="deleted", status=status))

    def tidy(self, name: str) -> None:
        """Remove the mark of a claim that has ended."""
        claim = read_claim(self.world.store, name)
        if claim is not None and not claim.is_open:
            clear_mark(self.world.store, name)

    def _claim(self, resource: Resource) -> Claim | None:
        """Claim a version of an object; None when a rule says that it is no data set."""
        source, trigger = resource.source, resource.spec.get("trigger", "upload")
        judgement = judge(self.config.rules, source.key, source.size)
        if trigger in _OBSERVED and judgement.action == "ignore":
            return None
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
            reruns=resource.spec.get("rerun", 0),
            status={"phase": "Pending", "queuedAt": timestamp(self.world.now()), "attempts": 0},
        )
        if create_claim(self.world.store, claim):
            return claim
        return read_claim(self.world.store, resource.name)

    def _take_up(self, resource: Resource, claim: Claim) -> Claim:
        """Begin another attempt when a person asked for one, by a rerun or by approving what waits."""
        if claim.is_open:
            return claim
        rerun = resource.spec.get("rerun", 0)
        if rerun > claim.reruns:
            claim = replace(claim, reruns=rerun)
        elif not (claim.state == "ended" and self._is_decided(resource, claim)):
            return claim
        status = merged(claim.status, {**cleared(), "phase": "Pending", "reruns": rerun})
        claim = replace(
            claim, attempt=claim.attempt + 1, tries=1, state="claimed", run=None, next_attempt_at=None, status=status
        )
        write_claim(self.world.store, claim)
        return claim

    def _is_decided(self, resource: Resource, claim: Claim) -> bool:
        """Whether a person's approval lets the data pass; a rejection ends the waiting."""
        taken = take_decision(self.world, resource, claim)
        if taken is None:
            return False
        if taken.verdict == "rejected":
            self._destroy_key(claim.run)
            conditions = self._conditions(claim, "AwaitingDecision", False, "Rejected", f"by {taken.by}")
            status = merged(claim.status, {"verdict": "rejected", "message": taken.words, "conditions": conditions})
            write_claim(self.world.store, replace(claim, status=status))
            self._show(resource, status)
            return False
        self.world.runs.tell(resource, "Normal", "Approved", taken.words)
        return True

    def _start(self, resource: Resource, claim: Claim, turn: Turn) -> Visit:
        now = self.world.now()
        if turn.held_by:
            return self._end(resource, claim, "Skipped", "Forbidden", f"{turn.held_by} of the same schedule goes on")
        waits = claim.next_attempt_at and parse_time(claim.next_attempt_at) > now
        if claim.tries == 1 and not waits:
            skipped = self._unfit(resource, claim)
            if skipped:
                return self._end(resource, claim, "Skipped", "Unfit", skipped)
        if resource.spec.get("suspend"):
            return self._wait(claim, "Suspended", "is suspended; set spec.suspend to false to start it", None)
        if waits:
            seconds = (parse_time(str(claim.next_attempt_at)) - now).total_seconds()
            return Visit(claim, claim.status, max(seconds, 0.1))
        if not turn.may_start:
            return self._wait(claim, "Queued", "waits for its turn", None)
        try:
            settings = self._settings(resource)
        except SettingsError as error:
            return self._end(resource, claim, "Failed", "Settings", error.one_line())
        return self._submit(resource, claim, settings)

    def _unfit(self, resource: Resource, claim: Claim) -> str | None:
        """Why there is nothing to run; the store's word counts, not the notification's."""
        source = resource.source
        found = self.world.arrivals.find(source)
        if found is None:
            return "the object was deleted or overwritten before its run"
        if claim.trigger not in _OBSERVED:
            return None
        judgement = judge(self.config.rules, source.key, found.size)
        if judgement.action == "skip":
            return judgement.reason
        is_new_version = claim.attempt == 1 and judgement.rule is not None and judgement.rule.identical == "skip"
        if is_new_version and not claim.marker:
            earlier = self._holder(source, resource.name)
            if earlier:
                return f"the same bytes as {earlier}, of the same key (events.rules identical: skip)"
        return None

    def _holder(self, source: Source, name: str) -> str | None:
        """The DatasetRun that has the same bytes of the same key already; this one becomes it when there is none."""
        key = f"contents/{source.content}"
        if self.world.store.create(key, name.encode()):
            return None
        holder = (self.world.store.read(key) or b"").decode()
        if holder == name:
            return None
        earlier = read_claim(self.world.store, holder)
        if earlier is not None and (earlier.is_open or earlier.status.get("phase") in {"Succeeded", "Quarantined"}):
            return holder
        self.world.store.write(key, name.encode())
        return None

    def _settings(self, resource: Resource) -> Settings:
        beside = self.world.arrivals.beside(resource.source)
        return settings_of_run(self.config.settings, beside, resource.spec.get("settings") or {})

    def _submit(self, resource: Resource, claim: Claim, settings: Settings) -> Visit:
        try:
            run = self._adopt(claim) or self._create(claim, settings)
        except KfpError as error:
            if error.is_outage:
                raise
            return self._end(resource, claim, "Failed", "Refused", error.one_line())
        now = timestamp(self.world.now())
        change = {
            "phase": "Submitted",
            "runId": run,
            "attempts": claim.attempt,
            "submittedAt": now,
            "message": None,
            "nextAttemptAt": None,
            "conditions": self._conditions(claim, "Submitted", True, "Submitted", f"run {run}"),
        }
        claim = replace(
            claim,
            state="submitted",
            run=run,
            submitted_at=now,
            next_attempt_at=None,
            status=merged(claim.status, change),
        )
        write_claim(self.world.store, claim)
        self.world.runs.tell(resource, "Normal", "Submitted", f"attempt {claim.attempt} is run {run}")
        return Visit(claim, claim.status, _FOLLOW_SECONDS)

    def _adopt(self, claim: Claim) -> str | None:
        """A run that was submitted before a crash."""
        found = self.world.kfp.runs_named(claim.run_name)
        return str(found[0]["run_id"]) if found else None

    def _create(self, claim: Claim, settings: Settings) -> str:
        pipeline = self.world.kfp.pipeline_id(self.config.pipeline)
        if pipeline is None:
            raise KfpError(f"pipeline {self.config.pipeline} is not registered yet", place="Kubeflow Pipelines")
        parameters = {"source": claim_source(claim.name, claim.attempt), "settings": settings_json(settings)}
        return self.world.kfp.create_run(claim.run_name, pipeline, parameters)

    def _follow(self, resource: Resource, claim: Claim) -> Visit:
        run = fence_owner(self.world.store, claim.name, claim.attempt) or claim.run or ""
        if run != claim.run:
            claim = replace(claim, run=run, status=merged(claim.status, {"runId": run}))
            write_claim(self.world.store, claim)
        state = self._state(run)
        outcome = read_outcome(self.world.store, run)
        if outcome.is_done:
            message = "" if outcome.verdict == "published" else "the model is below the thresholds (publish.*)"
            return self._end(resource, claim, "Succeeded", "Done", message, outcome)
        if state not in TERMINAL and state != "":
            return self._watch(resource, claim, outcome, state)
        if outcome.is_kept:
            return self._end(resource, claim, "Quarantined", "Kept", outcome.message, outcome)
        self.world.settle(run)
        return self._failed(resource, claim, read_outcome(self.world.store, run))

    def _state(self, run: str) -> str:
        """State of a run in KFP; empty when KFP knows it no more."""
        try:
            return str(self.world.kfp.run(run).get("state", "PENDING"))
        except KfpError as error:
            if error.status == _NOT_FOUND:
                return ""
            raise

    def _watch(self, resource: Resource, claim: Claim, outcome: Outcome, state: str) -> Visit:
        limits, now = self.config.limits, self.world.now()
        since = parse_time(claim.submitted_at or claim.created_at)
        capped = None
        if (now - since).total_seconds() > limits.run_seconds:
            capped = f"took longer than {limits.run_seconds} s (events.limits runSeconds)"
        elif limits.run_energy_kwh is not None and outcome.energy_kwh > limits.run_energy_kwh:
            capped = f"took more than {limits.run_energy_kwh} kWh (events.limits runEnergyKwh)"
        if capped:
            return self._end(resource, self._stop(claim), "Capped", "Capped", capped, outcome)
        running = outcome.started is not None or state == "RUNNING"
        change = {**outcome.fields, "phase": "Running" if running else "Submitted", "step": outcome.step}
        change["startedAt"] = outcome.started
        return Visit(claim, merged(claim.status, change), _FOLLOW_SECONDS)

    def _failed(self, resource: Resource, claim: Claim, outcome: Outcome) -> Visit:
        cause = outcome.cause or "infrastructure"
        message = outcome.message or "the run ended without a record or a reason"
        retry = self.config.retry
        if cause not in retry.causes:
            return self._end(resource, claim, "Failed", cause.capitalize(), message, outcome)
        if claim.tries >= retry.attempts:
            words = f"{message} (after {claim.tries} attempts)"
            return self._end(resource, claim, "Failed", cause.capitalize(), words, outcome)
        pause = min(retry.backoff_seconds * retry.backoff_factor ** (claim.tries - 1), retry.max_seconds)
        at = timestamp(self.world.now() + timedelta(seconds=pause))
        self._destroy_key(claim.run)
        change = {
            **cleared(),
            "phase": "Pending",
            "message": f"attempt {claim.attempt} failed ({cause}): {message}; tried again at {at}",
            "nextAttemptAt": at,
        }
        claim = replace(
            claim,
            attempt=claim.attempt + 1,
            tries=claim.tries + 1,
            state="claimed",
            run=None,
            next_attempt_at=at,
            status=merged(claim.status, change),
        )
        write_claim(self.world.store, claim)
        self.world.runs.tell(resource, "Warning", "Retry", str(change["message"]))
        return Visit(claim, claim.status, pause)

    def _wait(self, claim: Claim, reason: str, message: str, again: float | None) -> Visit:
        conditions = self._conditions(claim, "Submitted", False, reason, message)
        change = {"phase": "Pending", "message": message, "conditions": conditions}
        return Visit(claim, merged(claim.status, change), again)

    def _end(
        self, resource: Resource, claim: Claim, phase: str, reason: str, message: str, outcome: Outcome | None = None
    ) -> Visit:
        """The end of a claim: notice, key, claim, status, in an order that loses none of them in a crash."""
        waits = outcome is not None and outcome.verdict == "needs_human"
        conditions = self._conditions(claim, "Finished", True, reason, message)
        if waits:
            words = "`kubepipe approve` or `kubepipe reject` decides"
            conditions = with_condition(conditions, "AwaitingDecision", True, "NeedsHuman", words, self.world.now())
        done = outcome is not None and outcome.is_done
        change = {
            **(outcome.fields if outcome else {}),
            "phase": phase,
            "message": message or None,
            "verdict": _verdict(phase, outcome),
            "step": outcome.step if outcome and not done else None,
            "startedAt": outcome.started if outcome else None,
            "finishedAt": timestamp(self.world.now()),
            "nextAttemptAt": None,
            "conditions": conditions,
        }
        status = merged(claim.status, change)
        notice = _NOTICES.get(phase)
        if notice:
            self.world.post(f"{claim.name}-{claim.attempt}-{notice}", notice, _words(claim.name, status))
        if not waits:
            self._destroy_key(claim.run)
        claim = replace(claim, state="ended", next_attempt_at=None, status=status)
        write_claim(self.world.store, claim)
        kind = "Normal" if phase in {"Succeeded", "Skipped"} else "Warning"
        self.world.runs.tell(resource, kind, phase, message or str(status.get("verdict", phase)))
        return Visit(claim, status, None)

    def _stop(self, claim: Claim) -> Claim:
        """End all workflows of the current attempt, and the key of their sealed data."""
        runs = {str(each["run_id"]): str(each.get("state")) for each in self.world.kfp.runs_named(claim.run_name)}
        if claim.run:
            runs.setdefault(claim.run, self._state(claim.run))
        for run, state in runs.items():
            if state and state not in TERMINAL:
                self.world.kfp.terminate(run)
            self._destroy_key(run)
        return claim

    def _destroy_key(self, run: str | None) -> None:
        """From here on the sealed raw data of a run cannot be opened any more."""
        if run:
            self.world.store.delete(data_key_name(run))

    def _conditions(self, claim: Claim, kind: str, holds: bool, reason: str, message: str) -> list[dict[str, Any]]:
        return with_condition(claim.status.get("conditions", ()), kind, holds, reason, message, self.world.now())

    def _show(self, resource: Resource, status: Mapping[str, Any]) -> None:
        shown = {**status, "observedGeneration": resource.generation}
        change = difference(resource.status, shown)
        if change:
            self.world.runs.write_status(resource.name, change)


def _verdict(phase: str, outcome: Outcome | None) -> str | None:
    """What the run came to; one that ended without saying so has failed."""
    if outcome is None or phase == "Capped":
        return None
    return "failed" if outcome.verdict == "unfinished" else outcome.verdict


def _words(name: str, status: Mapping[str, Any]) -> str:
    """A notice: phase, verdict and scores; never a key or a value, for a key can name a person."""
    told = [f"DatasetRun {name}: {status['phase']}"]
    if status.get("verdict"):
        told.append(f"verdict {status['verdict']}")
    if status.get("f1"):
        told.append(f"F1 {status['f1']['before']} -> {status['f1']['after']}")
    if status.get("step"):
        told.append(f"at {status['step']}")
    return ", ".join(told)
