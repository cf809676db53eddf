"""Data sets of the official form, read without the passages room."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kubepipe.passages.model import Answer, Passage, Question

Reader = Callable[[Path], list[Passage]]


@pytest.fixture(scope="session")
def read_squad() -> Reader:
    """Reads a SQuAD file into passages, in its order."""

    def read(path: Path) -> list[Passage]:
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
        return [_passage(number, paragraph) for number, paragraph in enumerate(paragraphs)]

    return read


def _passage(number: int, paragraph: dict[str, object]) -> Passage:
    questions = tuple(
        Question(row["id"], row["question"], tuple(Answer(a["text"], a["answer_start"]) for a in row["answers"]))
        for row in paragraph["qas"]  # type: ignore[attr-defined]
    )
    return Passage(f"p{number}", "", str(paragraph["context"]), questions)
