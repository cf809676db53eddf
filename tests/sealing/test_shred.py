"""Shredding: what was sealed cannot be opened any more."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from kubepipe.cli.main import app
from kubepipe.pipeline.folder import RunFolder
from kubepipe.sealing import data_key_name, mapping_name, new_data_key, seal_folder, shred, wrap
from kubepipe.storage import FolderStore


def test_the_data_key_is_gone(tmp_path: Path) -> None:
    """After shredding the store holds no key of the run; the other runs' keys stay; twice is no error."""
    store = FolderStore(tmp_path)
    for run in ("one", "two"):
        store.write(data_key_name(run), json.dumps(wrap(new_data_key(), bytes(32))).encode())
    assert shred(store, "one").key_was_there
    assert store.read(data_key_name("one")) is None
    assert store.read(data_key_name("two")) is not None
    assert not shred(store, "one").key_was_there


def test_the_command_removes_what_is_sealed_and_nothing_else(tmp_path: Path) -> None:
    """The key and the sealed artifacts go; records, and data that passed the gate, stay."""
    run = RunFolder(tmp_path / "run")
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "train.parquet").write_bytes(b"raw")
    seal_folder(plain, run.artifacts / "one" / "output_dataset", new_data_key())
    (run.artifacts / "one" / "protected_dataset").mkdir()
    (run.artifacts / "one" / "protected_dataset" / "train.parquet").write_bytes(b"safe")
    store = FolderStore(run.store)
    store.write(data_key_name("one"), b"{}")
    store.write(mapping_name("one"), b"{}")
    store.write("runs/one/prepare-data.json", b"{}")
    run.write_identity("one", "sha256:0")
    done = CliRunner().invoke(app, ["shred", str(run.root), "--json"], standalone_mode=False)
    said = json.loads(done.stdout)
    assert (said["run"], said["data_key"], said["sealed_artifacts_removed"]) == ("one", "destroyed", 1)
    assert (said["mapping"], said["source"]) == ("destroyed", "stays where it lies")
    assert json.loads(store.read("runs/one/shredded.json") or b"") == said
    assert store.read(mapping_name("one")) is None
    assert store.read(data_key_name("one")) is None
    assert not (run.artifacts / "one" / "output_dataset").exists()
    assert (run.artifacts / "one" / "protected_dataset" / "train.parquet").read_bytes() == b"safe"
    assert store.read("runs/one/prepare-data.json") is not None
