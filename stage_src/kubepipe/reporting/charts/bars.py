"""Horizontal bars, one row per thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubepipe.reporting.markup import Markup, element


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a bar chart.

    Attributes:
        label: Name of the row.
        parts: Lengths of the pieces one after the other, each with the class that colours it.
        shown: The value as text.
    """

    label: str
    parts: tuple[tuple[str, float], ...]
    shown: str


def bar_chart(title: str, rows: Sequence[Bar]) -> Markup:
    """A bar per row, all on one axis from zero.

    Args:
        title: What the chart shows; with the rows it makes the text alternative.
        rows: At least one.
    """
    longest = max(sum(value for _, value in row.parts) for row in rows) or 1.0
    told = "; ".join(f"{row.label} {row.shown}" for row in rows)
    return element(
        "div",
        (_row(row, longest) for row in rows),
        class_="chart bars",
        role="img",
        aria_label=f"{title}: {told}.",
    )


def _row(row: Bar, longest: float) -> Markup:
    pieces, start = [], 0.0
    for tone, value in row.parts:
        width = 100.0 * value / longest
        pieces.append(
            element("rect", x=f"{start:.2f}%", y="3", width=f"{width:.2f}%", height="14", class_=f"fill-{tone}")
        )
        start += width
    bar = element("svg", pieces, width="100%", height="20", aria_hidden="true", focusable="false")
    return element(
        "div",
        element("span", row.label, class_="label"),
        element("span", bar, class_="plot"),
        element("span", row.shown, class_="value"),
        class_="row",
    )
