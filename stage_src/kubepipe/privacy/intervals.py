"""Confidence intervals of shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

Z_95: Final = 1.959963984540054


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % Wilson score interval (Wilson, JASA 22, 1927) of a share; (0, 1) when nothing was looked at."""
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    square = Z_95 * Z_95
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = Z_95 / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == total else min(1.0, middle + half)
    return low, high


def clopper_pearson(hits: int, total: int) -> tuple[float, float]:
    """95 % Clopper-Pearson interval (Biometrika 26, 1934) of a share: exact, never too narrow; (0, 1) for no trials."""
    if total == 0:
        return 0.0, 1.0
    tail = 0.025
    low = 0.0 if hits == 0 else _root(lambda share: 1 - _at_most(hits - 1, total, share) - tail)
    high = 1.0 if hits == total else _root(lambda share: tail - _at_most(hits, total, share))
    return low, high


def finite_bounds(hits: int, examined: int, total: int) -> tuple[float, float]:
    """Exact 95 % bounds of the share of hits among `total` items of which `examined` were looked at.

    Hypergeometric: all counts that do not make what was seen rarer than one in forty on either side. When all items
    were looked at, both bounds are the share itself; (0, 1) when none was.
    """
    if examined == 0 or total == 0:
        return 0.0, 1.0
    tail = 0.025
    misses = examined - hits
    low = _least(lambda count: _drawn(count, total, examined, hits) > tail, hits, total - misses)
    # As many items that are no hits are bounded from below in the same way.
    least = _least(lambda count: _drawn(count, total, examined, misses) > tail, misses, total - hits)
    return low / total, (total - least) / total


def _least(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The least number of a range for which a condition holds that holds for all greater ones too."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _drawn(marked: int, total: int, drawn: int, least: int) -> float:
    """Chance that of `drawn` items out of `total` at least so many are among the marked ones."""
    first, last = max(least, drawn - (total - marked)), min(marked, drawn)
    whole = _log_choose(total, drawn)
    return math.fsum(
        math.exp(_log_choose(marked, count) + _log_choose(total - marked, drawn - count) - whole)
        for count in range(first, last + 1)
    )


def _log_choose(items: int, chosen: int) -> float:
    return math.lgamma(items + 1) - math.lgamma(chosen + 1) - math.lgamma(items - chosen + 1)


def _at_most(hits: int, total: int, share: float) -> float:
    """Chance of at most so many hits."""
    if share in {0.0, 1.0}:
        return 1.0 if share == 0.0 or hits >= total else 0.0
    logs = (
        math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
        + count * math.log(share) + (total - count) * math.log1p(-share)
        for count in range(hits + 1)
    )  # fmt: skip
    return math.fsum(map(math.exp, logs))


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function of a share is zero, by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
