"""The tiny language model as a resolved one, and real questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.training import ResolvedModel, known_models, resolve_model

MakePassages = Callable[..., list[Passage]]


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> ResolvedModel:
    """The tiny model, resolved."""
    return resolve_model(str(tiny_folder), online=False)


@pytest.fixture(scope="session")
def smollm() -> ResolvedModel:
    """The real default model; tests are left out where its package is not installed."""
    (known,) = known_models()
    if known.located() is None:
        pytest.skip(f"{known.requirement} is not installed")
    return resolve_model(known.name, online=False)


@pytest.fixture(scope="session")
def make_passages() -> MakePassages:
    """Makes fictional passages with aligned answers."""

    def make(count: int = 4, questions: int = 3) -> list[Passage]:
        return [_fictional(number, questions) for number in range(count)]

    return make


def _fictional(number: int, questions: int) -> Passage:
    names = ["Ada", "Bo", "Cleo", "Dag", "Eva", "Finn"]
    context = " ".join(f"{name} of house {number} lives in town {place}." for place, name in enumerate(names))
    rows = []
    for place in range(questions):
        name = names[place % len(names)]
        text = f"town {place % len(names)}"
        rows.append(Question(f"{number}-{place}", f"Where does {name} live?", (Answer(text, context.index(text)),)))
    return Passage(f"p{number}", f"d{number}", context, tuple(rows))


@pytest.fixture(scope="session")
def squad_train(shared_data: Path) -> list[Passage]:
    """A real piece of the SQuAD 1.1 training set: 4,370 questions."""
    rows = json.loads((shared_data / "squad" / "train-v1.1.partial.json").read_text(encoding="utf-8"))
    grouped: dict[tuple[str, str], list[Question]] = {}
    for row in rows:
        answers = tuple(Answer(answer["text"], answer["answer_start"]) for answer in row["answers"])
        grouped.setdefault((row["title"], row["context"]), []).append(Question(row["id"], row["question"], answers))
    return [
        Passage(f"p{number}", title, context, tuple(questions))
        for number, ((title, context), questions) in enumerate(grouped.items())
    ]
