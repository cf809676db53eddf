from __future__ import annotations

from typing import Any

import pytest

from kubepipe.records import validate
from kubepipe.reporting import sustainability

Records = dict[str, dict[str, Any]]


def test_document_fits_its_schema(records: Records, quarantined_records: Records) -> None:
    """The figures fit their schema for whole runs, ended runs and no run."""
    for each in (records, quarantined_records, {}):
        validate(sustainability(each), "sustainability-metrics", place="test")


def test_the_steps_add_up(records: Records) -> None:
    """Electricity and carbon of the run are the sums of its steps, and the parts sum to the whole."""
    figures = sustainability(records)
    environmental = {name: figure["value"] for name, figure in figures["environmental"].items()}
    assert environmental["energy_kwh"] == pytest.approx(sum(step["energy_kwh"] for step in figures["steps"]))
    assert environmental["gco2e"] == pytest.approx(sum(step["gco2e"] for step in figures["steps"]))
    parts = environmental["cpu_kwh"] + environmental["ram_kwh"] + environmental["gpu_kwh"]
    assert environmental["energy_kwh"] == pytest.approx(parts)


def test_what_a_unit_of_work_takes(records: Records) -> None:
    """Carbon per 1,000 tokens and answers, and electricity per point of F1, follow from the sums."""
    figures = sustainability(records)
    environmental = figures["environmental"]
    benchmark = records["benchmark-model"]["energy"]["gco2e"]
    assert environmental["sci_per_1000_training_tokens"]["value"] == pytest.approx(
        environmental["gco2e"]["value"] / 512_340 * 1000
    )
    assert environmental["sci_per_1000_answers"]["value"] == pytest.approx(benchmark / (2 * 422) * 1000)
    assert environmental["wh_per_f1_point"]["value"] == pytest.approx(
        environmental["energy_kwh"]["value"] * 1000 / 26.3
    )


def test_attempts_that_failed_count(records: Records) -> None:
    """Their electricity is in the run's and in their step's; what a unit of work takes is the last attempt's."""
    before = sustainability(records)
    assert before["environmental"]["failed_attempts_kwh"]["value"] is None
    energy = records["benchmark-model"]["energy"]
    records["benchmark-model"]["earlier"] = [energy, energy]
    after = sustainability(records)
    values = {name: figure["value"] for name, figure in after["environmental"].items()}
    assert values["failed_attempts_kwh"] == pytest.approx(2 * energy["energy_kwh"])
    assert values["energy_kwh"] == pytest.approx(
        before["environmental"]["energy_kwh"]["value"] + 2 * energy["energy_kwh"]
    )
    assert values["energy_kwh"] == pytest.approx(sum(step["energy_kwh"] for step in after["steps"]))
    assert values["sci_per_1000_answers"] == before["environmental"]["sci_per_1000_answers"]["value"]
    validate(after, "sustainability-metrics", place="test")


def test_requests_are_set_against_what_was_used(records: Records) -> None:
    """Over the time of the steps that requested something; a laptop's steps requested nothing."""
    assert sustainability(records)["operational"]["requested_cpu_used"]["value"] is None
    record = records["fine-tune-model"]
    record.update(seconds=100.0, cpu_seconds=150.0, peak_rss_bytes=3 * 2**30)
    record.update(requested_cores=2.0, requested_bytes=4 * 2**30, attempt=3)
    records["publish-model"].update(seconds=100.0, cpu_seconds=50.0, requested_cores=2.0, attempt=1)
    operational = sustainability(records)["operational"]
    assert operational["requested_cpu_used"]["value"] == pytest.approx(0.5)
    assert operational["requested_memory_used"]["value"] == pytest.approx(0.75)
    assert operational["retries"]["value"] == 2


def test_work_of_an_earlier_run_does_not_count(records: Records) -> None:
    """Tokens and answers of an earlier run are not set against the energy of this one."""
    for step in ("fine-tune-model", "benchmark-model"):
        records[step].update(status="reused", reused_from="an-earlier-run")
    environmental = sustainability(records)["environmental"]
    for name in ("sci_per_1000_training_tokens", "sci_per_1000_answers", "wh_per_f1_point"):
        assert environmental[name]["value"] is None


@pytest.mark.parametrize("tuned", [34.6, 20.0])
def test_no_gain_has_no_price(records: Records, tuned: float) -> None:
    """A model that did not improve has no electricity per point gained."""
    records["benchmark-model"]["results"]["tuned"]["f1"] = tuned
    assert sustainability(records)["environmental"]["wh_per_f1_point"]["value"] is None


def test_break_even(records: Records) -> None:
    """The run has paid for itself after the answers whose saving against the untuned model equals what it took."""
    benchmark = records["benchmark-model"]
    benchmark["results"]["answer_seconds"] = {"untuned": 30.0, "tuned": 10.0}
    environmental = sustainability(records)["environmental"]
    per_second = benchmark["energy"]["energy_kwh"] / 40.0
    saved = environmental["break_even_answers"]["value"] * (20.0 * per_second / benchmark["results"]["total"])
    assert saved == pytest.approx(environmental["energy_kwh"]["value"])


def test_no_break_even_without_electricity(records: Records) -> None:
    """A benchmark whose electricity nobody noted saves nothing that could be told."""
    records["benchmark-model"]["results"]["answer_seconds"] = {"untuned": 30.0, "tuned": 10.0}
    records["benchmark-model"]["energy"] = {}
    assert sustainability(records)["environmental"]["break_even_answers"]["value"] is None


@pytest.mark.parametrize("seconds", [{"untuned": 10.0, "tuned": 10.0}, {"untuned": 10.0, "tuned": 30.0}, {}, None])
def test_no_break_even(records: Records, seconds: dict[str, float] | None) -> None:
    """A tuned model that takes no less electricity than the untuned one never pays for its training."""
    records["benchmark-model"]["results"]["answer_seconds"] = seconds
    assert sustainability(records)["environmental"]["break_even_answers"]["value"] is None
