"""The figures of a run in three parts: technical, operational, environmental.

The sums are those of the energy ledger: what a run took is added up in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubepipe.energy import EnergyRecord, EnergyTotal, Source, total
from kubepipe.reporting.model import RunView, Step, table, view
from kubepipe.reporting.numbers import number

SCHEMA_VERSION: Final = 1
_WH_PER_KWH: Final = 1000.0

Figure = dict[str, str | float | None]


def sustainability(records: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The figures as a JSON document (schema sustainability-metrics).

    Args:
        records: Step records (schema step-record) by step; those of a run that is not finished will do.
    """
    seen = view(records, {})
    ledger = total(_energy_records(seen))
    return {
        "schema_version": SCHEMA_VERSION,
        "run": next((str(record["run"]) for record in records.values() if record.get("run")), None),
        "technical": _technical(seen),
        "operational": _operational(seen, ledger),
        "environmental": _environmental(seen, ledger),
        "steps": [_step(step) for step in seen.ran()],
        "method": sorted({str(step.energy["method"]) for step in seen.ran() if step.energy.get("method")}),
        "grid": next((dict(step.energy["grid"]) for step in seen.ran() if step.energy.get("grid")), None),
    }


def _technical(seen: RunView) -> dict[str, Figure]:
    scores, history = seen.results("benchmark-model"), seen.results("fine-tune-model")
    untuned, tuned = table(scores.get("untuned")), table(scores.get("tuned"))
    return {
        "exact_match_untuned": _measured("Exact match, untuned", untuned.get("exact_match"), "%"),
        "exact_match_tuned": _measured("Exact match, tuned", tuned.get("exact_match"), "%"),
        "f1_untuned": _measured("F1, untuned", untuned.get("f1"), "%"),
        "f1_tuned": _measured("F1, tuned", tuned.get("f1"), "%"),
        "f1_gain": _measured("F1 gained", _gain(seen), "points"),
        "training_loss": _measured("Training loss at the end", _last_loss(history), "nats"),
        "validation_loss_before": _measured("Held-out loss before", history.get("validation_loss_before"), "nats"),
        "validation_loss_after": _measured("Held-out loss after", history.get("validation_loss_after"), "nats"),
        "training_tokens": _measured("Tokens trained on", history.get("tokens"), "tokens"),
        "tokens_per_second": _measured("Training speed", history.get("tokens_per_second"), "tokens/s"),
        "tokens_saved_factor": _measured(
            "Tokens saved by reading contexts once", history.get("tokens_saved_factor"), "times"
        ),
        "padding_share": _measured("Padding among the tokens", history.get("padding_share"), "share"),
        "label_share": _measured("Trained tokens among them", history.get("label_share"), "share"),
        "flops_utilisation": _measured(
            "Share of the machine's matrix product rate (MFU)", history.get("flops_utilisation"), "share"
        ),
        "peak_gpu_bytes": _measured("Most memory on the graphics processor", _gpu_bytes(history), "bytes"),
        "trainable_parameters": _measured("Parameters trained", history.get("trainable_parameters"), "parameters"),
    }


def _operational(seen: RunView, ledger: EnergyTotal) -> dict[str, Figure]:
    statuses = [step.status for step in seen.ran()]
    cores = ledger.cpu_seconds / ledger.seconds if ledger.seconds else None
    return {
        "seconds": _measured("Time of all steps", ledger.seconds, "s"),
        "cpu_seconds": _measured("CPU time of all steps", ledger.cpu_seconds, "s"),
        "cores_in_use": _measured("Cores in use on average", cores, "cores"),
        "peak_rss_bytes": _measured("Most memory of any step", ledger.peak_rss_bytes or None, "bytes"),
        "requested_cpu_used": _measured(
            "Requested processor time in use", _used(seen, "cpu_seconds", "requested_cores"), "share"
        ),
        "requested_memory_used": _measured(
            "Requested memory in use at each step's peak", _used(seen, "peak_rss_bytes", "requested_bytes"), "share"
        ),
        "steps_succeeded": _measured("Steps that worked", statuses.count("succeeded"), "steps"),
        "steps_reused": _measured("Steps taken from an earlier run", statuses.count("reused"), "steps"),
        "steps_failed": _measured("Steps that failed", statuses.count("failed"), "steps"),
        "retries": _measured("Further attempts of steps", _retries(seen), "attempts"),
        "answers_per_second": _measured("Answers of the tuned model", _answers_per_second(seen), "answers/s"),
        "cost": _figure("Price of the electricity", ledger.cost, ledger.currency or "currency", "assumed"),
    }


def _environmental(seen: RunView, ledger: EnergyTotal) -> dict[str, Figure]:
    sources = ledger.sources
    benchmark = total(_energy_records(seen, "benchmark-model"))
    tokens = _own_units(seen.step("fine-tune-model"), "tokens")
    # Both models answer every held-out question.
    answers = 2 * _own_units(seen.step("benchmark-model"), "total")
    gain = _gain(seen)
    per_point = ledger.energy_kwh * _WH_PER_KWH / gain if tokens and gain is not None and gain > 0 else None
    pue = next((number(step.energy.get("pue")) for step in seen.ran() if step.energy), None)

    def of(name: str, label: str, value: float | None, unit: str) -> Figure:
        return _figure(label, value, unit, sources.get(name, "modelled"))

    return {
        "energy_kwh": of("energy_kwh", "Electricity", ledger.energy_kwh, "kWh"),
        "energy_uncertainty": of(
            "energy_kwh", "Uncertainty of the electricity, plus or minus", ledger.uncertainty, "share"
        ),
        "cpu_kwh": of("cpu_kwh", "of it processors", ledger.parts.cpu_kwh, "kWh"),
        "ram_kwh": of("ram_kwh", "of it memory", ledger.parts.ram_kwh, "kWh"),
        "gpu_kwh": of("gpu_kwh", "of it graphics processors", ledger.parts.gpu_kwh, "kWh"),
        "failed_attempts_kwh": of("energy_kwh", "of it attempts that failed", _failed_kwh(seen), "kWh"),
        "gco2e": of("gco2e", "Carbon", ledger.gco2e, "gCO2e"),
        "water_litres": of("water_litres", "Water on site", ledger.water_litres, "litres"),
        "pue": _figure("Overhead of the site (PUE)", pue, "times", "assumed"),
        "sci_per_1000_training_tokens": of(
            "gco2e", "Carbon of the run per 1,000 training tokens", ledger.sci_per_1000_training_tokens(tokens), "gCO2e"
        ),
        "sci_per_1000_answers": of(
            "gco2e", "Carbon per 1,000 answers", benchmark.sci_per_1000_answers(answers), "gCO2e"
        ),
        "wh_per_f1_point": of("energy_kwh", "Electricity per F1 point gained", per_point, "Wh"),
        "break_even_answers": of(
            "energy_kwh",
            "Answers until the tuned model has saved what the run took",
            _break_even(seen, ledger.energy_kwh, benchmark.energy_kwh),
            "answers",
        ),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "step": step.name,
        "status": step.status,
        "seconds": step.figure("seconds") or 0.0,
        "cpu_seconds": step.figure("cpu_seconds") or 0.0,
        "peak_rss_bytes": int(step.figure("peak_rss_bytes") or 0),
        **{name: _drawn(step, name) for name in ("energy_kwh", "gco2e")},
    }


def _drawn(step: Step, name: str) -> float:
    return sum(number(each.get(name)) or 0.0 for each in (step.energy, *step.earlier))


def _energy_records(seen: RunView, name: str | None = None) -> list[EnergyRecord]:
    """Energy records of all attempts of all steps, or of the attempt of one step that counted."""
    steps = [step for step in seen.ran() if step.energy and name in {None, step.name}]
    earlier = [each for step in steps for each in step.earlier] if name is None else []
    return [EnergyRecord.from_document(each) for each in (*(step.energy for step in steps), *earlier)]


def _used(seen: RunView, used: str, requested: str) -> float | None:
    """Share of what the pods requested that was used, over the time of the steps; None where nothing was requested.

    It is above 1 where steps used more than they requested, up to their limits.
    """
    held = taken = 0.0
    for step in seen.ran():
        seconds, asked, had = step.figure("seconds"), step.figure(requested), step.figure(used)
        if seconds and asked and had is not None:
            held += asked * seconds
            taken += had if used == "cpu_seconds" else had * seconds
    return taken / held if held else None


def _failed_kwh(seen: RunView) -> float | None:
    """None where no attempt failed before the one that counted."""
    earlier = [number(each.get("energy_kwh")) or 0.0 for step in seen.ran() for each in step.earlier]
    return sum(earlier) if earlier else None


def _retries(seen: RunView) -> int:
    return sum(int(step.figure("attempt") or 1) - 1 for step in seen.ran())


def _gain(seen: RunView) -> float | None:
    scores = seen.results("benchmark-model")
    before, after = (number(table(scores.get(side)).get("f1")) for side in ("untuned", "tuned"))
    return after - before if before is not None and after is not None else None


def _break_even(seen: RunView, run_kwh: float, benchmark_kwh: float) -> float | None:
    """Answers after which the run has paid for itself; None where the tuned model takes no less than the untuned one.

    A tuned model answers in fewer tokens. The electricity of the benchmark is divided between the two models by their
    time; what else the step does counts for both.
    """
    answers = _own_units(seen.step("benchmark-model"), "total")
    seconds = table(seen.results("benchmark-model").get("answer_seconds"))
    untuned, tuned = number(seconds.get("untuned")), number(seconds.get("tuned"))
    if not answers or not benchmark_kwh or not untuned or not tuned or untuned <= tuned:
        return None
    return run_kwh / (benchmark_kwh * (untuned - tuned) / (untuned + tuned) / answers)


def _gpu_bytes(history: Mapping[str, Any]) -> float | None:
    return number(history.get("peak_gpu_bytes")) or None


def _own_units(step: Step, name: str) -> int:
    """Units of work of a step; none when its results come from an earlier run, whose energy is not in this ledger."""
    taken = step.status == "reused" and step.record.get("reused_from") != step.record.get("run")
    return 0 if taken else int(number(step.results.get(name)) or 0)


def _last_loss(history: Mapping[str, Any]) -> float | None:
    losses = history.get("losses") or []
    return number(losses[-1].get("loss")) if losses else None


def _answers_per_second(seen: RunView) -> float | None:
    scores = seen.results("benchmark-model")
    answers, seconds = number(scores.get("total")), number(table(scores.get("answer_seconds")).get("tuned"))
    return answers / seconds if answers and seconds else None


def _measured(label: str, value: Any, unit: str) -> Figure:
    return _figure(label, value, unit, "measured")


def _figure(label: str, value: Any, unit: str, source: Source) -> Figure:
    return {"label": label, "value": number(value), "unit": unit, "source": source}
