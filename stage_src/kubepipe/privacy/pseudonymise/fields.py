"""A passage as one text, so that a name is found wherever it stands and replaced alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kubepipe.passages.model import Passage


class Field(NamedTuple):
    """A field of a passage inside the joined text.

    Attributes:
        question: Index of the question, or -1 for the context.
        column: Name of an extra column, or "" for the context or the question itself.
        start: First code point in the joined text.
        end: One past the last.
    """

    question: int
    column: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Joined:
    """The fields of a passage, one under the other. Answers are pieces of the context and not repeated."""

    text: str
    fields: tuple[Field, ...]


def join(passage: Passage) -> Joined:
    """Context, questions and extra columns of a passage as one text."""
    parts = [passage.context]
    fields = [Field(-1, "", 0, len(passage.context))]
    position = len(passage.context) + 1
    for index, question in enumerate(passage.questions):
        for column, value in (("", question.text), *question.extra.items()):
            parts.append(value)
            fields.append(Field(index, column, position, position + len(value)))
            position += len(value) + 1
    return Joined("\n".join(parts), tuple(fields))


def readable(name: str) -> str:
    """A document's name as text: SQuAD writes titles with underscores."""
    return name.replace("_", " ")
