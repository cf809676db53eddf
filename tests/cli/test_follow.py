from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kubepipe.cli import follow as module
from kubepipe.cli.follow import follow
from kubepipe.errors import KubePipeError
from kubepipe.pipeline.remote import failures, runs
from kubepipe.pipeline.remote.failures import StepFailure
from kubepipe.records import digest_json
from kubepipe.records.step import Failure, StepRecord, read_step_record, write_step_record
from kubepipe.storage import FolderStore

DIGEST = digest_json(None)
TIME = "2026-01-01T10:00:00+00:00"
STUCK = StepFailure("fine-tune-model", "ImagePullError", "image", "fine-tune-model: registry/train:1 cannot be pulled")
KILLED = StepFailure("fine-tune-model", "OutOfMemoryError", "memory", "fine-tune-model: used more", finished_at=TIME)


class Site:
    """A release and its KFP: the states that a run goes through, and what the engine knows at each look."""

    namespace = "models"

    def __init__(self, folder: Path, states: list[str]) -> None:
        self.folder, self.states = FolderStore(folder), states

    @contextmanager
    def store(self) -> Iterator[FolderStore]:
        """The store with the records."""
        yield self.folder

    def run(self, _run: str) -> dict[str, str]:
        """The next state."""
        return {"state": self.states.pop(0)}


def _follow(site: Site, monkeypatch: pytest.MonkeyPatch, explain: Any) -> tuple[int, str]:
    monkeypatch.setattr(failures, "explain", explain)
    monkeypatch.setattr(runs, "explain", explain)
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    out = io.StringIO()
    code = follow(site, site, "8f4d", Console(file=out, highlight=False, width=200))
    return code, out.getvalue()


def _record(site: Site, step: str, error: Failure | None) -> None:
    record = StepRecord("8f4d", step, "failed", TIME, TIME, 1.0, 1.0, 1, {}, DIGEST, DIGEST, error=error)
    write_step_record(site.folder, record)


def test_a_killed_step_is_told_and_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is printed, stands in the record, and the exit code is 1."""
    site = Site(tmp_path, ["RUNNING", "FAILED"])
    code, said = _follow(site, monkeypatch, lambda *_: (KILLED,))
    assert (code, "reason: fine-tune-model: used more" in said, "verdict failed" in said) == (1, True, True)
    record = read_step_record(site.folder, "8f4d", "fine-tune-model")
    assert record is not None
    assert record.error == Failure("OutOfMemoryError", "fine-tune-model: used more", 1)


def test_a_missing_image_is_told_while_it_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and long before the step's time limit is over."""
    site = Site(tmp_path, ["RUNNING"] * 25 + ["FAILED"])
    _, said = _follow(site, monkeypatch, lambda *_: (STUCK,))
    assert said.count("waits: fine-tune-model: registry/train:1 cannot be pulled") == 1


def test_bad_input_is_told_once_in_the_steps_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's exit code adds nothing, and the exit code is that of bad input."""
    site = Site(tmp_path, ["FAILED"])
    _record(site, "prepare-data", Failure("InputError", "the source: there is no such object", 2))
    engine = StepFailure("prepare-data", "ExitCodeError", "unknown", "prepare-data: ended with exit code 1")
    code, said = _follow(site, monkeypatch, lambda *_: (engine,))
    assert (code, said.count("no such object"), "exit code 1" in said) == (2, 1, False)


def test_without_the_right_to_read_workflows_a_run_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the records say is enough; where they say nothing, a note names the missing right."""

    def refuse(*_: Any) -> Any:
        raise KubePipeError("the Workflow may not be read")

    site = Site(tmp_path, ["RUNNING"] * 12 + ["FAILED"])
    _record(site, "prepare-data", Failure("InputError", "no such object", 2))
    assert _follow(site, monkeypatch, refuse)[0] == 2
    assert capsys.readouterr().err == ""
    code, said = _follow(Site(tmp_path / "other", ["FAILED"]), monkeypatch, refuse)
    assert (code, "verdict failed" in said) == (1, True)
    assert "note: the Workflow may not be read" in capsys.readouterr().err
