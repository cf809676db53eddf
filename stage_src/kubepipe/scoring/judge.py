"""Scores of a model that is being trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubepipe.passages.model import Passage
from kubepipe.scoring.predict import Predictor
from kubepipe.scoring.squad import score
from kubepipe.settings import ScoringSettings, TrainingSettings
from kubepipe.training.best import Judge
from kubepipe.training.hardware import Hardware
from kubepipe.training.objective import arithmetic
from kubepipe.training.prompt import PromptEncoder


class _LivePredictor(Predictor):
    """Asks a model in memory as it stands, adapters and all."""

    def __init__(
        self,
        model: Any,
        encoder: PromptEncoder,
        hardware: Hardware,
        settings: ScoringSettings,
        training: TrainingSettings,
    ) -> None:
        self.settings = settings
        self.hardware = hardware
        self.is_tuned = False
        self._encoder = encoder
        self._max_context = training.max_tokens
        self._model = model
        self._shares = None
        # The model changes between two calls, so nothing that it read before holds.
        self._contexts = None

    def _ready(self, *, adapter: bool) -> Any:
        del adapter
        return self._model


def make_judge(passages: Sequence[Passage], settings: ScoringSettings, training: TrainingSettings) -> Judge | None:
    """A judge that asks the first held-out questions, as many as the loss is taken of; None without any.

    Args:
        passages: Held-out passages.
        settings: Length of the answers.
        training: How many questions.
    """
    chosen: list[Passage] = []
    for passage in passages:
        left = training.validation_questions - sum(len(each.questions) for each in chosen)
        if left <= 0:
            break
        chosen.append(Passage(passage.id, passage.document, passage.context, passage.questions[:left]))
    if not any(passage.questions for passage in chosen):
        return None

    def judge(model: Any, encoder: PromptEncoder, hardware: Hardware) -> tuple[float, float]:
        was_training = model.training
        model.eval()
        try:
            with arithmetic(hardware):
                predictor = _LivePredictor(model, encoder, hardware, settings, training)
                answers = {each.id: each.text for each in predictor.answer(chosen)}
        finally:
            model.train(was_training)
        found = score(answers, chosen)
        return found.exact_match, found.f1

    return judge
