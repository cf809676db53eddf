"""After the graph: what the run came to, and its results where a person looks for them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import UserError
from kubepipe.pipeline.folder import RunFolder
from kubepipe.pipeline.sweep import sweep
from kubepipe.records import write_document, write_text
from kubepipe.records.run import load_records, run_document
from kubepipe.records.step import StepRecord, read_record
from kubepipe.reporting import Example, render_html, render_markdown
from kubepipe.sealing import shred
from kubepipe.settings import Settings
from kubepipe.stages.catalogue import STAGES
from kubepipe.storage import FolderStore, Store, fetch_uri

_EXIT_CODES: Final = {"published": 0, "not_published": 0, "quarantined": 3, "needs_human": 3}
_EXAMPLES: Final = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a local run came to.

    Attributes:
        document: The run (schema run).
        records: Records by step.
        exit_code: 0 done, 2 bad input, 3 kept by the gate, 1 anything else.
        error: One line, when a step failed.
    """

    document: Mapping[str, Any]
    records: Mapping[str, StepRecord]
    exit_code: int
    error: str | None


def finish(folder: RunFolder, run: str, settings: Settings) -> Outcome:
    """Collect a local run; the data key of a finished one is destroyed, and what no record names is cleared."""
    store = FolderStore(folder.store)
    outcome = collect(folder, store, run, settings)
    if outcome.exit_code == 0:
        # From here on the sealed raw data cannot be opened any more.
        shred(store, run)
        sweep(folder, outcome.records)
    return outcome


def collect(folder: RunFolder, store: Store, run: str, settings: Settings, *, with_model: bool = True) -> Outcome:
    """Read the records of a run, put its results into the folder, write run.json and the report.

    Bad input (exit code 2) writes nothing.
    """
    records = load_records(store, run, STAGES)
    gate = read_record(store, f"runs/{run}/verdict.json", "verdict")
    document = run_document(run, records, list(STAGES), gate=gate, settings=settings.model_dump(mode="json"))
    code = exit_code_of(document, records)
    error = document["error"]["message"] if document["error"] else None
    if not records:
        return Outcome(document, records, 1, f"the engine ended before any step; see {folder.logs / 'engine.log'}")
    if code == UserError.exit_code:
        return Outcome(document, records, code, error)
    _place(folder, records, with_model=with_model)
    documents = {name: record.document() for name, record in records.items()}
    if gate is not None and gate["verdict"] != "pass":
        documents["verify-privacy"]["results"] = gate
    write_document(folder.run_json, document, "run")
    write_text(folder.report, render_html(documents, document, examples=_examples(folder)))
    write_text(folder.summary, render_markdown(documents, document))
    return Outcome(document, records, code, error)


def exit_code_of(document: Mapping[str, Any], records: Mapping[str, StepRecord]) -> int:
    """0 done, 2 bad input, 3 kept by the gate, 1 anything else."""
    known = _EXIT_CODES.get(document["verdict"])
    if known is not None:
        return known
    failed = next((record.error for record in records.values() if record.error is not None), None)
    is_bad_input = failed is not None and failed.exit_code == UserError.exit_code
    return UserError.exit_code if is_bad_input else 1


def _place(folder: RunFolder, records: Mapping[str, StepRecord], *, with_model: bool) -> None:
    """Put the results of this run into the folder; what an earlier run left there and this one has not goes."""
    wanted = {
        folder.dataset: ("verify-privacy", "protected_dataset"),
        folder.model: ("fine-tune-model", "output_model"),
        folder.inference_results: ("model-inference", "inference_results"),
    }
    if not with_model:
        del wanted[folder.model]
    for target, (step, output) in wanted.items():
        record = records.get(step)
        artifact = record.outputs.get(output) if record is not None and record.status != "failed" else None
        if artifact is not None:
            fetch_uri(artifact.uri, target)
        elif target.exists():
            _remove(target)
    permit = records["verify-privacy"].outputs.get("privacy_permit") if "verify-privacy" in records else None
    if permit is not None:
        fetch_uri(permit.uri, folder.dataset / "permit.json")


def _remove(target: Path) -> None:
    shutil.rmtree(target) if target.is_dir() else target.unlink()


def _examples(folder: RunFolder) -> list[Example]:
    if not folder.inference_results.is_file():
        return []
    lines = folder.inference_results.read_text(encoding="utf-8").rstrip("\n").split("\n")[:_EXAMPLES]
    return [
        Example(
            question=line["question"],
            gold=line["answers"][0] if line["answers"] else "",
            untuned=line["untuned_prediction"],
            tuned=line["prediction"],
        )
        for line in map(json.loads, lines)
    ]
