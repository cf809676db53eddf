"""Which rows make up which step: a pure function of rows, budget, epochs and seed.

The plan covers all epochs, so that a resumed run continues in the middle of it without replaying any random state.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from kubepipe.training.rows import Row


def plan_steps(rows: Sequence[Row], *, tokens_per_step: int, epochs: float, seed: int) -> list[list[Row]]:
    """Plan the steps of a whole run.

    Args:
        rows: What to train on.
        tokens_per_step: Most tokens of a step; a longer row makes a step of its own.
        epochs: Passes over the rows, each in another order; a fraction ends within a pass.
        seed: Of the order.

    Returns:
        The rows of each step.
    """
    steps: list[list[Row]] = []
    epoch = 0
    while epochs > epoch:
        shuffled = list(rows)
        random.Random(f"{seed}/{epoch}").shuffle(shuffled)  # noqa: S311 - an order, no secret
        of_epoch = _filled(shuffled, tokens_per_step)
        steps += of_epoch[: max(1, round(min(1.0, epochs - epoch) * len(of_epoch)))]
        epoch += 1
    return steps


def micro_batches(rows: Sequence[Row], tokens_at_once: int) -> list[list[Row]]:
    """Divide the rows of a step into batches that are computed one after the other.

    Args:
        rows: Of one step.
        tokens_at_once: Most tokens of a batch, padding included; a longer row makes a batch of its own.

    Returns:
        Batches of rows of like length, shortest first.
    """
    batches: list[list[Row]] = []
    for row in sorted(rows, key=len):
        # Rows come shortest first: the newest is the longest, and all are padded to it.
        if batches and (len(batches[-1]) + 1) * len(row) <= tokens_at_once:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def _filled(rows: Sequence[Row], tokens_per_step: int) -> list[list[Row]]:
    steps: list[list[Row]] = []
    size = 0
    for row in rows:
        size += len(row)
        if not steps or size > tokens_per_step:
            steps.append([])
            size = len(row)
        steps[-1].append(row)
    return steps
