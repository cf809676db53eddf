"""From a run in KFP to its end: what it has come to, its limits, another attempt."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from kubepipe.pipeline.kfp_api import TERMINAL, KfpError
from kubepipe.records.claim import Claim, fence_owner
from kubepipe_events.case import Case, Visit, destroy_key
from kubepipe_events.outcome import Outcome, read_outcome
from kubepipe_events.start import FOLLOW_SECONDS
from kubepipe_events.status import cleared, merged, parse_time, timestamp
from kubepipe_events.world import World

_NOT_FOUND: Final = 404


def follow(case: Case) -> Visit:
    """Look at the run that has the fence of the attempt, or at the one that was submitted while none has it."""
    store, claim = case.world.store, case.claim
    run = fence_owner(store, claim.name, claim.attempt) or claim.run or ""
    if run != claim.run:
        case = Case(case.config, case.world, case.resource, case.save({"runId": run}, run=run))
    state = _state(case.world, run)
    outcome = read_outcome(store, run)
    if outcome.is_done:
        message = "" if outcome.verdict == "published" else "the model is below the thresholds (publish.*)"
        return case.end("Succeeded", "Done", message, outcome)
    if state and state not in TERMINAL:
        return _watch(case, outcome, state)
    if outcome.is_kept:
        return case.end("Quarantined", "Kept", outcome.message, outcome)
    case.world.settle(run)
    return _failed(case, read_outcome(store, run))


def stop(world: World, claim: Claim) -> None:
    """End all workflows of the current attempt, and the keys of their sealed data."""
    runs = {str(each["run_id"]): str(each.get("state")) for each in world.kfp.runs_named(claim.run_name)}
    if claim.run:
        runs.setdefault(claim.run, _state(world, claim.run))
    for run, state in runs.items():
        if state and state not in TERMINAL:
            world.kfp.terminate(run)
        destroy_key(world, run)


def _state(world: World, run: str) -> str:
    """State of a run in KFP; empty when KFP knows it no more."""
    try:
        return str(world.kfp.run(run).get("state", "PENDING"))
    except KfpError as error:
        if error.status == _NOT_FOUND:
            return ""
        raise


def _watch(case: Case, outcome: Outcome, state: str) -> Visit:
    limits, claim = case.config.limits, case.claim
    seconds = (case.world.now() - parse_time(claim.submitted_at or claim.created_at)).total_seconds()
    capped = None
    if seconds > limits.run_seconds:
        capped = f"took longer than {limits.run_seconds} s (events.limits runSeconds)"
    elif limits.run_energy_kwh is not None and outcome.energy_kwh > limits.run_energy_kwh:
        capped = f"took more than {limits.run_energy_kwh} kWh (events.limits runEnergyKwh)"
    if capped:
        stop(case.world, claim)
        return case.end("Capped", "Capped", capped, outcome)
    running = outcome.started is not None or state == "RUNNING"
    change = {**outcome.fields, "phase": "Running" if running else "Submitted", "step": outcome.step}
    return Visit(claim, merged(claim.status, {**change, "startedAt": outcome.started}), FOLLOW_SECONDS)


def _failed(case: Case, outcome: Outcome) -> Visit:
    cause = outcome.cause or "infrastructure"
    message = outcome.message or "the run ended without a record or a reason"
    retry, claim = case.config.retry, case.claim
    if cause not in retry.causes:
        return case.end("Failed", cause.capitalize(), message, outcome)
    if claim.tries >= retry.attempts:
        return case.end("Failed", cause.capitalize(), f"{message} (after {claim.tries} attempts)", outcome)
    pause = min(retry.backoff_seconds * retry.backoff_factor ** (claim.tries - 1), retry.max_seconds)
    at = timestamp(case.world.now() + timedelta(seconds=pause))
    destroy_key(case.world, claim.run)
    words = f"attempt {claim.attempt} failed ({cause}): {message}; tried again at {at}"
    next_claim = case.save(
        {**cleared(), "phase": "Pending", "message": words, "nextAttemptAt": at},
        attempt=claim.attempt + 1,
        tries=claim.tries + 1,
        state="claimed",
        run=None,
        next_attempt_at=at,
    )
    case.world.runs.tell(case.resource, "Warning", "Retry", words)
    return Visit(next_claim, next_claim.status, pause, retried=cause)
