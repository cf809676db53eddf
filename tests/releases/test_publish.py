from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import IntegrityError, SettingsError
from kubepipe.records import digest_file, read_document
from kubepipe.records.step import read_step_record, write_step_record
from kubepipe.releases import CHAIN, append, current, history
from kubepipe.releases.store import digests
from kubepipe.storage import FolderStore


def test_a_release_is_named_by_its_record_and_becomes_current(ledger: Any) -> None:
    """The folder bears the digest of the record in it; weights, card, permit, statements and signature lie beside."""
    results = ledger.publish("one").results
    assert results["published"]
    folder = ledger.release(results["release"])
    assert digest_file(folder / "release.json") == results["release"]
    assert {file.name for file in folder.iterdir()} == {
        "release.json", "model", "README.md", "permit.json", "permit-public.pem", "provenance", "model.sig",
    }  # fmt: skip
    assert len(list((folder / "provenance").iterdir())) == 8
    entry = current(ledger.store)
    assert entry is not None
    assert (entry.number, entry.release, entry.action, entry.run) == (1, results["release"], "publish", "one")
    record = read_document(folder / "release.json", "release")
    assert record == read_document(ledger.artifact("release"), "release")
    assert record["energy"]["energy_kwh"] == pytest.approx(0.007)
    assert "50.0 (49.0 to 51.0)" in (folder / "README.md").read_text(encoding="utf-8")


def test_publishing_again_makes_no_second_release(ledger: Any) -> None:
    """A step that is repeated after a crash leaves one folder and one entry."""
    first = ledger.publish("one").results["release"]
    before = (ledger.release(first) / "model.sig").read_bytes()
    assert ledger.publish("one").results["release"] == first
    assert (ledger.release(first) / "model.sig").read_bytes() == before
    assert len(history(ledger.store)) == 1


def test_a_run_that_is_resumed_makes_the_same_release(ledger: Any) -> None:
    """Steps whose outputs were taken again have other times in their records; the release is the same."""
    first = ledger.publish("one").results["release"]
    for step in CHAIN:
        record = read_step_record(ledger.store, "one", step)
        assert record is not None
        later = "2026-02-02T00:00:00+00:00"
        again = replace(record, status="reused", reused_from="one", started_at=later, finished_at=later)
        write_step_record(ledger.store, again)
    assert ledger.publish("one").results["release"] == first


@pytest.mark.parametrize(
    ("f1", "tolerance", "published"), [(48.0, 2.0, True), (40.0, 2.0, False), (40.0, 20.0, True), (40.0, None, True)]
)
def test_a_model_that_is_worse_than_the_current_release_is_not_published(
    ledger: Any, tiny_folder: Path, f1: float, tolerance: float | None, published: bool
) -> None:
    """Beyond the tolerance, even at the upper end of its interval, the current release stays."""
    first = ledger.publish("one").results["release"]
    ledger.fill("two", tiny_folder, f1=f1)
    results = ledger.publish("two", {"publish": {"tolerance": tolerance}}).results
    assert results["published"] is published
    held = current(ledger.store)
    assert held is not None
    assert (held.release != first) is published
    if not published:
        assert "below the current release's 50.0" in results["reasons"][0]
        assert results["release"] is None


def test_thresholds_stand_before_everything(ledger: Any) -> None:
    """Nothing is put into the store for a model below them."""
    results = ledger.publish("one", {"publish": {"min_f1": 49.5}}).results
    assert results == {
        "published": False, "reasons": ["the lower bound of F1 is 49.0, below 49.5"], "release": None,
    }  # fmt: skip
    assert list(ledger.store.keys("models/")) == []


def test_without_the_signing_key_nothing_is_published(ledger: Any) -> None:
    """There is no unsigned release."""
    (ledger.folder.signing / "model-signing.pem").unlink()
    with pytest.raises(SettingsError, match="KUBEPIPE_SIGNING_KEY"):
        ledger.publish("one")
    assert list(ledger.store.keys("models/")) == []


@pytest.mark.parametrize("step", ["anonymize-data", "fine-tune-model"])
def test_a_run_whose_records_do_not_hang_together_is_not_published(ledger: Any, step: str) -> None:
    """A step that read something else than the step before it wrote is named."""
    record = read_step_record(ledger.store, "one", step)
    assert record is not None
    document = json.loads(json.dumps(record.document()))
    name = next(iter(document["inputs"]))
    document["inputs"][name]["digest"] = "sha256:" + "1" * 64
    write_step_record(ledger.store, type(record).from_document(document))
    with pytest.raises(IntegrityError, match=f"{step}: the chain"):
        ledger.publish("one")


def test_a_step_without_record_is_not_published(ledger: Any) -> None:
    """A dropped step is named."""
    ledger.store.delete("runs/one/minimize-data.json")
    with pytest.raises(IntegrityError, match="minimize-data: the chain of the run is broken: its statement is missing"):
        ledger.publish("one")


def test_concurrent_publishers_lose_nothing(tmp_path: Path) -> None:
    """Of many at once each gets a number of its own; there is no gap, and the last number holds."""
    store, count = FolderStore(tmp_path), 24
    digests = [f"sha256:{number:064x}" for number in range(count)]
    ready = threading.Barrier(count)

    def publish(digest: str) -> None:
        ready.wait()
        assert append(store, digest, "publish", run="r", admit=lambda _: True)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(publish, digests))
    entries = history(store)
    assert [entry.number for entry in entries] == list(range(1, count + 1))
    assert sorted(entry.release for entry in entries) == digests
    assert current(store) == entries[-1]


def test_whoever_comes_second_is_measured_against_the_first(tmp_path: Path) -> None:
    """The question whether a release may become current is asked again for each that was faster."""
    store, asked = FolderStore(tmp_path), []

    def admit(held: Any) -> bool:
        asked.append(held and held.release)
        if held is None:
            append(store, "sha256:" + "a" * 64, "publish", admit=lambda _: True)
            return True
        return False

    assert append(store, "sha256:" + "b" * 64, "publish", admit=admit) is None
    assert asked == [None, "sha256:" + "a" * 64]
    assert [entry.release[7] for entry in history(store)] == ["a"]


def test_what_is_no_release_is_not_listed(ledger: Any) -> None:
    """Other objects below models/ stand in no one's way."""
    release = ledger.publish("one").results["release"]
    ledger.store.write("models/current.json", b"{}")
    assert digests(ledger.store) == [release]
