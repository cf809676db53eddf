"""Scoring a whole prediction file: ours, and `evaluate`'s squad from a folder that holds the metric's two files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.pieces import timed

from kubepipe.passages.model import Passage, Question
from kubepipe.scoring import read_predictions, score


def compare(predictions: Path, everything: Sequence[Passage], metric: Path) -> dict[str, Any]:
    """CPU seconds of both from the same answers in memory, and whether both scores are the same to the last digit.

    Loading the libraries is no part of either.
    """
    import evaluate

    given = read_predictions(predictions)
    questions = [question for passage in everything for question in passage.questions]
    rows = [{"id": question.id, "prediction_text": given[question.id]} for question in questions]
    references = [{"id": question.id, "answers": _golds(question)} for question in questions]
    loaded = evaluate.load(str(metric))
    ours, our_seconds = timed(lambda: score(given, everything))
    theirs, their_seconds = timed(lambda: loaded.compute(predictions=rows, references=references))
    return {
        "ratio": round(their_seconds / our_seconds, 3),
        "cpu_seconds": round(our_seconds, 3),
        "evaluate_cpu_seconds": round(their_seconds, 3),
        "predictions": len(questions),
        "identical": theirs == {"exact_match": ours.exact_match, "f1": ours.f1},
    }


def _golds(question: Question) -> dict[str, list[Any]]:
    return {
        "text": [answer.text for answer in question.answers],
        "answer_start": [answer.start for answer in question.answers],
    }
