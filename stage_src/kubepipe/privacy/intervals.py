"""Confidence intervals of shares."""

from __future__ import annotations

import math
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
