"""benchmark-model: EM and F1 of the untuned and the tuned model on the held-out questions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from kubepipe.errors import InputError
from kubepipe.passages import iter_passages
from kubepipe.records import write_document
from kubepipe.scoring import Predictor, benchmark
from kubepipe.stages.context import StageContext


def run(context: StageContext) -> Mapping[str, Any]:
    """Answer all held-out questions twice and score both (schema benchmark-metrics)."""
    passages = list(iter_passages(context.inputs["protected_dataset"], "validation"))
    if not passages:
        raise InputError("no held-out question is left", place="the protected data set", remedy="Give more data")
    settings = context.settings
    predictor = Predictor(context.inputs["output_model"], settings.scoring, settings.training)
    answers: dict[str, dict[str, str]] = {}
    seconds: dict[str, float] = {}
    for number, (name, adapter) in enumerate({"untuned": False, "tuned": True}.items()):
        context.progress(number / 2, f"asks the {name} model")
        start = time.monotonic()
        answers[name] = {each.id: each.text for each in predictor.answer(passages, adapter=adapter)}
        seconds[name] = round(time.monotonic() - start, 3)
    document = benchmark(
        passages, untuned=answers["untuned"], tuned=answers["tuned"], settings=settings.scoring, seed=settings.seed
    ).document()
    write_document(context.outputs["metrics"], document, "benchmark-metrics")
    return {**document, "answer_seconds": seconds}
