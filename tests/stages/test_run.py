from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kubepipe.errors import InputError, StepFailedError
from kubepipe.records.step import StepRecord, read_step_record
from kubepipe.stages import STAGES, StageSpec, run_stage
from kubepipe.stages.context import StageContext
from kubepipe.storage import FolderStore

Work = Callable[[StageContext], Mapping[str, Any]]


class Bench:
    """A step of its own in a store of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._monkeypatch = folder, monkeypatch
        self.store = FolderStore(folder / "store")
        self.calls = 0
        monkeypatch.setenv("KUBEPIPE_STORE", str(folder / "store"))
        monkeypatch.setenv("KUBEPIPE_RUN", "one")
        (folder / "input").write_text("input", encoding="utf-8")

    def install(self, work: Work, *, reuse: str = "any run") -> None:
        """Make `work` the step's code."""

        def run(context: StageContext) -> Mapping[str, Any]:
            self.calls += 1
            return work(context)

        module = ModuleType("kubepipe.stages.example")
        module.run = run  # type: ignore[attr-defined]
        self._monkeypatch.setitem(sys.modules, "kubepipe.stages.example", module)
        spec = StageSpec("example-step", "example", ("training",), reuse)  # type: ignore[arg-type]
        self._monkeypatch.setitem(STAGES, "example-step", spec)

    def run(self, place: str = "out", settings: str = "{}", run: str = "one", parameter: str = "p") -> StepRecord:
        """Run the step and return its record."""
        self._monkeypatch.setenv("KUBEPIPE_RUN", run)
        try:
            run_stage(
                "example-step",
                settings,
                inputs={"input": str(self.folder / "input")},
                outputs={"result": str(self.folder / place / "result")},
                parameters={"parameter": parameter},
            )
        finally:
            record = read_step_record(self.store, run, "example-step")
        assert record is not None
        return record


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench with a step that copies its input."""
    bench = Bench(tmp_path, monkeypatch)
    bench.install(_copy)
    return bench


def _copy(context: StageContext) -> Mapping[str, Any]:
    context.outputs["result"].write_bytes(context.inputs["input"].read_bytes())
    return {"count": 1}


def test_a_step_leaves_its_output_and_a_record_with_digests(bench: Bench) -> None:
    """The record names what was read and written by digest, and what it took."""
    record = bench.run()
    assert (record.status, record.results) == ("succeeded", {"count": 1})
    assert record.inputs["input"].digest == record.outputs["result"].digest
    assert record.seconds > 0
    assert record.versions["kubepipe"]
    assert [file.name for file in (bench.folder / "out").iterdir()] == ["result"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, (1, None, None)),
        ({"KFP_RETRY_INDEX": "2", "KUBEPIPE_REQUESTED_CORES": "0.25"}, (3, 0.25, None)),
        ({"KUBEPIPE_REQUESTED_CORES": "2", "KUBEPIPE_REQUESTED_BYTES": "1610612736"}, (1, 2.0, 1_610_612_736)),
        ({"KUBEPIPE_REQUESTED_BYTES": "0.1"}, (1, None, None)),  # Kubernetes takes a tenth of a byte
    ],
)
def test_a_record_holds_attempt_and_requests(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, told: dict[str, str], expected: tuple[int, float | None, int | None]
) -> None:
    """As the pod is told them; a laptop tells nothing."""
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    record = bench.run()
    assert (record.attempt, record.requested_cores, record.requested_bytes) == expected


def test_what_failed_attempts_took_stays_with_the_run(bench: Bench) -> None:
    """The record of the attempt that worked holds the energy of those that failed and said so; another run does not."""

    def broken(_: StageContext) -> Mapping[str, Any]:
        # Enough for the system's clock of CPU time, which counts in hundredths.
        enough = time.process_time() + 0.1
        while time.process_time() < enough:
            pass
        raise StepFailedError("the node is tired", place="node")

    bench.install(broken)
    for _ in range(2):
        with pytest.raises(StepFailedError):
            bench.run()
    failed = read_step_record(bench.store, "one", "example-step")
    assert failed is not None
    assert len(failed.earlier) == 1
    bench.install(_copy)
    record = bench.run()
    assert record.earlier == (*failed.earlier, failed.energy)
    assert record.drawn("energy_kwh") == pytest.approx(
        sum(each["energy_kwh"] for each in (record.energy, *record.earlier))
    )
    assert record.drawn("cpu_seconds") > record.cpu_seconds
    again = bench.run("again")
    assert (again.status, again.earlier) == ("reused", record.earlier)
    assert bench.run("other", run="two").earlier == ()


def test_an_equal_step_is_reused_and_keeps_its_time_within_a_run(bench: Bench) -> None:
    """The second time nothing is computed, and the run's time and energy stay what they were."""
    first = bench.run()
    second = bench.run("again")
    assert bench.calls == 1
    assert (second.status, second.reused_from) == ("reused", "one")
    assert (second.seconds, second.energy, second.results) == (first.seconds, first.energy, first.results)
    assert (bench.folder / "again" / "result").read_text(encoding="utf-8") == "input"


def test_another_run_is_not_charged_for_what_it_reuses(bench: Bench) -> None:
    """Time and energy of an earlier run do not count again."""
    bench.run()
    other = bench.run("again", run="two")
    assert (other.status, other.reused_from, bench.calls) == ("reused", "one", 1)


@pytest.mark.parametrize("change", ["input", "settings", "parameter"])
def test_whatever_the_result_depends_on_makes_it_run_again(bench: Bench, change: str) -> None:
    """Input bytes, settings and parameters are part of the key."""
    bench.run()
    if change == "input":
        (bench.folder / "input").write_text("other", encoding="utf-8")
    bench.run(
        settings='{"training": {"rank": 8}}' if change == "settings" else "{}",
        parameter="q" if change == "parameter" else "p",
    )
    assert bench.calls == 2


def test_settings_that_the_step_does_not_depend_on_change_nothing(bench: Bench) -> None:
    """Another country does not train again."""
    bench.run()
    bench.run(settings='{"energy": {"country": "FRA"}}')
    assert bench.calls == 1


def test_a_tampered_output_is_never_reused(bench: Bench) -> None:
    """Bytes are hashed again before they are taken."""
    bench.run()
    (bench.folder / "out" / "result").write_text("forged", encoding="utf-8")
    again = bench.run("again")
    assert (again.status, bench.calls) == ("succeeded", 2)
    assert (bench.folder / "again" / "result").read_text(encoding="utf-8") == "input"


def test_a_privacy_step_is_reused_within_its_own_run_only(bench: Bench) -> None:
    """Another run protects its data by itself."""
    bench.install(_copy, reuse="own run")
    bench.run()
    bench.run("again")
    assert bench.calls == 1
    assert bench.run("again", run="two").status == "succeeded"


def test_a_step_that_reports_on_the_run_is_never_reused(bench: Bench) -> None:
    """The report tells this run's time."""
    bench.install(_copy, reuse="never")
    bench.run()
    bench.run("again")
    assert bench.calls == 2


def test_a_failed_step_says_why_and_leaves_no_output(bench: Bench) -> None:
    """The error stands in the record with its exit code; nothing half-written stays."""

    def fail(context: StageContext) -> Mapping[str, Any]:
        context.outputs["result"].write_text("half", encoding="utf-8")
        raise InputError("is no data set", place="file", remedy="Give another")

    bench.install(fail)
    with pytest.raises(InputError):
        bench.run()
    record = read_step_record(bench.store, "one", "example-step")
    assert record is not None
    assert record.status == "failed"
    assert record.error is not None
    assert (record.error.type, record.error.exit_code) == ("InputError", 2)
    assert list((bench.folder / "out").iterdir()) == []


def test_the_words_of_a_foreign_error_reach_neither_record_nor_log(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """A library's message may quote the data."""

    def fail(_: StageContext) -> Mapping[str, Any]:
        raise ValueError("could not convert 'Anna Schmidt'")

    bench.install(fail)
    with pytest.raises(StepFailedError) as caught:
        bench.run()
    record = read_step_record(bench.store, "one", "example-step")
    assert record is not None
    said = json.dumps(record.document()) + str(caught.value) + "".join(capsys.readouterr())
    assert "ValueError" in said
    assert "Schmidt" not in said
    assert caught.value.__cause__ is None


def test_a_failed_step_runs_again(bench: Bench) -> None:
    """A failure is never remembered as a result."""
    bench.install(lambda _: {}[0])
    with pytest.raises(StepFailedError):
        bench.run()
    bench.install(_copy)
    assert bench.run().status == "succeeded"
