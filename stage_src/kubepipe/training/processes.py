"""Several processes that train one model together, started by torchrun (RANK, WORLD_SIZE, LOCAL_RANK).

Each takes its share of the rows of every step. The gradients are summed over all, not averaged per process: the loss of
a step is the mean over all its label tokens, however they fell on the processes. One process alone is a team of one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all processes know after a step.

    Attributes:
        loss: Of the whole step.
        stop: Whether any process was asked to stop.
        due: Whether the first process wants a checkpoint.
    """

    loss: float
    stop: bool
    due: bool


class Team:
    """This process among those that train together."""

    def __init__(self) -> None:
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))

    @property
    def is_first(self) -> bool:
        """Whether this process writes what all of them made."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items of this process."""
        return self.share_of(items, self.rank, self.size)

    @staticmethod
    def share_of(items: Sequence[Item], rank: int, size: int) -> Sequence[Item]:
        """The items of one of several processes: every size-th, so that a sorted sequence falls evenly."""
        return items[rank::size]

    def sum_gradients(self, model: Any) -> None:
        """Add up the gradients of all processes."""
        if self.size == 1:
            return
        import torch
        from torch.distributed import all_reduce

        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        for parameter in trained:
            # A process without a row has no gradient, and takes part nevertheless.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([parameter.grad.flatten() for parameter in trained])
        all_reduce(flat)
        for parameter, summed in zip(trained, flat.split([each.numel() for each in trained]), strict=True):
            parameter.grad.copy_(summed.view_as(parameter))

    def agree(self, *, loss: float, stop: bool, due: bool, device: str) -> Verdict:
        """Add up the loss; stop when one was asked to; save when the first process says so."""
        if self.size == 1:
            return Verdict(loss, stop, due)
        import torch
        from torch.distributed import all_reduce

        votes = torch.tensor([loss, float(stop), float(due and self.is_first)], dtype=torch.float64, device=device)
        all_reduce(votes)
        total, stops, dues = votes.tolist()
        return Verdict(total, stops > 0, dues > 0)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            from torch.distributed import barrier

            barrier()

    def told(self, value: Any) -> Any:
        """What the first process gives."""
        if self.size == 1:
            return value
        from torch.distributed import broadcast_object_list

        values = [value]
        broadcast_object_list(values)
        return values[0]
