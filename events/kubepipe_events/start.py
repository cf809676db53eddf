"""From a claim to a run in KFP: what is not to be run, what waits, and the submission."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kubepipe.errors import SettingsError
from kubepipe.pipeline.kfp_api import KfpError
from kubepipe.records.claim import claim_source, read_claim
from kubepipe.settings import Settings, settings_json
from kubepipe_events.case import Case, Visit
from kubepipe_events.identity import Source
from kubepipe_events.rules import judge
from kubepipe_events.settings import settings_of_run
from kubepipe_events.status import parse_time, timestamp

OBSERVED: Final = frozenset({"upload", "sweep"})
FOLLOW_SECONDS: Final = 3.0
_HELD: Final = frozenset({"Succeeded", "Quarantined"})


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


def start(case: Case, turn: Turn) -> Visit:
    """Submit a claimed version, or say why not yet or not at all."""
    claim = case.claim
    reason, words = _unfit(case, turn)
    if words:
        return case.end("Skipped", reason, words)
    if case.resource.spec.get("suspend"):
        return case.wait("Suspended", "is suspended; set spec.suspend to false to start it")
    seconds = _pause_left(case)
    if seconds > 0:
        return Visit(claim, claim.status, seconds)
    if not turn.may_start:
        return case.wait("Queued", "waits for its turn")
    try:
        beside = case.world.arrivals.beside(case.resource.source)
        settings = settings_of_run(case.config.settings, beside, case.resource.spec.get("settings") or {})
        return _submit(case, settings)
    except SettingsError as error:
        return case.end("Failed", "Settings", error.one_line())


def _pause_left(case: Case) -> float:
    """Seconds until the next attempt may start; never more than the longest pause, wherever the clock was set to."""
    at = case.claim.next_attempt_at
    left = (parse_time(at) - case.world.now()).total_seconds() if at else 0.0
    return min(left, case.config.retry.max_seconds)


def _unfit(case: Case, turn: Turn) -> tuple[str, str]:
    """Why there is nothing to run, in one word and in a sentence; the store's word counts, not the notification's."""
    if turn.held_by:
        return "Forbidden", f"{turn.held_by} of the same schedule goes on"
    if case.claim.tries > 1:
        return "", ""
    source = case.resource.source
    if source.bucket != case.config.bucket:
        return "Bucket", f"only objects of the bucket {case.config.bucket} are run"
    found = case.world.arrivals.find(source)
    if found is None:
        return "Gone", "the object was deleted or overwritten before its run"
    return _unwanted(case, source, found) if case.claim.trigger in OBSERVED else ("", "")


def _unwanted(case: Case, source: Source, found: Source) -> tuple[str, str]:
    """Why the rules want no run of an object that came by itself."""
    judgement = judge(case.config.rules, source.key, found.size)
    if judgement.action == "skip":
        return "Limit", judgement.reason
    is_rule_skip = judgement.rule is not None and judgement.rule.identical == "skip"
    earlier = _holder(case) if is_rule_skip and case.claim.attempt == 1 and not case.claim.marker else None
    if earlier:
        return "Identical", f"the same bytes as {earlier}, of the same key (events.rules identical: skip)"
    return "", ""


def _holder(case: Case) -> str | None:
    """The DatasetRun that has the same bytes of the same key already; this one becomes it when there is none."""
    store, name = case.world.store, case.claim.name
    key = f"contents/{case.resource.source.content}"
    if store.create(key, name.encode()):
        return None
    holder = (store.read(key) or b"").decode()
    if holder == name:
        return None
    earlier = read_claim(store, holder)
    if earlier is not None and (earlier.is_open or earlier.status.get("phase") in _HELD):
        return holder
    store.write(key, name.encode())
    return None


def _submit(case: Case, settings: Settings) -> Visit:
    try:
        run = _adopt(case) or _create(case, settings)
    except KfpError as error:
        if error.is_outage:
            raise
        return case.end("Failed", "Refused", error.one_line())
    now = timestamp(case.world.now())
    change = {
        "phase": "Submitted",
        "runId": run,
        "attempts": case.claim.attempt,
        "submittedAt": now,
        "message": None,
        "nextAttemptAt": None,
        "conditions": case.conditions("Submitted", True, "Submitted", f"run {run}"),
    }
    claim = case.save(change, state="submitted", run=run, submitted_at=now, next_attempt_at=None)
    case.world.runs.tell(case.resource, "Normal", "Submitted", f"attempt {claim.attempt} is run {run}")
    return Visit(claim, claim.status, FOLLOW_SECONDS)


def _adopt(case: Case) -> str | None:
    """A run that was submitted before a crash."""
    found = case.world.kfp.runs_named(case.claim.run_name)
    return str(found[0]["run_id"]) if found else None


def _create(case: Case, settings: Settings) -> str:
    name = case.config.pipeline
    pipeline = case.world.kfp.pipeline_id(name)
    if pipeline is None:
        raise KfpError(f"pipeline {name} is not registered yet", place="Kubeflow Pipelines")
    source = claim_source(case.claim.name, case.claim.attempt)
    return case.world.kfp.create_run(
        case.claim.run_name, pipeline, {"source": source, "settings": settings_json(settings)}
    )
