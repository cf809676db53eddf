"""What holds for every data set that can be thought of."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepipe.errors import InputError
from kubepipe.passages import (
    Answer,
    Passage,
    Question,
    Source,
    iter_passages,
    read_source,
    rewrite_squad,
    verify_dataset,
    write_dataset,
    write_rows,
)
from kubepipe.passages.split import context_key
from kubepipe.settings import DatasetSettings

Row = dict[str, Any]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
WORDS = st.sampled_from(
    ["Rome", "rome", "é", "e\u0301", "🎈", "\r\n", " ", "\u202eabc", "'", '"', ",", "{", "[1]", "\0"]
)
CONTEXT = st.lists(WORDS, min_size=1, max_size=8).map("".join)


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    """Rows with right, wrong and missing offsets, repeated contexts, ids and titles."""

    def row() -> Row:
        context = draw(CONTEXT)
        start = draw(st.integers(0, len(context)))
        text = draw(st.one_of(st.just(context[start : draw(st.integers(start, len(context)))]), TEXT))
        claimed = draw(st.one_of(st.just(start), st.integers(-40, 40), st.none()))
        answers = draw(st.sampled_from([{"text": [text], "answer_start": [claimed]}, {"text": []}, [text, text]]))
        return {
            "id": draw(st.one_of(st.none(), st.sampled_from("ab"))),
            "title": draw(st.one_of(st.none(), st.sampled_from("XYZ"))),
            "context": context,
            "question": draw(TEXT),
            "answers": answers,
            "more": draw(st.one_of(st.none(), TEXT)),
        }

    return [row() for _ in range(draw(st.integers(1, 8)))]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One folder for all examples of a property."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def read_rows(folder: Path, given_rows: list[Row], seed: int) -> Source | None:
    """Read rows from a file; None when they are refused."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in given_rows), encoding="utf-8")
    try:
        return read_source(path, DatasetSettings(), seed=seed)
    except InputError:
        return None


def sides(source: Source) -> tuple[list[Passage], list[Passage]]:
    """Passages of both sides."""
    return source.splits["train"], source.splits["validation"]


@settings(max_examples=150, deadline=None)
@given(given_rows=rows(), seed=st.integers(0, 3))
def test_what_is_read_is_aligned_disjoint_and_accounted_for(given_rows: list[Row], seed: int, folder: Path) -> None:
    """Every answer stands where it says, no context is on both sides, ids are unique, every row is counted."""
    source = read_rows(folder, given_rows, seed)
    if source is None:
        return
    train, validation = sides(source)
    assert train
    assert validation
    assert not any(passage.misaligned() for passage in train + validation)
    assert not {context_key(passage) for passage in train} & {context_key(passage) for passage in validation}
    questions = [question for passage in train + validation for question in passage.questions]
    assert all(answer.start >= 0 and answer.text.strip() for question in questions for answer in question.answers)
    assert len({question.id for question in questions}) == len(questions)
    assert len({passage.id for passage in train + validation}) == len(train) + len(validation)
    dropped = [reason for reason in source.counts if reason.startswith(("questions_dropped", "rows_without"))]
    lost = sum(source.counts[reason] for reason in [*dropped, "duplicate_questions"])
    assert source.counts["rows_read"] == len(given_rows) == len(questions) + lost
    assert read_rows(folder, given_rows, seed) == source


@settings(max_examples=100, deadline=None)
@given(given_rows=rows())
def test_what_is_stored_comes_back(given_rows: list[Row], folder: Path) -> None:
    """A dataset folder gives back what was written, under the same digest every time; so do rows of every format."""
    source = read_rows(folder, given_rows, 0)
    if source is None:
        return
    manifest = write_dataset(folder / "set", source.splits, origin={}, counts=source.counts)
    assert verify_dataset(folder / "set") == manifest
    for split, passages in source.splits.items():
        assert list(iter_passages(folder / "set", split)) == passages
    again = read_source(folder / "set", DatasetSettings(), seed=1)
    assert again.splits == source.splits
    assert write_dataset(folder / "copy", again.splits, origin={}, counts={}).digest == manifest.digest
    for ending in ("jsonl", "csv", "parquet"):
        write_rows(folder / f"out.{ending}", [*source.splits["train"], *source.splits["validation"]])
        read_again = read_source(folder / f"out.{ending}", DatasetSettings(), seed=0)
        assert contents(read_again) == contents(source)


def contents(source: Source) -> set[tuple[Any, ...]]:
    """All questions with their contexts, without the sides they are on."""
    train, validation = sides(source)
    return {(p.document, p.context, q.id, q.text, q.answers) for p in train + validation for q in p.questions}


PASSAGE_TEXT = st.text(st.sampled_from("ab 🎈é\n"), min_size=1, max_size=12)


@st.composite
def squad_documents(draw: st.DrawFn) -> Row:
    """SQuAD documents whose answers stand where they say."""

    def question(context: str, number: int) -> Row:
        start = draw(st.integers(0, len(context) - 1))
        text = context[start : draw(st.integers(start + 1, len(context)))]
        is_impossible = draw(st.booleans()) or not text.strip()
        answers = [] if is_impossible else [{"text": text, "answer_start": start}] * draw(st.integers(1, 2))
        return {"id": str(number), "question": draw(TEXT), "answers": answers, "is_impossible": is_impossible}

    def paragraph() -> Row:
        context = draw(PASSAGE_TEXT)
        return {"context": context, "qas": [question(context, number) for number in range(draw(st.integers(0, 3)))]}

    articles = [
        {"title": draw(st.sampled_from("XYZ")), "paragraphs": [paragraph() for _ in range(draw(st.integers(0, 3)))]}
        for _ in range(draw(st.integers(1, 3)))
    ]
    return {"version": "v2.0", "data": articles}


def widen(passage: Passage) -> Passage:
    """Every a becomes two, so that all offsets move."""
    wide = passage.context.replace("a", "aa")

    def moved(answer: Answer) -> Answer:
        start = len(passage.context[: answer.start].replace("a", "aa"))
        return Answer(answer.text.replace("a", "aa"), start)

    questions = tuple(
        Question(question.id, question.text, tuple(map(moved, question.answers)), question.extra)
        for question in passage.questions
    )
    return Passage(passage.id, passage.document, wide, questions)


@settings(max_examples=100, deadline=None)
@given(document=squad_documents())
def test_rewriting_keeps_the_shape(document: Row, folder: Path) -> None:
    """Rewriting with no change gives the same document; with a change all answers stand where they say."""
    source, target = folder / "in.json", folder / "out.json"
    source.write_text(json.dumps(document), encoding="utf-8")
    rewrite_squad(source, target, lambda passage: passage)
    assert json.loads(target.read_text()) == expected(document)
    rewrite_squad(source, target, widen)
    for article in json.loads(target.read_text())["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                for answer in question["answers"]:
                    assert paragraph["context"].startswith(answer["text"], answer["answer_start"])


def expected(document: Row) -> Row:
    """An article without paragraphs has no passage that its title could be taken from."""
    for article in document["data"]:
        if not article["paragraphs"]:
            article["title"] = ""
    return document
