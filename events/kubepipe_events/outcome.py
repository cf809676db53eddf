"""What a run has come to, read from the records of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubepipe.pipeline.remote.failures import failure_of
from kubepipe.records.run import load_records, run_document
from kubepipe.records.step import StepRecord, read_record
from kubepipe.stages.catalogue import STAGES
from kubepipe.storage import Store

_DONE: Final = frozenset({"published", "not_published"})
KEPT: Final = frozenset({"quarantined", "needs_human"})
"""Verdicts of runs whose data the privacy gate keeps."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has come to so far.

    Attributes:
        verdict: As in run.json: published, not_published, quarantined, needs_human, failed, unfinished.
        step: Step that works now, or failed.
        finished: Steps with a record.
        energy_kwh: Energy of the finished steps.
        fields: Fields for the status of a DatasetRun.
        cause: Why it failed, in one word; empty when it did not.
        message: Why it failed, in a line.
        started: When the first step began.
    """

    verdict: str
    step: str | None
    finished: int
    energy_kwh: float
    fields: Mapping[str, Any]
    cause: str = ""
    message: str = ""
    started: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether the graph went to its end."""
        return self.verdict in _DONE

    @property
    def is_kept(self) -> bool:
        """Whether the privacy gate keeps the data."""
        return self.verdict in KEPT


def read_outcome(store: Store, run: str) -> Outcome:
    """What a run has come to, from its records.

    Raises:
        IntegrityError: A record does not fit its schema.
    """
    records = load_records(store, run, STAGES)
    gate = read_record(store, f"runs/{run}/verdict.json", "verdict")
    document = run_document(run, records, list(STAGES), gate=gate)
    failed = next((record for record in records.values() if record.status == "failed"), None)
    step = failed.step if failed else next((step for step in STAGES if step not in records), None)
    failure = failure_of(failed) if failed else None
    return Outcome(
        verdict=document["verdict"],
        step=step,
        finished=len(records),
        energy_kwh=document["energy_kwh"],
        fields=_fields(document, records, gate),
        cause=failure.cause if failure else "",
        message=failure.message if failure else "",
        started=document["started_at"],
    )


def _fields(
    document: Mapping[str, Any], records: Mapping[str, StepRecord], gate: Mapping[str, Any] | None
) -> dict[str, Any]:
    scores = document["scores"]
    report = records.get("evaluate-and-plot-metrics")
    page = report.outputs.get("plot_html") if report else None
    digest = document["digests"]["protected_dataset"] or (gate or {}).get("dataset_digest")
    fields = {
        "exactMatch": _sides(scores, "exact_match"),
        "f1": _sides(scores, "f1"),
        "energyKwh": f"{document['energy_kwh']:.6f}" if records else None,
        "gco2e": f"{document['gco2e']:.3f}" if records else None,
        "datasetDigest": digest,
        "report": page.uri if page else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _sides(scores: Mapping[str, Mapping[str, float]] | None, name: str) -> dict[str, float] | None:
    if scores is None:
        return None
    return {"before": round(scores["untuned"][name], 1), "after": round(scores["tuned"][name], 1)}
