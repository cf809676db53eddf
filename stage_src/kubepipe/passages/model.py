"""The unit of all data: a passage, that is one context with all its questions and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Split = Literal["train", "validation"]
SPLITS: Final[tuple[Split, ...]] = ("train", "validation")


@dataclass(frozen=True, slots=True)
class Answer:
    """A gold answer.

    Attributes:
        text: The answer as it stands in the context.
        start: Offset of its first character in the context, in code points.
    """

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question on a context.

    Attributes:
        id: Unique in the data set; duplicates of the source get a suffix.
        text: The question.
        answers: Gold answers; empty means that the context holds no answer.
        extra: Columns of the source that are none of ours, as text. They are assessed, never trained on, and
            end at minimisation.
    """

    id: str
    text: str
    answers: tuple[Answer, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_answerable(self) -> bool:
        """Whether the context holds an answer."""
        return bool(self.answers)


@dataclass(frozen=True, slots=True)
class Passage:
    """One context with all its questions.

    Attributes:
        id: Unique in the data set.
        document: Name of the document the context comes from (a SQuAD title); passages of one document never stand on
            both sides of a split.
        context: The text that holds the answers.
        questions: At least one.
    """

    id: str
    document: str
    context: str
    questions: tuple[Question, ...]

    def misaligned(self) -> list[str]:
        """Ids of questions with an answer that does not stand where it says."""
        return [
            question.id
            for question in self.questions
            for answer in question.answers
            if self.context[answer.start : answer.start + len(answer.text)] != answer.text
        ]
