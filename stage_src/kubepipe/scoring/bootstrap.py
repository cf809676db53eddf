"""95 % percentile bootstrap intervals of mean scores (Efron and Tibshirani, 1993, chapter 13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubepipe.scoring.squad import Scores

LEVEL = 0.95
Pair = tuple[float, float]
_DRAWS_AT_ONCE = 4_000_000  # bounds the memory of the resampled indices to 32 MB


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval in percent (or percentage points, for a difference)."""

    low: float
    high: float

    def document(self) -> list[float]:
        """As it stands in a JSON document: [low, high]."""
        return [self.low, self.high]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of both scores."""

    exact_match: Interval
    f1: Interval

    def document(self) -> dict[str, list[float]]:
        """As it stands in a JSON document."""
        return {"exact_match": self.exact_match.document(), "f1": self.f1.document()}


def intervals(scores: Scores, *, resamples: int, seed: int) -> Intervals | None:
    """Intervals of exact match and F1; None without resamples."""
    if resamples == 0:
        return None
    rows = [(entry.exact_match, entry.f1) for entry in scores.per_question]
    return _intervals(rows, resamples=resamples, seed=seed)


def difference(before: Scores, after: Scores, *, resamples: int, seed: int) -> Intervals | None:
    """Intervals of the paired difference after - before: each resample draws the same questions on both sides.

    Raises:
        ValueError: The two are not scores of the same questions in the same order.
    """
    if [entry.id for entry in before.per_question] != [entry.id for entry in after.per_question]:
        raise ValueError("a paired difference needs scores of the same questions in the same order")
    if resamples == 0:
        return None
    sides = ([(entry.exact_match, entry.f1) for entry in side.per_question] for side in (before, after))
    return paired(*sides, resamples=resamples, seed=seed)


def paired(before: Sequence[Pair], after: Sequence[Pair], *, resamples: int, seed: int) -> Intervals:
    """Intervals of the paired difference after - before, of exact match and F1 (0 to 1) by question in one order."""
    pairs = zip(before, after, strict=True)
    rows = [(new[0] - old[0], new[1] - old[1]) for old, new in pairs]
    return _intervals(rows, resamples=resamples, seed=seed)


def _intervals(rows: Sequence[tuple[float, float]], *, resamples: int, seed: int) -> Intervals:
    import numpy as np

    values = np.asarray(rows, dtype=np.float64)
    generator = np.random.default_rng(seed)
    step = max(1, _DRAWS_AT_ONCE // len(values))
    means = []
    for start in range(0, resamples, step):
        draws = generator.integers(len(values), size=(min(step, resamples - start), len(values)))
        means.append(values[draws].mean(axis=1))
    tail = 100.0 * (1.0 - LEVEL) / 2.0
    low, high = 100.0 * np.percentile(np.concatenate(means), [tail, 100.0 - tail], axis=0)
    return Intervals(Interval(float(low[0]), float(high[0])), Interval(float(low[1]), float(high[1])))
