"""Exact match and F1 as the official SQuAD scripts define them, digit for digit.

Version 1.1 is the definition where every question has an answer, version 2.0 where at least one has none. They differ
in two ways: 2.0 scores an empty side of F1 as agreement or disagreement, and it leaves out gold answers of which
normalisation leaves nothing. Source: evaluate-v1.1.py and evaluate-v2.0.py of Rajpurkar et al., 2016 and 2018.

Where the official scripts stop (a question without gold in 1.1, a missing prediction in 2.0) this one goes on: the
first is scored as unanswerable, the second as 0.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from kubepipe.errors import InputError
from kubepipe.passages.model import Passage, Question

Definition = Literal["1.1", "2.0"]
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(a|an|the)\b")


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """Score of one question, from 0 to 1."""

    id: str
    exact_match: float
    f1: float
    answerable: bool
    predicted: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Mean scores of a part of the questions, in percent."""

    exact_match: float
    f1: float
    total: int

    def document(self) -> dict[str, Any]:
        """As it stands in a JSON document."""
        return {"exact_match": self.exact_match, "f1": self.f1, "total": self.total}


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one set of predictions.

    Attributes:
        exact_match: Mean exact match in percent.
        f1: Mean F1 in percent.
        total: Number of questions.
        definition: Official script the scores equal.
        missing: Questions without a prediction; each counts 0.
        has_answer: The part with answers; None under definition 1.1 or when there is none.
        no_answer: The part without answers; None under definition 1.1.
        per_question: Scores in the order of the questions.
    """

    exact_match: float
    f1: float
    total: int
    definition: Definition
    missing: int
    has_answer: Part | None
    no_answer: Part | None
    per_question: tuple[QuestionScore, ...]

    def document(self) -> dict[str, Any]:
        """As it stands in a JSON document, without the single questions."""
        return {
            "exact_match": self.exact_match,
            "f1": self.f1,
            "total": self.total,
            "definition": self.definition,
            "missing": self.missing,
            "has_answer": self.has_answer.document() if self.has_answer else None,
            "no_answer": self.no_answer.document() if self.no_answer else None,
        }


@lru_cache(maxsize=65_536)
def normalise(text: str) -> str:
    """Lower case, no ASCII punctuation, no articles, single spaces."""
    return " ".join(_ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def score(predictions: Mapping[str, str], passages: Iterable[Passage]) -> Scores:
    """Score predictions against the gold answers.

    Args:
        predictions: Answer by question id, the form of the official prediction files; "" means no answer. Ids that
            are no question are ignored, as the official scripts do.
        passages: The questions with their gold answers.

    Raises:
        InputError: There is no question.
    """
    questions = [question for passage in passages for question in passage.questions]
    if not questions:
        raise InputError("no questions to score", remedy="Give a data set with a validation part")
    definition: Definition = "1.1" if all(question.answers for question in questions) else "2.0"
    scores = tuple(_scored(questions, predictions, definition))
    everything = _mean(scores)
    answerable = [entry for entry in scores if entry.answerable]
    unanswerable = [entry for entry in scores if not entry.answerable]
    split = definition == "2.0"
    return Scores(
        exact_match=everything.exact_match,
        f1=everything.f1,
        total=everything.total,
        definition=definition,
        missing=sum(not entry.predicted for entry in scores),
        has_answer=_mean(answerable) if split and answerable else None,
        no_answer=_mean(unanswerable) if split else None,
        per_question=scores,
    )


def _scored(
    questions: Sequence[Question], predictions: Mapping[str, str], definition: Definition
) -> Iterator[QuestionScore]:
    f1_of = _f1_of_1_1 if definition == "1.1" else _f1_of_2_0
    for question in questions:
        prediction = predictions.get(question.id)
        exact, f1 = (0.0, 0.0) if prediction is None else _best(prediction, _golds(question, definition), f1_of)
        yield QuestionScore(question.id, exact, f1, question.is_answerable, prediction is not None)


def _golds(question: Question, definition: Definition) -> list[str]:
    golds = list(dict.fromkeys(normalise(answer.text) for answer in question.answers))
    if definition == "1.1":
        return golds
    return [gold for gold in golds if gold] or [""]


def _best(prediction: str, golds: Sequence[str], f1_of: Callable[[str, str], float]) -> tuple[float, float]:
    given = normalise(prediction)
    return float(given in golds), max(f1_of(given, gold) for gold in golds)


def _f1_of_1_1(given: str, gold: str) -> float:
    given_tokens, gold_tokens = given.split(), gold.split()
    same = sum((Counter(given_tokens) & Counter(gold_tokens)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(given_tokens), same / len(gold_tokens)
    return 2 * precision * recall / (precision + recall)


def _f1_of_2_0(given: str, gold: str) -> float:
    if not given or not gold:
        return float(given == gold)
    return _f1_of_1_1(given, gold)


def _mean(scores: Sequence[QuestionScore]) -> Part:
    # Summed from left to right as the official scripts do: another order would change the last digits.
    total = len(scores)
    exact = f1 = 0.0
    for entry in scores:
        exact += entry.exact_match
        f1 += entry.f1
    return Part(100.0 * exact / total, 100.0 * f1 / total, total)
