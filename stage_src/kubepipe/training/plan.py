"""Which rows make up which step: a pure function of rows, budget, epochs and seed.

The plan covers all epochs, so that a resumed run continues in the middle of it without replaying any random state.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from kubepipe.training.rows import Row

# Rows are sorted by length within so many steps' worth of shuffled rows: little padding, and still a random order.
_STEPS_PER_BUCKET = 8


def plan_steps(rows: Sequence[Row], *, tokens_per_step: int, epochs: float, seed: int) -> list[tuple[int, ...]]:
    """Plan the steps of a whole run.

    Args:
        rows: What to train on.
        tokens_per_step: Most tokens of a step, padding included; a single longer row makes a step of its own.
        epochs: Passes over the rows; a fraction ends within a pass.
        seed: Of the order.

    Returns:
        Numbers of the rows of each step.
    """
    steps: list[tuple[int, ...]] = []
    epoch = 0
    while epochs > epoch:
        of_epoch = _epoch(rows, tokens_per_step, random.Random(f"{seed}/{epoch}"))  # noqa: S311 - an order, no secret
        share = min(1.0, epochs - epoch)
        steps += of_epoch[: max(1, round(share * len(of_epoch)))]
        epoch += 1
    return steps


def _epoch(rows: Sequence[Row], tokens_per_step: int, order: random.Random) -> list[tuple[int, ...]]:
    numbers = list(range(len(rows)))
    order.shuffle(numbers)
    steps: list[tuple[int, ...]] = []
    bucket: list[int] = []
    size = 0
    for number in numbers:
        bucket.append(number)
        size += len(rows[number])
        if size >= _STEPS_PER_BUCKET * tokens_per_step:
            steps += _steps(rows, sorted(bucket, key=lambda member: len(rows[member])), tokens_per_step)
            bucket, size = [], 0
    steps += _steps(rows, sorted(bucket, key=lambda member: len(rows[member])), tokens_per_step)
    order.shuffle(steps)
    return steps


def _steps(rows: Sequence[Row], numbers: Sequence[int], tokens_per_step: int) -> list[tuple[int, ...]]:
    steps: list[tuple[int, ...]] = []
    current: list[int] = []
    for number in numbers:
        # The rows come shortest first: the newest is the longest, and all are padded to it.
        if current and (len(current) + 1) * len(rows[number]) > tokens_per_step:
            steps.append(tuple(current))
            current = []
        current.append(number)
    if current:
        steps.append(tuple(current))
    return steps
