"""Axes: round ticks, and positions in per cent."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kubepipe.reporting.markup import Markup, element

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from low to high.

    Attributes:
        low: Value at 0 %.
        high: Value at 100 %.
        ticks: Round values between.
    """

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where a value lies, in per cent."""
        span = self.high - self.low
        return min(100.0, max(0.0, 100.0 * (value - self.low) / span)) if span else 0.0

    def percent(self, value: float) -> str:
        """The same as an SVG length."""
        return f"{self.place(value):.2f}%"


def scale(low: float, high: float, wanted: int = 4) -> Scale:
    """An axis that holds both values, with about the wanted number of round ticks."""
    span = high - low or abs(high) or 1.0
    raw = span / wanted
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in _STEPS if factor * magnitude >= raw * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    ticks = tuple(round(index * step, 12) for index in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def grid_lines(axis: Scale) -> list[Markup]:
    """Vertical lines at the ticks, for a row of a chart."""
    return [
        element("line", x1=axis.percent(tick), x2=axis.percent(tick), y1="0", y2="100%", class_="grid")
        for tick in axis.ticks
    ]


def tick_labels(axis: Scale, *, unit: str = "") -> Markup:
    """The ticks' values under the rows of a chart."""
    last = len(axis.ticks) - 1
    labels = [
        element(
            "text",
            f"{tick:g}{unit if index == last else ''}",
            x=axis.percent(tick),
            y="12",
            text_anchor="start" if index == 0 else "end" if index == last else "middle",
        )
        for index, tick in enumerate(axis.ticks)
    ]
    return element("svg", labels, class_="ticks", width="100%", height="16", aria_hidden="true", focusable="false")
