"""Training and validation never share a context, and the choice is the same on every machine."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import InputError
from kubepipe.passages import Source, read_source
from kubepipe.passages.opening import split_of
from kubepipe.settings import DatasetSettings

Row = dict[str, Any]
Read = Callable[..., Source]
Jsonl = Callable[[list[Row]], Path]


def question(context: int, number: int = 0, document: str | None = None) -> Row:
    """A question on a numbered context."""
    row = {
        "id": f"{context}-{number}",
        "context": f"Context {context} ends here.",
        "question": f"Question {number}?",
        "answers": {"text": ["ends"], "answer_start": [len(f"Context {context} ")]},
    }
    return row if document is None else {**row, "title": document}


def many(contexts: int = 20, questions: int = 3, per_document: int = 4) -> list[Row]:
    """Questions on contexts of several documents."""
    return [
        question(context, number, f"Document {context // per_document}")
        for context in range(contexts)
        for number in range(questions)
    ]


def contexts(source: Source, split: str) -> set[str]:
    """Contexts of a split."""
    return {passage.context for passage in source.splits[split]}  # type: ignore[index]


def count(source: Source, split: str) -> int:
    """Questions of a split."""
    return sum(len(passage.questions) for passage in source.splits[split])  # type: ignore[index]


NAMES: list[tuple[str, str | None]] = [
    ("train.json", "train"),
    ("train-v1.1.json", "train"),
    ("SQuAD_train.parquet", "train"),
    ("data/train-00000-of-00002.parquet", "train"),
    ("train/part-0.parquet", "train"),
    ("trainset.csv", "train"),
    ("dev-v2.0.json.gz", "validation"),
    ("validation.jsonl", "validation"),
    ("val.csv", "validation"),
    ("valid_data.csv", "validation"),
    ("test.tsv", "test"),
    ("my.testing.jsonl", "test"),
    ("train/dev.json", "validation"),
    ("xquad.en.json", None),
    ("trainer.json", None),
    ("contest.json", None),
    ("device.json", None),
]


@pytest.mark.parametrize(("name", "split"), NAMES)
def test_names_of_splits(name: str, split: str | None) -> None:
    """A file's own name tells its split, else the nearest folder; a word that only begins alike tells nothing."""
    assert split_of(name) == split


def test_documents_stay_on_one_side(jsonl: Jsonl, read: Read) -> None:
    """Without splits of its own a data set is split by document; a fifth of the documents is held out."""
    source = read(jsonl(many()))
    train, validation = ({p.document for p in source.splits[split]} for split in ("train", "validation"))  # type: ignore[index]
    assert not train & validation
    assert (len(train), len(validation)) == (4, 1)


def test_the_share_is_that_of_the_settings(jsonl: Jsonl, read: Read) -> None:
    """Another share holds out other numbers of documents, at least one and never all."""
    path = jsonl(many())
    sizes = [len(contexts(read(path, validation_share=share), "validation")) for share in (0.01, 0.4, 0.99)]
    assert sizes == [4, 8, 16]


def test_the_split_depends_on_seed_and_content_alone(tmp_path: Path, read: Read) -> None:
    """The same seed gives the same split whatever the order of the rows; another seed gives another."""
    rows = many()
    for row in rows[30:]:
        del row["title"]
    shuffled = random.Random(3).sample(rows, len(rows))  # noqa: S311 - nothing secret
    for name, written in (("a", rows), ("b", shuffled)):
        (tmp_path / name).write_text(json.dumps(written), encoding="utf-8")
    held_out = [contexts(read(tmp_path / name, seed=seed), "validation") for name, seed in (("a", 1), ("b", 1))]
    assert held_out[0] == held_out[1]
    assert len({frozenset(contexts(read(tmp_path / "a", seed=seed), "validation")) for seed in range(8)}) > 1


def test_one_document_is_split_by_context(jsonl: Jsonl, read: Read) -> None:
    """When everything comes from one document, contexts are held out."""
    source = read(jsonl([question(number, document="Only") for number in range(10)]))
    assert (len(contexts(source, "train")), len(contexts(source, "validation"))) == (8, 2)
    assert not contexts(source, "train") & contexts(source, "validation")


def test_documents_that_share_a_context_stay_together(jsonl: Jsonl, read: Read) -> None:
    """A context under two documents, even with other white space and case, ties both to one side."""
    rows = [question(0, 0, "A"), question(1, 0, "A"), question(2, 0, "B"), question(3, 0, "C")]
    rows.append({**question(1, 9, "B"), "context": "CONTEXT 1  ends here.", "answers": ["ends"]})
    for seed in range(6):
        source = read(jsonl(rows), seed=seed)
        sides = {p.document: split for split, passages in source.splits.items() for p in passages}
        assert sides["A"] == sides["B"] != sides["C"]


def test_a_single_context_may_be_all_training(jsonl: Jsonl, read: Read) -> None:
    """One context cannot be split: an error, unless no validation is needed."""
    path = jsonl([question(0, 0), question(0, 1)])
    with pytest.raises(InputError, match=r"holds a single context, .* Add a second context"):
        read(path)
    source = read_source(path, DatasetSettings(), seed=0, hold_out=False)
    assert (count(source, "train"), count(source, "validation")) == (2, 0)


def write_files(folder: Path, files: dict[str, list[Row]]) -> Path:
    """Write rows to files of a folder."""
    for name, rows in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


OWN: list[tuple[dict[str, list[Row]], int, int, int]] = [
    ({"train.jsonl": many(4), "dev.jsonl": [question(9)]}, 12, 1, 0),
    ({"train.jsonl": many(4), "test.jsonl": [question(9)]}, 12, 1, 0),
    ({"train.jsonl": many(4), "val.jsonl": [question(9)], "test.jsonl": [question(8)]}, 12, 1, 1),
    ({"train-0.jsonl": many(4), "train-1.jsonl": [question(7)], "dev.jsonl": [question(9)]}, 13, 1, 0),
    ({"train/a.jsonl": many(4), "validation/a.jsonl": [question(9)], "notes.jsonl": []}, 12, 1, 1),
]


@pytest.mark.parametrize(("files", "train", "validation", "left_out"), OWN)
@pytest.mark.parametrize("packed", [False, True])
def test_own_splits_are_kept(
    files: dict[str, list[Row]],
    train: int,
    validation: int,
    left_out: int,
    packed: bool,
    tmp_path: Path,
    read: Read,
) -> None:
    """A folder or zip with training and held-out files keeps its splits; test counts where there is no validation."""
    path = write_files(tmp_path / "set", files)
    if packed:
        with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
            for name in files:
                archive.write(path / name, name)
        path = tmp_path / "set.zip"
    source = read(path)
    assert (count(source, "train"), count(source, "validation")) == (train, validation)
    assert source.counts["files_left_out"] == left_out


@pytest.mark.parametrize("name", ["train.jsonl", "dev.jsonl", "test.jsonl", "other.jsonl"])
def test_a_single_split_is_split_again(name: str, tmp_path: Path, read: Read) -> None:
    """A folder with only one split has no splits of its own."""
    source = read(write_files(tmp_path / "set", {name: many()}))
    assert (count(source, "train"), count(source, "validation")) == (48, 12)


def test_a_saved_dict_keeps_its_splits(tmp_path: Path, read: Read) -> None:
    """A DatasetDict saved by `datasets` keeps its splits."""
    import datasets

    path = tmp_path / "saved"
    parts = {"train": many(4), "validation": [question(9, 0, "x")]}
    datasets.DatasetDict({name: datasets.Dataset.from_list(rows) for name, rows in parts.items()}).save_to_disk(path)
    source = read(path)
    assert (count(source, "train"), count(source, "validation")) == (12, 1)
    assert source.format == "datasets"


def test_shared_contexts_leave_training(tmp_path: Path, read: Read) -> None:
    """A context in both own splits is dropped from training and counted; ids stay unique over both."""
    shared = {**question(1, 7, "Document 0"), "id": "1-0"}
    source = read(write_files(tmp_path / "set", {"train.jsonl": many(4), "dev.jsonl": [shared]}))
    assert not contexts(source, "train") & contexts(source, "validation")
    assert count(source, "train") == 9
    names = ("contexts_in_both_splits", "questions_in_both_splits", "documents_in_both_splits", "duplicate_ids")
    assert [source.counts[name] for name in names] == [1, 3, 1, 1]
    with pytest.raises(InputError, match="every training context is in the validation split too"):
        read(write_files(tmp_path / "same", {"train.jsonl": many(4), "dev.jsonl": many(4)}))


def test_an_unusable_own_split_is_named(tmp_path: Path, read: Read) -> None:
    """When one of the own splits holds nothing usable, the error names it."""
    bad = {**question(9), "answers": ["nowhere"]}
    with pytest.raises(InputError, match="validation split: none of"):
        read(write_files(tmp_path / "set", {"train.jsonl": many(4), "dev.jsonl": [bad]}))


@pytest.mark.parametrize(("limit", "whole"), [(1, 0), (3, 1), (7, 2), (47, 15), (48, 16), (500, 16)])
def test_limits_keep_whole_passages_first(limit: int, whole: int, jsonl: Jsonl, read: Read) -> None:
    """A limit is met exactly: whole passages, and of one more a part; the rest is counted."""
    source = read(jsonl(many()), max_train_questions=limit, max_validation_questions=2)
    kept = [len(passage.questions) for passage in source.splits["train"]]
    assert (sum(kept), kept.count(3)) == (min(limit, 48), whole)
    assert count(source, "validation") == 2
    assert source.counts["questions_over_limit"] == 48 - min(limit, 48) + 10


def test_limits_choose_by_the_seed(jsonl: Jsonl, read: Read) -> None:
    """The choice under a limit is the same for one seed; it is no prefix of the file."""
    path = jsonl(many(40))
    chosen = [contexts(read(path, seed=seed, max_train_questions=9), "train") for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]
