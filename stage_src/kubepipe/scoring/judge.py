"""Scores of a model that is being trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubepipe.passages import Passage, first_questions
from kubepipe.scoring.asking import Asking
from kubepipe.scoring.squad import score
from kubepipe.settings import ScoringSettings, TrainingSettings
from kubepipe.training.best import Judge
from kubepipe.training.hardware import Hardware
from kubepipe.training.objective import arithmetic
from kubepipe.training.prompt import PromptEncoder


def make_judge(passages: Sequence[Passage], settings: ScoringSettings, training: TrainingSettings) -> Judge | None:
    """A judge that asks the first held-out questions, as many as the loss is taken of; None without any.

    Args:
        passages: Held-out passages.
        settings: Length of the answers.
        training: How many questions.
    """
    chosen = first_questions(passages, training.validation_questions)
    if not any(passage.questions for passage in chosen):
        return None

    def judge(model: Any, encoder: PromptEncoder, hardware: Hardware) -> tuple[float, float]:
        was_training = model.training
        model.eval()
        try:
            with arithmetic(hardware):
                # The model changes between two calls, so nothing that it read before is kept.
                asking = Asking(encoder, hardware, settings, training.max_tokens)
                answers = {each.id: each.text for each in asking.answer(model, chosen)}
        finally:
            model.train(was_training)
        found = score(answers, chosen)
        return found.exact_match, found.f1

    return judge
