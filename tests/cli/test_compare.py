"""`kubepipe compare` as a user types it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kubepipe.cli import main
from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.pipeline.folder import RunFolder
from kubepipe.records import digest_bytes, write_document
from kubepipe.records.run import run_document
from kubepipe.records.step import StepRecord, write_step_record
from kubepipe.scoring import benchmark
from kubepipe.settings import ScoringSettings, load_settings
from kubepipe.stages.catalogue import STAGES
from kubepipe.storage import FolderStore

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Makes the folder of a run in which the first so many of 40 questions were answered rightly."""

    def make(name: str, right: int, *, overrides: list[str] | None = None, questions: int = 40) -> Path:
        asked = tuple(Question(f"q{number}", "?", (Answer("Bonn", 0),)) for number in range(questions))
        results = benchmark(
            [Passage("p", "d", "Bonn", asked)],
            untuned={},
            tuned={question.id: "Bonn" for question in asked[:right]},
            settings=ScoringSettings(bootstrap=10),
            seed=0,
        ).document()
        settings = load_settings(overrides=overrides or [])
        folder = RunFolder(tmp_path / name)
        record = StepRecord(
            run=name, step="benchmark-model", status="succeeded", started_at="2026-01-01T00:00:00+00:00",
            finished_at="2026-01-01T00:00:01+00:00", seconds=1.0 + right, cpu_seconds=1.0, peak_rss_bytes=1,
            energy={"energy_kwh": right / 1e6, "gco2e": 0.1}, memo_key=digest_bytes(b""),
            settings_digest=digest_bytes(b""), results=results,
        )  # fmt: skip
        write_step_record(FolderStore(folder.store), record)
        document = run_document(
            name, {"benchmark-model": record}, list(STAGES), settings=settings.model_dump(mode="json")
        )
        write_document(folder.run_json, document, "run")
        return folder.root

    return make


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line: exit code, standard output, standard error."""

    def typed(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["kubepipe", "compare", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return typed


def _found(said: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(said)
    return found


def test_runs_on_the_same_questions_are_compared_in_pairs(run: Any, make_run: MakeRun) -> None:
    """The difference of the scores has a paired interval; settings that differ are named, others not."""
    first, second = make_run("one", 20), make_run("two", 30, overrides=["training.rank=8"])
    code, said, _ = run(first, second, "--json")
    found = _found(said)
    (against,) = found["against_first"]
    assert code == 0
    assert found["settings"] == {"training.rank": [16, 8]}
    assert against["exact_match"] == pytest.approx(25.0)
    low, high = against["exact_match_interval"]
    # Ten of forty questions changed, all for the better: the difference is between 12 and 39 points.
    assert 10 < low < 25 < high <= 40
    assert against["energy_kwh"] == pytest.approx(10 / 1e6)
    assert [row["exact_match"] for row in found["runs"]] == [50.0, 75.0]


def test_a_person_reads_a_table_and_one_line_each(run: Any, make_run: MakeRun) -> None:
    """Without --json there is a table of the runs, one line per comparison, and the settings that differ."""
    folders = [make_run("one", 20), make_run("two", 20), make_run("three", 10, overrides=["training.epochs=2"])]
    code, said, _ = run(*folders)
    assert code == 0
    assert "EM +0.0 [+0.0, +0.0]" in said
    assert "EM -25.0 [" in said
    assert "training.epochs: 1.0 | 1.0 | 2.0" in said
    assert "training.rank" not in said
    assert "data: the same" in said


def test_other_questions_have_no_paired_interval(run: Any, make_run: MakeRun) -> None:
    """Runs that were asked other questions are not compared in pairs, and the line says so."""
    first, second = make_run("one", 20), make_run("two", 20, questions=30)
    code, said, _ = run(first, second)
    assert code == 0
    assert "on other questions" in said
    assert _found(run(first, second, "--json")[1])["against_first"][0]["exact_match_interval"] is None


def test_a_run_that_ended_before_its_scores(run: Any, make_run: MakeRun) -> None:
    """A run that the gate ended is compared by what there is."""
    first, second = make_run("one", 20), make_run("two", 20)
    for file in (second / ".kubepipe" / "store").rglob("benchmark-model.json"):
        file.unlink()
    code, said, _ = run(first, second)
    assert code == 0
    assert "not both were scored" in said


@pytest.mark.parametrize(("folders", "message"), [(["one"], "one run alone"), (["one", "gone"], "holds no run.json")])
def test_bad_input_is_refused_in_one_line(
    run: Any, make_run: MakeRun, tmp_path: Path, folders: list[str], message: str
) -> None:
    """One run alone, or a folder without a run, ends with 2."""
    make_run("one", 20)
    code, _, error = run(*(tmp_path / name for name in folders))
    assert code == 2
    assert message in error
    assert error.count("\n") == 1
