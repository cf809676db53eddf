"""Why the steps of a run failed, and the records that those steps could not write themselves.

A step that is killed, never starts, or whose outputs cannot be stored leaves no record that says so. What Argo and the
kubelet know is written as that record, before the Workflow is removed (`argoWorkflows.runs.ttlSeconds`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.remote.causes import MAY_PASS, OF_EXIT_CODE, STORE_ERRORS, Cause, Explanation, explain_pod
from kubepipe.pipeline.remote.workflow import Pod, find_workflow
from kubepipe.records import digest_json
from kubepipe.records.step import Failure, StepRecord, read_step_record, write_step_record
from kubepipe.stages.catalogue import STAGES
from kubepipe.storage import Store

_UNKNOWN: Final = digest_json(None)
_EXIT_CODE: Final = 1
_SELF_TOLD: Final = frozenset({"ExitCodeError", "StepFailedError"})
"""What the engine says of a step that ended by itself; the step's own record, if any, tells more."""


@dataclass(frozen=True, slots=True)
class StepFailure:
    """Why a step failed.

    Attributes:
        step: Name of the step.
        type: Name of the error, for example OutOfMemoryError.
        cause: What a policy of retries goes by.
        message: One line without any value of the data.
        exit_code: Exit code that the record gets.
        started_at: When the last attempt started; empty when it never did.
        finished_at: When it ended; empty when it has not.
        attempts: Pods that were tried.
    """

    step: str
    type: str
    cause: Cause
    message: str
    exit_code: int = _EXIT_CODE
    started_at: str = ""
    finished_at: str = ""
    attempts: int = 1

    @property
    def may_pass(self) -> bool:
        """Whether a later try may go well without anybody changing anything."""
        return self.cause in MAY_PASS


def explain(namespace: str, run: str) -> tuple[StepFailure, ...]:
    """Why steps of a run failed, or cannot start, in the engine's knowledge; empty once the Workflow is gone.

    Raises:
        KubePipeError: The cluster refuses to show the Workflow.
    """
    from kubernetes import client

    try:
        workflow = find_workflow(namespace, run)
    except client.ApiException as error:
        raise KubePipeError(
            f"the Workflow of run {run} cannot be read ({error.status} {error.reason})",
            place=f"namespace {namespace}",
            remedy="You need the right to list workflows.argoproj.io",
        ) from error
    if workflow is None:
        return ()
    found = {}
    for pod in workflow.last_attempts():
        is_stuck = pod.phase == "Pending" and explain_pod(pod, pod.message).cause == "image"
        if not pod.has_failed and not is_stuck:
            continue
        failure = _failure(pod, explain_pod(pod, _words(namespace, pod)))
        # A step's own pod tells more than its driver.
        if pod.step not in found or not pod.is_driver:
            found[pod.step] = failure
    return tuple(found[step] for step in STAGES if step in found)


def known_failures(store: Store, run: str) -> tuple[StepFailure, ...]:
    """Failures that the run's records tell of; nothing but the store is asked."""
    records = (read_step_record(store, run, step) for step in STAGES)
    return tuple(failure_of(record) for record in records if record is not None and record.error is not None)


def record_failures(store: Store, run: str, failures: Iterable[StepFailure]) -> tuple[StepFailure, ...]:
    """Write the records that failed steps could not write; what each failure is in the end.

    A record that the step wrote about its own failure stays, for it tells more than an exit code. A step that says it
    succeeded and whose pod failed nevertheless could not hand on its outputs: its record is made to say so.
    """
    return tuple(_settle(store, run, failure) for failure in failures)


def _settle(store: Store, run: str, failure: StepFailure) -> StepFailure:
    record = read_step_record(store, run, failure.step)
    if record is None:
        failure = _without_record(failure)
        write_step_record(store, _fresh(run, failure))
        return failure
    if record.error is not None:
        if failure.type in _SELF_TOLD:
            return replace(failure_of(record), attempts=failure.attempts)
        # An earlier attempt wrote it; the last one was ended from outside.
        write_step_record(store, replace(record, error=_error(failure), outputs={}))
        return failure
    if failure.type in _SELF_TOLD:
        failure = replace(
            failure,
            type="LauncherError",
            cause="store",
            message=f"{failure.step} did its work, but its outputs could not be stored. Check the store, run again",
        )
    write_step_record(store, replace(record, status="failed", error=_error(failure), outputs={}))
    return failure


def _without_record(failure: StepFailure) -> StepFailure:
    """A program that ends by an error of its own records it first, so the store was not there to take the record."""
    if failure.type != "ExitCodeError" or failure.cause != "unknown":
        return failure
    message = (
        f"{failure.step}: ended without a record, as where the store does not answer. See `kubepipe logs`, run again"
    )
    return replace(failure, type="StoreError", cause="store", message=message)


def _fresh(run: str, failure: StepFailure) -> StepRecord:
    """A record of a step that measured nothing."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    start, end = failure.started_at or failure.finished_at or now, failure.finished_at or now
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    return StepRecord(
        run=run,
        step=failure.step,
        status="failed",
        started_at=start,
        finished_at=end,
        seconds=max(0.0, seconds),
        cpu_seconds=0.0,
        peak_rss_bytes=0,
        energy={},
        memo_key=_UNKNOWN,
        settings_digest=_UNKNOWN,
        error=_error(failure),
    )


def _error(failure: StepFailure) -> Failure:
    return Failure(failure.type, failure.message, failure.exit_code)


def _failure(pod: Pod, why: Explanation) -> StepFailure:
    return StepFailure(
        step=pod.step,
        type=why.type,
        cause=why.cause,
        message=f"{pod.step}: {why.message}",
        started_at=_plain(pod.started_at),
        finished_at=_plain(pod.finished_at),
        attempts=pod.attempt + 1,
    )


def failure_of(record: StepRecord) -> StepFailure:
    """What the record of a failed step says."""
    error = record.error
    assert error is not None  # noqa: S101 - callers have looked
    cause = _CAUSES.get(error.type) or OF_EXIT_CODE.get(error.exit_code, "unknown")
    return StepFailure(
        step=record.step,
        type=error.type,
        cause="store" if error.type in STORE_ERRORS else cause,
        message=error.message,
        exit_code=error.exit_code,
        started_at=record.started_at,
        finished_at=record.finished_at,
    )


_CAUSES: Final[dict[str, Cause]] = {
    "OutOfMemoryError": "memory",
    "MemoryError": "memory",
    "ImagePullError": "image",
    "TimeLimitError": "time",
    "EvictedError": "evicted",
    "InterruptedStageError": "evicted",
    "LauncherError": "store",
    "UnschedulableError": "infrastructure",
    "PodRefusedError": "infrastructure",
    "DriverError": "infrastructure",
}


def _plain(time: str) -> str:
    """Argo's time (`...Z`) in the form of our records."""
    return time.replace("Z", "+00:00")


def _words(namespace: str, pod: Pod) -> str:
    """Argo's words; where they speak of a time limit only, those of the kubelet about a pod that never started."""
    if explain_pod(pod, pod.message).cause != "time" or not pod.name:
        return pod.message
    events = _events(namespace, pod.name)
    started = any(each.reason == "Started" and "{main}" in (each.involved_object.field_path or "") for each in events)
    pulling = [each.message for each in events if each.reason == "Failed" and "pull" in (each.message or "")]
    return f"ErrImagePull: {pulling[-1]}" if pulling and not started else pod.message


def _events(namespace: str, pod: str) -> Sequence[Any]:
    from kubernetes import client

    try:
        selector = f"involvedObject.kind=Pod,involvedObject.name={pod}"
        found: Sequence[Any] = client.CoreV1Api().list_namespaced_event(namespace, field_selector=selector).items
    except client.ApiException:
        # Events only sharpen the reason; without the right to read them Argo's words stand.
        return ()
    return found
