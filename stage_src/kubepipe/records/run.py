"""What a run came to, read from the records of its steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kubepipe.records.step import StepRecord, read_step_record
from kubepipe.storage import Store

SCHEMA_VERSION: Final = 1
_GATE = "verify-privacy"


def load_records(store: Store, run: str, steps: Iterable[str]) -> dict[str, StepRecord]:
    """The records that the run's steps have written so far, in the order given.

    Raises:
        IntegrityError: A record does not fit its schema.
    """
    found = ((step, read_step_record(store, run, step)) for step in steps)
    return {step: record for step, record in found if record is not None}


def run_document(
    run: str,
    records: Mapping[str, StepRecord],
    steps: Sequence[str],
    *,
    gate: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The run as one JSON document (schema run).

    Args:
        run: Id of the run.
        records: Records by step.
        steps: All steps of the graph, in order.
        gate: What the privacy gate decided (schema verdict), when it has.
        settings: All settings of the run.
    """
    failed = next((record for record in records.values() if record.status == "failed"), None)
    ended = [record.finished_at for record in records.values()]
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run,
        "verdict": _verdict(records, failed, gate),
        "started_at": min((record.started_at for record in records.values()), default=None),
        "finished_at": max(ended, default=None),
        "steps": {step: _step(records.get(step)) for step in steps},
        "digests": _digests(records),
        "scores": _scores(records),
        "energy_kwh": _sum(records, "energy_kwh"),
        "gco2e": _sum(records, "gco2e"),
        "seconds": _sum(records, "seconds"),
        "cpu_seconds": _sum(records, "cpu_seconds"),
        "error": _error(failed),
        "settings": dict(settings or {}),
    }


def _verdict(records: Mapping[str, StepRecord], failed: StepRecord | None, gate: Mapping[str, Any] | None) -> str:
    if failed is not None and failed.step == _GATE and gate is not None and gate["verdict"] != "pass":
        return "quarantined" if gate["verdict"] == "quarantine" else "needs_human"
    if failed is not None:
        return "failed"
    publish = records.get("publish-model")
    if publish is None:
        return "unfinished"
    return "published" if publish.results["published"] else "not_published"


def _step(record: StepRecord | None) -> dict[str, Any]:
    if record is None:
        return {"status": "not_run", "seconds": 0.0, "cpu_seconds": 0.0, "energy_kwh": 0.0, "reused_from": None}
    return {
        "status": record.status,
        **{name: record.drawn(name) for name in ("seconds", "cpu_seconds", "energy_kwh")},
        "reused_from": record.reused_from,
    }


def _digests(records: Mapping[str, StepRecord]) -> dict[str, str | None]:
    source = records["prepare-data"].results.get("source_digest") if "prepare-data" in records else None
    places = {
        "dataset": ("prepare-data", "output_dataset"),
        "protected_dataset": (_GATE, "protected_dataset"),
        "permit": (_GATE, "privacy_permit"),
        "model": ("fine-tune-model", "output_model"),
    }
    found = {name: _output_digest(records.get(step), output) for name, (step, output) in places.items()}
    return {"source": source, **found}


def _output_digest(record: StepRecord | None, output: str) -> str | None:
    artifact = record.outputs.get(output) if record else None
    return artifact.digest if artifact else None


def _scores(records: Mapping[str, StepRecord]) -> dict[str, dict[str, float]] | None:
    record = records.get("benchmark-model")
    if record is None or record.status == "failed":
        return None
    return {
        model: {name: float(record.results[model][name]) for name in ("exact_match", "f1")}
        for model in ("untuned", "tuned")
    }


def _sum(records: Mapping[str, StepRecord], name: str) -> float:
    return round(sum(record.drawn(name) for record in records.values()), 9)


def _error(failed: StepRecord | None) -> dict[str, Any] | None:
    if failed is None or failed.error is None:
        return None
    return {"step": failed.step, "type": failed.error.type, "message": failed.error.message}
