"""Dataset folders: written whole, named by their content, verified on demand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kubepipe.errors import IntegrityError, OutputError
from kubepipe.passages import (
    Answer,
    Passage,
    Question,
    Source,
    Split,
    iter_passages,
    read_manifest,
    verify_dataset,
    write_dataset,
)

Read = Callable[..., Source]

RHINE = Passage(
    "passage-1",
    "Rivers",
    "The Rhine 🚢 flows to Rotterdam.",
    (
        Question("q1", "Where to?", (Answer("Rotterdam", 21), Answer("to Rotterdam", 18)), {"ward": "3", "age": "40"}),
        Question("q2", "Why?"),
    ),
)
BREAD = Passage("passage-2", "Bread", "Rye.", (Question("q3", "What?", (Answer("Rye", 0),)),))
SPLITS: dict[Split, list[Passage]] = {"train": [RHINE], "validation": [BREAD]}
ORIGIN = {"source_digest": "sha256:" + "0" * 64, "object_version": None}


def write(folder: Path, splits: dict[Split, list[Passage]] | None = None) -> str:
    """Write the sample data set and give its digest."""
    return write_dataset(folder, splits or SPLITS, origin=ORIGIN, counts={"duplicate_ids": 2}).digest


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    """Passages, counts, origin and digests are read as they were written."""
    manifest = write_dataset(tmp_path / "a" / "b", SPLITS, origin=ORIGIN, counts={"duplicate_ids": 2})
    folder = tmp_path / "a" / "b"
    assert list(iter_passages(folder, "train")) == [RHINE]
    assert list(iter_passages(folder, "validation")) == [BREAD]
    assert read_manifest(folder) == manifest == verify_dataset(folder)
    assert sorted(file.name for file in folder.iterdir()) == ["manifest.json", "train.parquet", "validation.parquet"]
    train = manifest.splits["train"]
    assert (train.passages, train.questions, train.answers, train.unanswerable) == (1, 2, 2, 1)
    assert manifest.created_by.startswith("kubepipe ")


def test_the_digest_is_over_canonical_lines(tmp_path: Path) -> None:
    """A split's digest can be computed by anybody: SHA-256 over one canonical JSON line for each passage."""
    write(tmp_path)
    line = (
        '{"context":"Rye.","document":"Bread","id":"passage-2","questions":[{"answers":[{"start":0,"text":"Rye"}],'
        '"extra":{},"id":"q3","text":"What?"}]}\n'
    )
    digest = f"sha256:{hashlib.sha256(line.encode()).hexdigest()}"
    assert read_manifest(tmp_path).splits["validation"].digest == digest


def test_the_digest_depends_on_the_passages_alone(tmp_path: Path) -> None:
    """Equal passages have one digest and equal files; another letter, order or split has another digest."""
    first = write(tmp_path / "one")
    shuffled = replace(
        RHINE, questions=(replace(RHINE.questions[0], extra={"age": "40", "ward": "3"}), RHINE.questions[1])
    )
    other = write_dataset(tmp_path / "two", {"train": [shuffled], "validation": [BREAD]}, origin={}, counts={})
    assert first == other.digest
    one, two = (tmp_path / name / "train.parquet" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    moved: list[dict[Split, list[Passage]]] = [
        {"train": [BREAD], "validation": [RHINE]},
        {"train": [RHINE, BREAD], "validation": []},
        {"train": [BREAD, RHINE], "validation": []},
        {"train": [replace(RHINE, document="River")], "validation": [BREAD]},
    ]
    digests = [write(tmp_path / f"other-{number}", splits) for number, splits in enumerate(moved)]
    assert len({first, *digests}) == 5


def test_large_splits_are_written_in_row_groups(tmp_path: Path) -> None:
    """Passages stream in and out: neither side holds a split at once."""
    held = 0

    def passages() -> Iterator[Passage]:
        nonlocal held
        for held in range(1300):
            yield replace(BREAD, id=f"passage-{held}")

    write_dataset(tmp_path, {"train": passages()}, origin={}, counts={})
    assert held == 1299
    assert pq.ParquetFile(tmp_path / "train.parquet").num_row_groups == 3
    assert next(iter_passages(tmp_path, "train")).id == "passage-0"
    assert verify_dataset(tmp_path).splits["train"].passages == 1300


def other_passages(folder: Path) -> None:
    """Put another data set's file in place."""
    other = folder / "other"
    write(other, {"train": [BREAD], "validation": [BREAD]})
    (other / "train.parquet").replace(folder / "train.parquet")


def cut_off(folder: Path) -> None:
    """Lose the end of a file."""
    path = folder / "train.parquet"
    path.write_bytes(path.read_bytes()[:-20])


def other_digest(folder: Path) -> None:
    """Change the digest of the manifest."""
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    document["digest"] = "sha256:" + "1" * 64
    path.write_text(json.dumps(document))


def more_keys(folder: Path) -> None:
    """Add a key to the manifest."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "more": 1}))


DAMAGE: list[tuple[Callable[[Path], None], str]] = [
    (other_passages, r"train\.parquet: does not hold what its manifest says"),
    (cut_off, r"train\.parquet: is missing or no readable data set"),
    (lambda folder: (folder / "validation.parquet").unlink(), r"validation\.parquet: is missing"),
    (lambda folder: (folder / "manifest.json").unlink(), r"manifest\.json: is missing"),
    (other_digest, "names a digest that is not its own"),
    (more_keys, "is no valid dataset-manifest"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_damage_is_found(damage: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    """Verification finds files that are missing, damaged, changed, or another data set's."""
    write(tmp_path)
    damage(tmp_path)
    with pytest.raises(IntegrityError, match=message):
        verify_dataset(tmp_path)


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    """When the passages stop half-way, an earlier data set stands as it was, and no partial file stays."""
    digest = write(tmp_path)

    def broken() -> Iterator[Passage]:
        yield RHINE
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_dataset(tmp_path, {"train": broken()}, origin={}, counts={})
    assert verify_dataset(tmp_path).digest == digest
    assert len(list(tmp_path.iterdir())) == 3


def test_an_interrupted_replacement_is_no_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the end comes between the files and their manifest, no manifest of the earlier data set vouches for them."""
    write(tmp_path)

    def interrupt(*_given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kubepipe.passages.dataset.write_document", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, {"train": [BREAD], "validation": [RHINE]})
    with pytest.raises(IntegrityError, match=r"manifest\.json: is missing"):
        read_manifest(tmp_path)


def test_misaligned_passages_are_refused(tmp_path: Path) -> None:
    """A wrong offset or a passage without questions never reaches a dataset folder."""
    wrong = replace(BREAD, questions=(replace(BREAD.questions[0], answers=(Answer("Rye", 1),)),))
    for passage in (wrong, replace(BREAD, questions=())):
        with pytest.raises(IntegrityError, match="passage-2"):
            write(tmp_path / "set", {"train": [passage], "validation": []})
    assert not list((tmp_path / "set").iterdir())


def test_names_of_files_have_no_place_in_the_manifest(tmp_path: Path) -> None:
    """The manifest takes counts under plain names and scalar origins only."""
    with pytest.raises(IntegrityError):
        write_dataset(tmp_path / "a", SPLITS, origin={"files": ["a.json"]}, counts={})
    with pytest.raises(IntegrityError):
        write_dataset(tmp_path / "b", SPLITS, origin={}, counts={"Some Name": 1})


def test_an_unwritable_place_is_an_output_error(tmp_path: Path) -> None:
    """A place that cannot be written is one clear line."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "file" / "folder")


def test_a_dataset_folder_can_be_read_as_a_source(tmp_path: Path, read: Read) -> None:
    """A folder that KubePipe wrote keeps its splits, ids and documents when it is read again."""
    write(tmp_path)
    source = read(tmp_path)
    assert source.format == "kubepipe"
    assert source.splits == SPLITS
    assert source.counts["rows_read"] == 3
