"""A run as its steps would have recorded it."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable
from typing import Any

import pytest

from kubepipe.reporting import Example
from kubepipe.settings.model import Settings

_GRID = {
    "country": "DEU",
    "gco2e_per_kwh": 380.95,
    "year": 2023,
    "source": "yearly average by location, codecarbon 3.3.2",
}
_VERSIONS = {
    "kubepipe": "0.1.0",
    "python": "3.11.9",
    "torch": "2.13.0",
    "transformers": "5.23.0",
    "code": "sha256:" + "c" * 64,
}

# Seconds, CPU seconds and memory of each step, as a laptop takes them.
_STEPS = {
    "prepare-data": (2.1, 2.0, 210, ("output_dataset",)),
    "assess-privacy-risk": (31.4, 30.9, 640, ("risk_report",)),
    "anonymize-data": (74.8, 73.2, 880, ("anonymized_dataset",)),
    "minimize-data": (1.8, 1.7, 220, ("minimized_dataset",)),
    "verify-privacy": (38.6, 37.9, 720, ("protected_dataset", "privacy_permit")),
    "fine-tune-model": (412.0, 801.5, 3480, ("output_model", "training_history", "sustainability_metrics")),
    "benchmark-model": (187.3, 361.0, 1910, ("metrics",)),
    "evaluate-and-plot-metrics": (0.6, 0.6, 150, ("metrics", "plot_html", "summary_markdown")),
    "model-inference": (12.9, 24.1, 1890, ("inference_results",)),
    "publish-model": (1.2, 1.1, 160, ("release",)),
}


def digest(name: str) -> str:
    """A digest that stands for the thing of that name."""
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def _energy(seconds: float, cpu_seconds: float, mebibytes: int) -> dict[str, Any]:
    cpu, ram = cpu_seconds * 4 / 3.6e6, seconds * mebibytes / 1024 * 0.3725 / 3.6e6
    return {
        "schema_version": 1, "energy_kwh": cpu + ram, "gco2e": (cpu + ram) * 1.2 * 380.95, "water_litres": 0.0,
        "cost": (cpu + ram) * 1.2 * 0.3, "currency": "EUR", "seconds": seconds, "cpu_seconds": cpu_seconds,
        "peak_rss_bytes": mebibytes * 2**20, "parts": {"cpu_kwh": cpu, "ram_kwh": ram, "gpu_kwh": 0.0},
        "sources": {"energy_kwh": "modelled", "cpu_kwh": "modelled", "ram_kwh": "modelled", "gpu_kwh": "measured",
                    "gco2e": "modelled", "water_litres": "assumed", "cost": "assumed", "pue": "assumed"},
        "uncertainty": 0.66, "method": "processor 4 W per busy core, times own CPU seconds; memory 0.3725 W per GiB",
        "grid": _GRID, "pue": 1.2,
    }  # fmt: skip


_TYPES = (
    ("PERSON", "DIRECT", 1740, 611), ("EMAIL", "DIRECT", 41, 41), ("PHONE", "DIRECT", 33, 31),
    ("IBAN", "DIRECT", 18, 18), ("PLACE", "QUASI", 1822, 402), ("DATE", "QUASI", 918, 640),
    ("HEALTH", "ART9", 143, 37), ("MISC", "OTHER", 388, 251),
)  # fmt: skip


def _share(hits: int, total: int) -> dict[str, Any]:
    share = hits / total
    return {"share": share, "interval": [max(0.0, share - 0.04), min(1.0, share + 0.04)]}


def _risk(less: int) -> dict[str, Any]:
    tokens = 61_240
    types = [
        {
            "class": cls,
            "type": name,
            "mentions": mentions - less,
            "distinct": distinct,
            "passages": 12,
            "density_per_1000_tokens": (mentions - less) * 1000 / tokens,
        }
        for name, cls, mentions, distinct in _TYPES
    ]
    classes = []
    for cls in ("DIRECT", "QUASI", "ART9", "OTHER"):
        mentions = sum(int(row["mentions"]) for row in types if row["class"] == cls)
        classes.append(
            {
                "class": cls,
                "mentions": mentions,
                "distinct": 99,
                "passages": 12,
                "density_per_1000_tokens": mentions * 1000 / tokens,
            }
        )
    return {
        "schema_version": 1, "language": "en", "risk": "yes", "reasons": ["direct_identifiers", "sensitive_linkage"],
        "tokens": tokens, "questions": 2110, "classes": classes, "types": types,
        "passages": {"total": 420, "with_direct": 297, "with_quasi": 388, "with_sensitive_linkage": 34,
                     "unique_quasi_sets": 211},
        "shares": {"at_risk": _share(297, 420), "sensitive_linkage": _share(34, 420), "singling_out": _share(211, 420),
                   "questions_at_risk": _share(1502, 2110)},
        "columns": [{"name": "author", "role": "direct", "rows": 420, "distinct": 87, "uniqueness": 0.207}],
        "splits": {"train": {"passages": 336, "questions": 1688, "tokens": 49_000, "with_direct": 240}},
    }  # fmt: skip


_MEASURES = {
    "passages_before": 420, "passages_after": 418, "questions_before": 2110, "questions_after": 2096,
    "tokens_after": 61_011, "direct_values": 1322, "leaks": 0, "leaking_passages": 0, "leaking_share": 0.0,
    "leaking_share_interval": [0.0, 0.0091], "redetected": 38, "redetected_per_1000_tokens": 0.6228, "answers": 2096,
    "aligned": 2096, "aligned_share": 1.0, "dropped_share": 0.00664, "changed_answer_counts": 0, "foreign_passages": 0,
    "consistency": 0.998, "extra_columns": 0,
}  # fmt: skip


def _score(exact: float, f1: float, half: float) -> dict[str, Any]:
    return {
        "exact_match": exact, "f1": f1, "exact_match_interval": [exact - half, exact + half],
        "f1_interval": [f1 - half, f1 + half],
    }  # fmt: skip


def _side(exact: float, f1: float, half: float) -> dict[str, Any]:
    parts = {
        "has_answer": {"exact_match": exact + 2, "f1": f1 + 3, "total": 380},
        "no_answer": {"exact_match": exact - 9, "f1": exact - 9, "total": 42},
    }
    return {**_score(exact, f1, half), "missing": 0, **parts}  # fmt: skip


def _group(name: str, total: int, before: float, after: float) -> dict[str, Any]:
    return {"name": name, "total": total, "untuned": {"exact_match": before - 8, "f1": before},
            "tuned": {"exact_match": after - 10, "f1": after}}  # fmt: skip


def _losses() -> list[dict[str, float]]:
    return [
        {
            "step": step, "loss": 3.1 * math.exp(-step / 60) + 0.9 + 0.25 * math.sin(step * 2.3), "epoch": step / 210,
            "learning_rate": 5e-4 * min(step / 25, (421 - step) / 396), "seconds": step * 0.98,
        }
        for step in range(1, 421)
    ]  # fmt: skip


def _alone(unique: int, smallest: tuple[int, int, int]) -> dict[str, Any]:
    return {
        "records": 420, "with_values": 415, "examined": 415, "unique": unique,
        "unique_interval": [unique / 420, unique / 420], "smallest": list(smallest), "combinations": [990, 120, 4],
        "wide": 0,
    }  # fmt: skip


_PEOPLE = {
    "chosen": "detected", "absent": ["ward"], "quasi_identifiers": ["age", "town"], "rows": 418, "classes": 233, "k": 1,
    "unique": 160, "prosecutor_risk": 1.0, "average_risk": 0.557, "at_risk": 0.845,
    "sensitive": [{"name": "diagnosis", "l": 1, "entropy_l": 1.0, "t": 0.913}],
}  # fmt: skip
_ATTACKS = {
    "singled_out": _alone(26, (24, 2, 0)),
    "linkage": {"examined": 401, "pool": 418, "linked": 31, "linked_control": 14, "beyond": 21, "by_chance": 0.4,
                "beyond_share": 0.054, "beyond_interval": [0.054, 0.054]},
    "disagreement": {"detector": "names", "examined": 418, "findings": 15, "passages": 9, "share": 0.0215,
                     "interval": [0.0215, 0.0215]},
}  # fmt: skip

_RESULTS: dict[str, dict[str, Any]] = {
    "prepare-data": {"format": "squad", "splits": {"train": {"passages": 336, "questions": 1688, "unanswerable": 0}},
                     "counts": {"duplicate_question": 3}},
    "assess-privacy-risk": {**_risk(0), "singled_out": _alone(412, (388, 17, 2)), "people": _PEOPLE},
    "anonymize-data": {
        "rounds": [{"round": 1, "verdict": "quarantine", "reasons": ["residual_direct"]},
                   {"round": 2, "verdict": "pass", "reasons": []}],
        "entities_replaced": {"PERSON": 1790, "PLACE": 1811, "DATE": 902, "EMAIL": 41, "PHONE": 33, "IBAN": 18},
        "questions_dropped": {"answer_vanished": 14},
    },
    "minimize-data": {"columns_dropped": {"author": 420, "source_url": 420}, "ids_replaced": 2110},
    "verify-privacy": {
        "verdict": "pass", "reasons": [],
        "measures": {**_MEASURES, "attacks": _ATTACKS},
        "after": {**_risk(2), "singled_out": _alone(409, (380, 20, 3)), "people": None},
    },
    "fine-tune-model": {
        "model": "SmolLM2-135M-Instruct", "method": "lora", "losses": _losses(), "validation_loss_before": 2.914,
        "validation_loss_after": 0.981, "epochs": 2.0, "questions": 1688, "contexts": 336, "tokens": 512_340,
        "padding_share": 0.031, "tokens_saved_factor": 3.42, "tokens_per_second": 1243.5, "schema_version": 1,
        "model_origin": "package", "model_licence": "Apache-2.0", "base_digest": digest("base"),
        "model_digest": digest("model"), "steps": 420, "rows": 336, "packing": "context_once", "left_out_questions": 0,
        "padding_tokens": 16_390, "label_tokens": 20_100, "unshared_tokens": 1_752_200, "label_share": 0.0392,
        "seconds": 412.0, "cpu_seconds": 801.5, "peak_rss_bytes": 3480 * 2**20, "threads": 2, "resumed_from_step": 0,
        "processes": 1, "tokens_at_once": 512, "gradient_checkpointing": False, "peak_gpu_bytes": 0,
        "training_flops": 2.3e14, "product_flops_per_second": 7.8e11, "flops_utilisation": 0.7157,
        "trainable_parameters": 4_884_480, "total_parameters": 139_400_000, "device": "cpu", "precision": "bf16",
        "windowed_contexts": 0,
    },
    "benchmark-model": {
        "schema_version": 1, "definition": "2.0", "level": 0.95, "resamples": 1000, "total": 422,
        "untuned": _side(21.8, 34.6, 3.4), "tuned": _side(47.2, 60.9, 3.8),
        "difference": _score(25.4, 26.3, 4.1), "answer_seconds": {"untuned": 92.1, "tuned": 90.4},
        "breakdowns": {
            "question_word": [_group("what", 201, 33.1, 59.2), _group("who", 74, 44.0, 71.3),
                              _group("when", 51, 39.5, 74.8), _group("how", 48, 28.9, 49.0),
                              _group("where", 31, 36.2, 55.1), _group("why", 17, 19.8, 35.6)],
            "answer_length": [_group("1 word", 158, 38.2, 69.7), _group("2 words", 97, 37.9, 66.0),
                              _group("3-4 words", 101, 33.4, 57.9), _group("10 words or more", 66, 22.5, 37.2)],
        },
    },
    "evaluate-and-plot-metrics": {},
    "model-inference": {"answered": 20, "no_answer": 1, "mean_confidence": 0.71},
    "publish-model": {"published": True, "reasons": [], "release": digest("model")},
}  # fmt: skip


def _record(step: str) -> dict[str, Any]:
    seconds, cpu_seconds, mebibytes, outputs = _STEPS[step]
    return {
        "schema_version": 1, "run": "2026-11-20-clinic", "step": step, "status": "succeeded",
        "started_at": "2026-11-20T09:00:00+00:00", "finished_at": "2026-11-20T09:01:00+00:00", "seconds": seconds,
        "cpu_seconds": cpu_seconds, "peak_rss_bytes": mebibytes * 2**20,
        "energy": _energy(seconds, cpu_seconds, mebibytes),
        "memo_key": digest(f"memo {step}"), "settings_digest": digest(f"settings {step}"), "inputs": {},
        "outputs": {name: {"digest": digest(f"{step} {name}"), "bytes_digest": digest(f"bytes {name}"), "uri": "x"}
                    for name in outputs},
        "versions": _VERSIONS, "results": copy.deepcopy(_RESULTS[step]), "reused_from": None, "error": None,
    }  # fmt: skip


def make_records() -> dict[str, dict[str, Any]]:
    """Records of a run that was published."""
    return {step: _record(step) for step in _STEPS}


def make_run(records: dict[str, dict[str, Any]], verdict: str = "published") -> dict[str, Any]:
    """The run document that goes with records."""
    failed = next((record for record in records.values() if record["status"] == "failed"), None)
    return {
        "schema_version": 1, "run": "2026-11-20-clinic", "verdict": verdict, "started_at": "2026-11-20T09:00:00+00:00",
        "finished_at": "2026-11-20T09:13:00+00:00",
        "steps": {step: {"status": records[step]["status"] if step in records else "not_run"} for step in _STEPS},
        "digests": {"source": digest("source"), "dataset": digest("prepare-data output_dataset"), "permit": None},
        "scores": None, "energy_kwh": sum(record["energy"]["energy_kwh"] for record in records.values()),
        "gco2e": sum(record["energy"]["gco2e"] for record in records.values()),
        "seconds": sum(record["seconds"] for record in records.values()),
        "cpu_seconds": sum(record["cpu_seconds"] for record in records.values()),
        "error": {"step": failed["step"], **failed["error"]} if failed else None,
        "settings": Settings().model_dump(mode="json"),
    }  # fmt: skip


def make_examples() -> list[Example]:
    """Questions and answers of a protected data set."""
    return [
        Example("Who took over the ward in 1987?", "Sister Helen Marsh", "The ward was taken", "Sister Helen Marsh"),
        Example("How many beds did the new wing have?", "forty-two", "42 beds in two rooms", "forty-two"),
        Example("What was the name of the donor?", "", "The donor", ""),
        Example(
            "Where did Dr Oluwaseun Brandt study medicine?",
            "the University of Leeds",
            "Leeds, where he studied medicine and later taught for many years",
            "University of Leeds",
        ),
    ]  # fmt: skip


def quarantined() -> dict[str, dict[str, Any]]:
    """Records of a run that the gate ended."""
    records = {step: _record(step) for step in list(_STEPS)[:5]}
    gate = records["verify-privacy"]
    gate["status"], gate["outputs"] = "failed", {}
    gate["error"] = {"type": "QuarantinedError", "message": "run x: the privacy gate says quarantine", "exit_code": 3}
    gate["results"]["verdict"] = "quarantine"
    gate["results"]["reasons"] = [
        {"code": "direct_identifier_left", "text": "Direct identifiers of the original stand in 3 of 418 passages."}
    ]
    gate["results"]["measures"] |= {"leaking_passages": 3, "leaking_share": 3 / 418, "leaks": 4}
    return records


@pytest.fixture
def records() -> dict[str, dict[str, Any]]:
    """Records of a run that was published."""
    return make_records()


@pytest.fixture
def run(records: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The run document of the published run."""
    return make_run(records)


@pytest.fixture
def examples() -> list[Example]:
    """Questions and answers of its protected data."""
    return make_examples()


@pytest.fixture
def quarantined_records() -> dict[str, dict[str, Any]]:
    """Records of a run that the gate ended."""
    return quarantined()


@pytest.fixture
def run_of() -> Callable[..., dict[str, Any]]:
    """Makes the run document that goes with records."""
    return make_run


@pytest.fixture(scope="session")
def sample() -> Callable[[str], tuple[dict[str, dict[str, Any]], dict[str, Any], list[Example]]]:
    """Records, run document and examples of a run by how it ended."""

    def make(ended: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any], list[Example]]:
        if ended == "published":
            records = make_records()
            return records, make_run(records), make_examples()
        if ended == "quarantined":
            records = quarantined()
            return records, make_run(records, "quarantined"), []
        return {}, {}, []

    return make
