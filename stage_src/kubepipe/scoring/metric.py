"""Our scores as an `evaluate.Metric` that needs no hub: `evaluate.load("squad")` downloads code on first use."""

from __future__ import annotations

from typing import Any

from kubepipe.errors import MissingExtraError
from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.scoring.squad import score


def squad_metric() -> Any:
    """An `evaluate.Metric` with the inputs and outputs of the hub's `squad`.

    Predictions are rows {id, prediction_text}, references rows {id, answers: {text, answer_start}}; references without
    a text are unanswerable. `compute()` returns `exact_match` and `f1` in percent.

    Raises:
        MissingExtraError: `evaluate` is not installed.
    """
    try:
        import datasets
        import evaluate
    except ImportError as error:
        raise MissingExtraError("evaluate is not installed", remedy="pip install evaluate") from error

    features = datasets.Features(
        {
            "predictions": {"id": datasets.Value("string"), "prediction_text": datasets.Value("string")},
            "references": {
                "id": datasets.Value("string"),
                "answers": {
                    "text": datasets.List(datasets.Value("string")),
                    "answer_start": datasets.List(datasets.Value("int32")),
                },
            },
        }
    )

    class Squad(evaluate.Metric):  # type: ignore[misc]
        """Exact match and F1 of the official SQuAD scripts."""

        def _info(self) -> Any:
            return evaluate.MetricInfo(
                description="Exact match and F1 of the official SQuAD scripts",
                citation="Rajpurkar et al., 2016, SQuAD: 100,000+ questions for machine comprehension of text",
                features=features,
            )

        def _compute(self, predictions: list[dict[str, Any]], references: list[dict[str, Any]]) -> dict[str, float]:
            answers = {row["id"]: row["prediction_text"] for row in predictions}
            questions = tuple(_question(row) for row in references)
            scores = score(answers, [Passage("references", "references", "", questions)])
            return {"exact_match": scores.exact_match, "f1": scores.f1}

    return Squad()


def _question(row: dict[str, Any]) -> Question:
    texts, starts = row["answers"]["text"], row["answers"]["answer_start"]
    answers = tuple(Answer(text, start) for text, start in zip(texts, starts, strict=True))
    return Question(row["id"], "", answers)
