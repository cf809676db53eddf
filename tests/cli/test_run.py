"""`kubepipe run` when the engine itself does not come to its first step."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kubepipe.cli.main import app
from kubepipe.pipeline import local

WRONG = ["ValueError: Ada Lindqvist", "killed by Ada Lindqvist", ""]


@pytest.mark.parametrize(("line", "kind"), zip(WRONG, ["ValueError", "status 3", "status 3"], strict=True))
def test_an_engine_that_ends_before_its_first_step_is_told(
    line: str, kind: str, examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kind of its error, never its words; nothing is left behind."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho '{line}'\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(local.sys, "executable", str(program))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["run", str(examples / "clinic" / "clinic.jsonl"), "--out", "runs/one"])
    assert f"the engine ended before its first step ({kind})" in str(done.exception or done.output)
    assert "Ada" not in done.output
    assert not (tmp_path / "runs").exists()
