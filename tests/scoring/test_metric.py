"""Our metric in the form of `evaluate`."""

from __future__ import annotations

import pytest

from kubepipe.scoring.metric import squad_metric


def test_the_metric_computes_without_a_hub() -> None:
    """It loads offline and gives the scores of the official definition."""
    metric = squad_metric()
    references = [
        {"id": "1", "answers": {"text": ["Denver Broncos", "Broncos"], "answer_start": [0, 7]}},
        {"id": "2", "answers": {"text": ["1976"], "answer_start": [3]}},
    ]
    predictions = [{"id": "1", "prediction_text": "the Broncos"}, {"id": "2", "prediction_text": "in 1976"}]
    found = metric.compute(predictions=predictions, references=references)
    assert found == {"exact_match": 50.0, "f1": pytest.approx(100 * (1 + 2 / 3) / 2)}
