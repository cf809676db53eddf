"""Retention of local runs: each class by its own days."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kubepipe.cli.main import app
from kubepipe.pipeline import components
from kubepipe.pipeline.folder import RunFolder
from kubepipe.pipeline.retention import _OUTPUTS
from kubepipe.records.step import write_record
from kubepipe.sealing import data_key_name, mapping_name
from kubepipe.storage import FolderStore

PLACES = {
    "intermediate": ".kubepipe/artifacts/a/b/minimized_dataset/x",
    "protected": ".kubepipe/artifacts/a/b/protected_dataset/x",
    "permits": ".kubepipe/store/permits/one.json",
    "records": "report.html",
    "models": "model/adapter/x",
    "mappings": f".kubepipe/store/{mapping_name('one')}",
}
KEY = f".kubepipe/store/{data_key_name('one')}"


def _run(root: Path, days: float, verdict: str | None = None) -> RunFolder:
    """A run's folder whose files are so many days old."""
    folder = RunFolder(root)
    for name in (*PLACES.values(), KEY):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"{}")
    folder.write_identity("one", "sha256:0")
    if verdict:
        digest = f"sha256:{'a' * 64}"
        document = {"verdict": verdict, "reasons": [], "measures": {}, "after": {}, "dataset_digest": digest}
        write_record(FolderStore(folder.store), "runs/one/verdict.json", document, "verdict")
    old = time.time() - days * 86_400
    for file in root.rglob("*"):
        os.utime(file, (old, old))
    return folder


def _apply(where: Path, *words: str) -> set[str]:
    done = CliRunner().invoke(app, ["retention", str(where), "--json", *words], standalone_mode=False)
    assert done.exception is None, done.exception
    return {each["class"] for each in json.loads(done.stdout)["expired"]}


def test_each_class_goes_by_its_own_days(tmp_path: Path) -> None:
    """With one class at 5 days, exactly its files go from a run of 6 days; at 7 days nothing goes."""
    every = dict.fromkeys(("intermediate", "protected", "permits", "records", "models", "mappings"), 0)
    for cls, place in PLACES.items():
        root = tmp_path / cls
        _run(root, 6.0)
        off = [f"--set=retention.{name}={days}" for name, days in every.items() if name != cls]
        assert _apply(root, "--apply", *off, f"--set=retention.{cls}=7") == set()
        assert _apply(root, *off, f"--set=retention.{cls}=5") == {cls}
        assert (root / place).exists(), "listing removed something"
        assert _apply(root, "--apply", *off, f"--set=retention.{cls}=5") == {cls}
        assert not (root / place).exists()
        others = [each for name, each in PLACES.items() if name != cls]
        assert all((root / each).exists() for each in others)
        assert (root / KEY).exists() == (cls != "intermediate")


def test_what_the_gate_keeps_has_a_time_of_its_own(tmp_path: Path) -> None:
    """Its key and sealed artifacts go with the days of quarantine and not with those of intermediate."""
    folder = _run(tmp_path / "run", 20.0, "quarantine")
    assert _apply(tmp_path, "--apply", "--set=retention.intermediate=5", "--set=retention.protected=0") == set()
    assert (folder.root / KEY).exists()
    assert _apply(tmp_path, "--apply", "--set=retention.quarantine=10", "--set=retention.protected=0") == {"quarantine"}
    assert not (folder.root / KEY).exists()
    assert not (folder.root / PLACES["intermediate"]).exists()


def test_a_run_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    """Whoever holds the folder keeps everything in it."""
    folder = _run(tmp_path / "run", 100.0)
    with folder.opened():
        assert _apply(tmp_path, "--apply") == set()
    assert (folder.root / PLACES["intermediate"]).exists()
    assert _apply(tmp_path, "--apply") == {"intermediate", "protected"}


def test_every_output_of_the_graph_has_a_class() -> None:
    """An output that a new step writes would stay for ever otherwise."""
    source = Path(components.__file__).read_text(encoding="utf-8")
    outputs = set(re.findall(r"(\w+): dsl\.Output\[", source))
    assert outputs == {name for names in _OUTPUTS.values() for name in names}


def test_records_of_what_the_gate_keeps_stay_with_it(tmp_path: Path) -> None:
    """Without them nobody would know that the run is kept, and its key would go with the intermediate data."""
    folder = _run(tmp_path / "run", 20.0, "quarantine")
    days = [f"--set=retention.{name}=0" for name in ("intermediate", "protected", "mappings")]
    assert _apply(tmp_path, "--apply", *days, "--set=retention.records=5", "--set=retention.quarantine=30") == {
        "records"
    }
    assert (folder.store / "runs" / "one" / "verdict.json").exists()
    assert (folder.root / KEY).exists()


def test_what_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line and exit code 1; what went before it is listed."""
    _run(tmp_path / "run", 6.0)

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    off = [f"--set=retention.{name}=0" for name in ("intermediate", "permits", "records", "mappings", "models")]
    options = ["--apply", *off, "--set=retention.protected=5"]
    done = CliRunner().invoke(app, ["retention", str(tmp_path), *options], standalone_mode=False)
    assert done.return_value == 1
    assert "cannot be removed (Operation not permitted)" in done.stderr
