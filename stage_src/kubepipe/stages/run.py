"""The frame around every stage: reuse, measure, work, record.

A stage's outputs appear at once (written aside, then renamed); its record is written last. A step that failed or was
stopped leaves a record that says so and no outputs.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

import structlog

from kubepipe.energy import Meter
from kubepipe.errors import KubePipeError, StepFailedError
from kubepipe.records.step import Artifact, Failure, StepRecord, write_step_record
from kubepipe.settings import parse_settings, settings_digest
from kubepipe.stages import memo
from kubepipe.stages.artifacts import describe
from kubepipe.stages.catalogue import BEFORE_GATE, GATE, STAGES, StageSpec
from kubepipe.stages.context import (
    StageContext,
    environment_approvals,
    environment_path,
    environment_store,
    requested_bytes,
    requested_cores,
)
from kubepipe.stages.progress import open_progress
from kubepipe.stages.retries import attempt, failed_attempts, refuse_repetition
from kubepipe.stages.versions import versions

DECIDING: Final = frozenset({"anonymize-data", GATE})
"""Steps that reach the place of people's decisions and of mappings."""
_LOG = structlog.get_logger(__name__)


class InterruptedStageError(KubePipeError):
    """The step was told to stop."""

    exit_code = 130


def run_stage(
    step: str,
    settings: str,
    *,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    uris: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run a step of the graph in this process, with its surroundings taken from the environment.

    Args:
        step: Name of the step.
        settings: Canonical JSON of the settings.
        inputs: Local paths of the inputs, by name.
        outputs: Local paths of the outputs, by name.
        uris: Where the outputs will lie for others, by name; the local paths when left out.
        parameters: Plain parameters of the step.

    Environment:
        KUBEPIPE_RUN (id of the run), KUBEPIPE_STORE (folder or s3 URL), KUBEPIPE_KEYS (folder with the private keys,
        privacy steps only), KUBEPIPE_PERMIT_KEY (public key file), KUBEPIPE_SIGNING_KEY (private key file of the model
        signature, publish-model only), KUBEPIPE_PROGRESS (folder for progress files, optional), KUBEPIPE_SCRATCH
        (folder that outlives a stop, optional), KUBEPIPE_IMAGE (recorded, optional), KFP_RETRY_INDEX (set by KFP:
        number of the attempt), KUBEPIPE_REQUESTED_CORES and KUBEPIPE_REQUESTED_BYTES (what the pod requests; recorded,
        optional), KUBEPIPE_QUARANTINE (store of the decisions on data, the gate only, optional).

    Returns:
        The results, as they stand in the step's record.

    Raises:
        KubePipeError: The step failed; its record says why.
    """
    spec = STAGES[step]
    run = os.environ.get("KUBEPIPE_RUN", "run")
    scratch = environment_path("KUBEPIPE_SCRATCH")
    store = environment_store()
    context = StageContext(
        run=run,
        step=step,
        settings=parse_settings(settings),
        store=store,
        keys=environment_path("KUBEPIPE_KEYS") if step in BEFORE_GATE else None,
        permit_key=environment_path("KUBEPIPE_PERMIT_KEY"),
        signing_key=environment_path("KUBEPIPE_SIGNING_KEY"),
        inputs={name: Path(path) for name, path in inputs.items()},
        outputs={name: Path(path) for name, path in outputs.items()},
        parameters=dict(parameters or {}),
        progress=open_progress(step),
        scratch=scratch / step if scratch else None,
        approvals=environment_approvals(store) if step in DECIDING else None,
    )
    refuse_repetition(context.store, run, step)
    signal.signal(signal.SIGTERM, _stop)
    context.progress(0.0, "starts")
    record = _record(spec, context, dict(uris or outputs))
    context.progress(1.0, record.status)
    return dict(record.results)


def _record(spec: StageSpec, context: StageContext, uris: Mapping[str, str]) -> StepRecord:
    started = datetime.now(UTC)
    before = failed_attempts(context.store, context.run, spec.name)
    module = importlib.import_module(f"kubepipe.stages.{spec.module}")
    with Meter(context.settings.energy) as meter:
        failure: BaseException | None = None
        results: Mapping[str, Any] = {}
        artifacts: Mapping[str, Artifact] = {}
        earlier: StepRecord | None = None
        inputs: Mapping[str, Artifact] = {}
        key = memo.UNKNOWN_KEY
        try:
            inputs = {name: describe(path, str(path)) for name, path in context.inputs.items()}
            _admit(module, context)
            key = memo.memo_key(spec, context, inputs, _fingerprint(module, context))
            earlier = memo.find(spec, context, key)
            if earlier is None:
                results = _work(module, context)
            artifacts = {name: describe(path, uris[name]) for name, path in context.outputs.items()}
        except BaseException as error:  # noqa: BLE001 - whatever ends a step is told in its record, then raised again
            failure = error
    measured = meter.result()
    record = StepRecord(
        run=context.run,
        step=spec.name,
        status="failed" if failure else "succeeded",
        started_at=started.isoformat(timespec="seconds"),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=measured.seconds,
        cpu_seconds=measured.cpu_seconds,
        peak_rss_bytes=measured.peak_rss_bytes,
        energy=measured.document(),
        memo_key=key,
        settings_digest=settings_digest(context.settings, spec.sections),
        inputs=inputs,
        outputs=artifacts,
        versions=versions(),
        results=results,
        error=_explain(failure),
        attempt=attempt(),
        requested_cores=requested_cores(),
        requested_bytes=requested_bytes(),
        earlier=before,
    )
    if earlier is not None and failure is None:
        record = memo.as_reused(record, earlier)
    write_step_record(context.store, record)
    if failure is not None:
        raise _reveal(failure, spec) from None
    memo.remember(spec, context, record)
    return record


def _admit(module: Any, context: StageContext) -> None:
    """Let a stage refuse before earlier outputs are taken in its place."""
    given = getattr(module, "admit", None)
    if given:
        given(context)


def _fingerprint(module: Any, context: StageContext) -> Mapping[str, str]:
    given = getattr(module, "fingerprint", None)
    return given(context) if given else context.parameters


def _work(module: Any, context: StageContext) -> Mapping[str, Any]:
    """Let the stage write aside, then put its outputs in place."""
    places = {name: _aside(path) for name, path in context.outputs.items()}
    try:
        results: Mapping[str, Any] = module.run(replace(context, outputs=places))
        for name, place in places.items():
            _put(place, context.outputs[name])
    finally:
        for place in places.values():
            shutil.rmtree(place.parent, ignore_errors=True)
    return results


def _aside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=path.parent, prefix=".new.")) / path.name


def _put(place: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    place.replace(target)


def _explain(failure: BaseException | None) -> Failure | None:
    if failure is None:
        return None
    if isinstance(failure, KubePipeError):
        return Failure(type(failure).__name__, failure.one_line(), failure.exit_code)
    return Failure(type(failure).__name__, f"unexpected {type(failure).__name__}; see the step's log", 1)


def _reveal(failure: BaseException, spec: StageSpec) -> KubePipeError:
    """The error to raise: ours as it is, a foreign one without its words, for they may quote the data."""
    if isinstance(failure, KubePipeError):
        _LOG.error("step failed", step=spec.name, error=failure.one_line())
        return failure
    stack = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(failure.__traceback__)]
    _LOG.error("step failed", step=spec.name, error=type(failure).__name__, frames=stack)
    error = StepFailedError(f"unexpected {type(failure).__name__}", place=f"step {spec.name}")
    error.__suppress_context__ = True
    return error


def _stop(signum: int, _frame: FrameType | None) -> None:
    raise InterruptedStageError(f"was stopped by {signal.Signals(signum).name}", remedy="Run again to resume")
