"""Scores with their intervals, before and after on one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubepipe.reporting.charts.scale import Scale, grid_lines, scale, tick_labels
from kubepipe.reporting.markup import Markup, element


@dataclass(frozen=True, slots=True)
class Dot:
    """A value with its interval.

    Attributes:
        tone: Class that colours it.
        value: The value.
        low: Lower bound, None without an interval.
        high: Upper bound.
    """

    tone: str
    value: float
    low: float | None = None
    high: float | None = None


def interval_chart(
    title: str, rows: Sequence[tuple[str, Sequence[Dot], str]], *, high: float = 100.0, unit: str = " %"
) -> Markup:
    """Rows of dots with whiskers on one axis from zero.

    Args:
        title: What the chart shows.
        rows: Label, dots and the values as text, for each row.
        high: End of the axis.
        unit: Unit of the axis.
    """
    axis = scale(0.0, high)
    told = "; ".join(f"{label} {shown}" for label, _, shown in rows)
    return element(
        "div",
        (_row(label, dots, shown, axis) for label, dots, shown in rows),
        element("div", element("span", tick_labels(axis, unit=unit), class_="plot"), class_="row axis"),
        class_="chart intervals",
        role="img",
        aria_label=f"{title}: {told}.",
    )


def _row(label: str, dots: Sequence[Dot], shown: str, axis: Scale) -> Markup:
    # Two dots lie one above the other, so that overlapping intervals stay readable.
    heights = [20.0] if len(dots) == 1 else [12.0, 28.0]
    shapes = [_dot(dot, axis, y) for dot, y in zip(dots, heights, strict=False)]
    plot = element("svg", grid_lines(axis), shapes, width="100%", height="40", aria_hidden="true", focusable="false")
    return element(
        "div",
        element("span", label, class_="label"),
        element("span", plot, class_="plot"),
        element("span", shown, class_="value"),
        class_="row",
    )


def _dot(dot: Dot, axis: Scale, y: float) -> list[Markup]:
    center = element("circle", cx=axis.percent(dot.value), cy=y, r=5, class_=f"fill-{dot.tone}")
    if dot.low is None or dot.high is None:
        return [center]
    whisker = element(
        "line",
        x1=axis.percent(dot.low),
        x2=axis.percent(dot.high),
        y1=y,
        y2=y,
        class_=f"whisker stroke-{dot.tone}",
    )
    return [whisker, center]
