"""The best weights so far, by the answers to a held-out slice rather than by its loss, and when to stop looking."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from kubepipe.records import write_text
from kubepipe.training.hardware import Hardware
from kubepipe.training.prompt import PromptEncoder

_JUDGEMENTS: Final = "judgements.json"
_WEIGHTS: Final = "best.safetensors"

Judge = Callable[[Any, PromptEncoder, Hardware], tuple[float, float]]
"""Exact match and F1, in percent, of a model as it stands on the slice."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Scores of the slice after a step, in percent."""

    step: int
    exact_match: float
    f1: float

    def beats(self, other: Judgement) -> bool:
        """Whether it is better: by F1, then by exact match; of equals the earlier one stays."""
        return (self.f1, self.exact_match) > (other.f1, other.exact_match)


@dataclass
class Best:
    """What the slice said so far.

    Attributes:
        judge: Scores a model.
        steps: After which steps it is asked.
        patience: Judgements without a better one after which training stops; 0 never stops.
        judgements: In order.
        weights: Trained weights of the best step by name, in main memory.
    """

    judge: Judge
    steps: frozenset[int]
    patience: int
    judgements: list[Judgement] = field(default_factory=list)
    weights: dict[str, Any] = field(default_factory=dict)

    @property
    def best(self) -> Judgement | None:
        """The best judgement."""
        found: Judgement | None = None
        for each in self.judgements:
            if found is None or each.beats(found):
                found = each
        return found

    @property
    def exhausted(self) -> bool:
        """Whether the last judgements brought nothing better."""
        best = self.best
        if best is None or self.patience == 0:
            return False
        return len(self.judgements) - 1 - self.judgements.index(best) >= self.patience

    def note(self, step: int, scores: tuple[float, float], model: Any) -> None:
        """Note exact match and F1 of the model after a step, and keep its weights when they are the best."""
        self.judgements.append(Judgement(step, *scores))
        best = self.best
        if best is not None and best.step == step:
            self.weights = {
                name: parameter.detach().cpu().clone()
                for name, parameter in model.named_parameters()
                if parameter.requires_grad
            }

    def restore(self, model: Any) -> None:
        """Give the model the weights of the best step."""
        import torch

        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name in self.weights:
                    parameter.copy_(self.weights[name])

    def write(self, folder: Path) -> None:
        """Keep it in a checkpoint."""
        from safetensors.torch import save_file

        write_text(folder / _JUDGEMENTS, json.dumps([asdict(each) for each in self.judgements]))
        save_file(self.weights, folder / _WEIGHTS)

    def read(self, folder: Path) -> None:
        """Go on from a checkpoint."""
        from safetensors.torch import load_file

        judgements = json.loads((folder / _JUDGEMENTS).read_text(encoding="utf-8"))
        self.judgements = [Judgement(**each) for each in judgements]
        self.weights = load_file(folder / _WEIGHTS)


def judged_steps(planned: int, evaluations: int) -> frozenset[int]:
    """So many steps at equal distances, the last one among them; all where there are fewer."""
    wanted = min(planned, evaluations)
    return frozenset(round(planned * (number + 1) / wanted) for number in range(wanted))
