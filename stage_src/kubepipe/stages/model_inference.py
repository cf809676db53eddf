"""model-inference: the tuned model tried out on held-out questions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from kubepipe.passages import Passage, iter_passages
from kubepipe.records import write_text
from kubepipe.scoring import Predictor
from kubepipe.stages.context import StageContext


def run(context: StageContext) -> Mapping[str, Any]:
    """Answer sample questions with confidence; one JSON object a line (schema inference-result)."""
    settings = context.settings
    passages = _sample(context, settings.scoring.sample_questions)
    predictor = Predictor(context.inputs["output_model"], settings.scoring, settings.training)
    answers = {each.id: each for each in predictor.answer(passages, adapter=True)}
    untuned = {each.id: each for each in predictor.answer(passages, adapter=False)}
    lines = [
        {
            "id": question.id,
            "context": passage.context,
            "question": question.text,
            "answers": [answer.text for answer in question.answers],
            "prediction": answers[question.id].text,
            "untuned_prediction": untuned[question.id].text,
            "confidence": answers[question.id].confidence,
            "no_answer": answers[question.id].no_answer,
        }
        for passage in passages
        for question in passage.questions
    ]
    write_text(
        context.outputs["inference_results"], "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    )
    confidences = [each.confidence for each in answers.values()]
    return {
        "answered": len(lines),
        "no_answer": sum(each.no_answer for each in answers.values()),
        "mean_confidence": round(sum(confidences) / len(confidences), 4) if confidences else None,
    }


def _sample(context: StageContext, count: int) -> list[Passage]:
    """The first passages whose questions make up the count; the last one is cut."""
    chosen: list[Passage] = []
    for passage in iter_passages(context.inputs["protected_dataset"], "validation"):
        left = count - sum(len(each.questions) for each in chosen)
        if left <= 0:
            break
        questions = tuple(islice(passage.questions, left))
        chosen.append(Passage(passage.id, passage.document, passage.context, questions))
    return chosen
