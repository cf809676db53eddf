"""Quarantine of local runs: what is listed, who may release what, and what is destroyed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kubepipe.cli.main import app
from kubepipe.errors import InputError, QuarantinedError
from kubepipe.pipeline.folder import RunFolder
from kubepipe.records.approval import find_approval
from kubepipe.records.step import write_record
from kubepipe.sealing import data_key_name, new_data_key, seal_folder, wrap
from kubepipe.storage import FolderStore

DATA, POLICY = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


class Kept:
    """A run's folder whose data the gate keeps."""

    def __init__(self, root: Path, run: str = "20260101-one", verdict: str = "quarantine", *codes: str) -> None:
        self.folder = RunFolder(root)
        self.folder.state.mkdir(parents=True)
        self.run, self.store = run, FolderStore(self.folder.store)
        self.folder.write_identity(run, "sha256:0")
        self.store.write(data_key_name(run), json.dumps(wrap(new_data_key(), bytes(32))).encode())
        plain = root.parent / f"{root.name}-plain"
        plain.mkdir()
        (plain / "train.parquet").write_bytes(b"raw")
        seal_folder(plain, self.folder.artifacts / "one" / "output_dataset", new_data_key())
        reasons = [{"code": code, "text": f"About {code}."} for code in codes or ("redetected",)]
        document = {
            "verdict": verdict, "reasons": reasons, "measures": {"leaks": 0, "redetected": 3}, "after": {},
            "dataset_digest": DATA, "policy_digest": POLICY,
        }  # fmt: skip
        write_record(self.store, f"runs/{run}/verdict.json", document, "verdict")

    def call(self, *words: str) -> str:
        """What a command of the group said."""
        done = CliRunner().invoke(app, ["quarantine", *words], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done.stdout

    def decision(self) -> Any:
        """What was decided on its data."""
        return find_approval(self.store, DATA, POLICY)


def test_runs_are_listed_with_reasons_and_without_values(tmp_path: Path) -> None:
    """A folder of runs is looked through; a run that passed is not there; names of rules are."""
    Kept(tmp_path / "clinic", "one", "quarantine", "redetected", "probes_missed")
    kept = Kept(tmp_path / "ward", "two", "needs_human", "approval_required")
    passed = Kept(tmp_path / "passed", "three", "pass", "none")
    said = json.loads(kept.call("list", str(tmp_path), "--json"))
    assert [(each["name"], each["run"], each["verdict"], each["data"]) for each in said] == [
        ("clinic", "one", "quarantine", "sealed"), ("ward", "two", "needs_human", "sealed"),
    ]  # fmt: skip
    assert "redetected, probes_missed" in kept.call("list", str(tmp_path))
    assert "About approval_required." in kept.call("show", str(kept.folder.root))
    with pytest.raises(InputError, match="not in quarantine"):
        kept.call("show", str(passed.folder.root))


def test_a_release_says_who_when_why_and_which_rules(tmp_path: Path) -> None:
    """It is written where the gate of the next attempt looks; without a reason nothing is written."""
    kept = Kept(tmp_path / "clinic", "one", "quarantine", "redetected", "probes_missed")
    with pytest.raises(InputError, match="needs a reason"):
        kept.call("release", str(kept.folder.root))
    assert kept.decision() is None
    kept.call("release", str(kept.folder.root), "--reason", "two street names", "--by", "dpo@example.org")
    made = kept.decision()
    assert (made.verdict, made.by, made.reason, made.run) == ("approved", "dpo@example.org", "two street names", "one")
    assert made.overrules == ("redetected", "probes_missed")
    assert made.at
    assert "released by dpo@example.org" in kept.call("list", str(tmp_path))


@pytest.mark.parametrize("code", ["direct_identifier_left", "misaligned", "a_rule_that_is_new"])
def test_a_rule_that_measures_cannot_be_overruled(tmp_path: Path, code: str) -> None:
    """Nor can one that nobody thought about: exit code 3, and no decision."""
    kept = Kept(tmp_path / "clinic", "one", "quarantine", "redetected", code)
    with pytest.raises(QuarantinedError, match=code):
        kept.call("release", str(kept.folder.root), "--reason", "why")
    assert kept.decision() is None
    assert "Nobody may overrule this" in kept.call("show", str(kept.folder.root))


def test_data_that_only_waits_is_released_without_overruling(tmp_path: Path) -> None:
    """Where the policy asks for a person, a release is the approval."""
    kept = Kept(tmp_path / "clinic", "one", "needs_human", "approval_required")
    kept.call("release", str(kept.folder.root), "--reason", "seen")
    assert (kept.decision().verdict, kept.decision().overrules) == ("approved", ())


def test_shredding_rejects_and_destroys(tmp_path: Path) -> None:
    """The key, the sealed artifacts; the reasons stay to be read; nothing is left to release."""
    kept = Kept(tmp_path / "clinic")
    kept.call("shred", str(kept.folder.root), "--reason", "no consent")
    assert kept.store.read(data_key_name(kept.run)) is None
    assert not (kept.folder.artifacts / "one" / "output_dataset").exists()
    assert (kept.decision().verdict, kept.decision().reason) == ("rejected", "no consent")
    assert "key destroyed" in kept.call("list", str(tmp_path))
    with pytest.raises(InputError, match="nothing to release"):
        kept.call("release", str(kept.folder.root), "--reason", "after all")


def test_a_copy_of_a_run_in_a_cluster_is_not_shredded_here(tmp_path: Path) -> None:
    """What was fetched holds no key; the run is named by its id."""
    kept = Kept(tmp_path / "clinic")
    kept.folder.write_identity("abc", "cluster")
    with pytest.raises(InputError, match="cluster"):
        kept.call("shred", str(kept.folder.root))
