"""What happened in the steps of a run so far, and where it is kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from kubepipe.training.result import Progress, StepLoss


@dataclass
class Journal:
    """What happened in the steps so far, over all processes of a resumed run.

    Attributes:
        planned: Steps in all.
        steps_per_epoch: Steps of one pass.
        losses: One entry per step done.
        interrupted: Whether the process was asked to stop.
        exhausted: Whether the held-out slice says that more training brings nothing.
        tokens: Tokens of the steps of this process, without padding.
        tokens_at_once: Tokens that are computed at once; halved where the memory does not hold them.
        checkpointing: Whether hidden states are computed again for the gradients, since the memory does not hold them.
    """

    planned: int
    steps_per_epoch: float
    losses: list[StepLoss] = field(default_factory=list)
    interrupted: bool = False
    exhausted: bool = False
    tokens: int = 0
    tokens_at_once: int = 0
    checkpointing: bool = False
    started: float = field(default_factory=time.monotonic)
    seconds_before: float = 0.0

    def add(self, *, loss: float, learning_rate: float) -> Progress:
        """Note a step and say how far training is."""
        step = len(self.losses) + 1
        epoch = step / self.steps_per_epoch
        here = time.monotonic() - self.started
        self.losses.append(StepLoss(step, loss, learning_rate, round(epoch, 4), round(self.seconds_before + here, 3)))
        return Progress(step, self.planned, loss, epoch, self.tokens / here if here else 0.0)


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where, how often and under which name checkpoints are kept."""

    folder: Path
    fingerprint: str
    every_seconds: float
