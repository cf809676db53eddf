"""What runs differ in: settings, data, scores with the paired difference, energy. The first one is the yardstick."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import InputError
from kubepipe.pipeline.folder import RunFolder
from kubepipe.records import read_document
from kubepipe.records.run import load_records
from kubepipe.records.step import StepRecord
from kubepipe.scoring import paired
from kubepipe.stages.catalogue import STAGES
from kubepipe.storage import FolderStore

_RESAMPLES: Final = 2000
_FIGURES: Final = ("seconds", "cpu_seconds", "energy_kwh", "gco2e")


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run as it is compared.

    Attributes:
        name: What the user called it.
        document: What it came to (schema run).
        records: Records by step.
    """

    name: str
    document: Mapping[str, Any]
    records: Mapping[str, StepRecord]

    @property
    def scores(self) -> Mapping[str, Any] | None:
        """Results of benchmark-model, where it came that far."""
        record = self.records.get("benchmark-model")
        return record.results if record is not None and record.status != "failed" else None


def read_run(folder: Path) -> ComparedRun:
    """A run from its folder.

    Raises:
        InputError: The folder holds no run.
        IntegrityError: Its documents do not fit their schemas.
    """
    place = RunFolder(folder)
    if not place.run_json.is_file():
        raise InputError("holds no run.json", place=str(folder), remedy="Give the folder of a run")
    document = read_document(place.run_json, "run")
    return ComparedRun(str(folder), document, load_records(FolderStore(place.store), document["run"], STAGES))


def compare(runs: Sequence[ComparedRun], *, seed: int = 0) -> dict[str, Any]:
    """Compare runs with the first of them.

    Args:
        runs: Two or more.
        seed: Of the resampling.

    Returns:
        JSON-able: `runs` by position, `settings` and `data` with the values of all runs where they differ, and the
        differences of the scores and figures to the first run.
    """
    return {
        "runs": [_row(run) for run in runs],
        "settings": _differing([_flat(run.document["settings"]) for run in runs]),
        "data": _differing([dict(run.document["digests"]) for run in runs]),
        "against_first": [_against(runs[0], run, seed) for run in runs[1:]],
    }


def _row(run: ComparedRun) -> dict[str, Any]:
    scores = run.scores
    return {
        "name": run.name,
        "run": run.document["run"],
        "verdict": run.document["verdict"],
        "questions": scores["total"] if scores else None,
        "exact_match": scores["tuned"]["exact_match"] if scores else None,
        "f1": scores["tuned"]["f1"] if scores else None,
        **{name: run.document[name] for name in _FIGURES},
    }


def _against(first: ComparedRun, run: ComparedRun, seed: int) -> dict[str, Any]:
    before, after = first.scores, run.scores
    found: dict[str, Any] = {
        "name": run.name,
        **{name: run.document[name] - first.document[name] for name in _FIGURES},
        "exact_match": None,
        "f1": None,
        "exact_match_interval": None,
        "f1_interval": None,
        "paired": False,
    }
    if before is None or after is None:
        return found
    found |= {name: after["tuned"][name] - before["tuned"][name] for name in ("exact_match", "f1")}
    old, new = before.get("per_question"), after.get("per_question")
    # Runs split or minimised otherwise answer other questions: their scores cannot be set against each other in pairs.
    if old and new and old["questions"] == new["questions"]:
        ends = paired(_pairs(old), _pairs(new), resamples=_RESAMPLES, seed=seed).document()
        found |= {f"{name}_interval": ends[name] for name in ("exact_match", "f1")}
        found["paired"] = True
    return found


def _pairs(each: Mapping[str, Any]) -> list[tuple[float, float]]:
    return list(zip(each["tuned"]["exact_match"], each["tuned"]["f1"], strict=True))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _differing(values: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for each in values for name in each)
    rows = {name: [each.get(name) for each in values] for name in names}
    return {name: row for name, row in rows.items() if len({json.dumps(value, sort_keys=True) for value in row}) > 1}
