"""Small data sets in the forms that the tests need."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubepipe.passages import Source, read_source
from kubepipe.settings import DatasetSettings

Row = dict[str, Any]

ROWS: list[Row] = [
    {
        "id": "a1",
        "title": "Rivers",
        "context": "The Rhine rises in Graubünden and flows to Rotterdam 🚢.",
        "question": "Where does the Rhine rise?",
        "answers": {"text": ["Graubünden", "in Graubünden"], "answer_start": [19, 16]},
    },
    {
        "id": "a2",
        "title": "Rivers",
        "context": "The Rhine rises in Graubünden and flows to Rotterdam 🚢.",
        "question": "Which ship stands at the end?",
        "answers": {"text": ["🚢"], "answer_start": [53]},
    },
    {
        "id": "b1",
        "title": "Bread",
        "context": 'Anna said: "It\'s rye",\nand left.',
        "question": "What is it?",
        "answers": {"text": ["rye"], "answer_start": [17]},
    },
    {
        "id": "c1",
        "title": "Clocks",
        "context": "A clock has two hands.",
        "question": "Who built it?",
        "answers": {"text": [], "answer_start": []},
    },
]


def squad_document(rows: list[Row]) -> Row:
    """SQuAD 2.0 of the rows."""
    articles: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        answers = [
            {"text": text, "answer_start": start}
            for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)
        ]
        question = {"id": row["id"], "question": row["question"], "answers": answers, "is_impossible": not answers}
        articles.setdefault(row["title"], {}).setdefault(row["context"], []).append(question)
    data = [
        {"title": title, "paragraphs": [{"context": context, "qas": qas} for context, qas in contexts.items()]}
        for title, contexts in articles.items()
    ]
    return {"version": "v2.0", "data": data}


@pytest.fixture
def rows() -> list[Row]:
    """Four questions on three contexts of three documents, one of them without an answer."""
    return json.loads(json.dumps(ROWS))  # type: ignore[no-any-return]


@pytest.fixture
def squad(rows: list[Row]) -> Row:
    """The same as a SQuAD 2.0 document."""
    return squad_document(rows)


@pytest.fixture
def read() -> Callable[..., Source]:
    """Reads a path with settings given by name."""

    def read_path(path: Path, *, seed: int = 0, **settings: Any) -> Source:
        return read_source(path, DatasetSettings(**settings), seed=seed)

    return read_path


@pytest.fixture
def jsonl(tmp_path: Path) -> Callable[[list[Row]], Path]:
    """Writes rows as JSONL."""

    def write(written: list[Row]) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in written), encoding="utf-8")
        return path

    return write
