"""A curve over the steps of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubepipe.reporting.charts.scale import Scale, scale
from kubepipe.reporting.markup import Markup, element

_POINTS: Final = 240
_SMOOTHING: Final = 25

Point = tuple[float, float]


def line_chart(title: str, points: Sequence[Point], *, tone: str, smooth: bool = False, x_name: str = "step") -> Markup:
    """A curve with its axes.

    Args:
        title: What the chart shows.
        points: x and y; at least one.
        tone: Class that colours the curve.
        smooth: Lay a moving mean over a curve that jumps from step to step.
        x_name: What the x axis counts.
    """
    shown = _thin(points)
    ys = [y for _, y in shown]
    vertical, horizontal = scale(min(0.0, *ys), max(ys), 3), _steps(shown)
    curves = [_curve(shown, horizontal, vertical, f"curve stroke-{tone}{' faint' if smooth else ''}")]
    if smooth:
        curves.append(_curve(_mean(shown), horizontal, vertical, f"curve stroke-{tone}"))
    drawing = element(
        "svg",
        (_level(tick, vertical) for tick in vertical.ticks),
        curves,
        viewBox="0 0 100 100",
        preserveAspectRatio="none",
        width="100%",
        height="100%",
        aria_hidden="true",
        focusable="false",
    )
    first, last = points[0], points[-1]
    return element(
        "div",
        _levels(vertical),
        element("div", drawing, class_="plot"),
        element(
            "div",
            element("span", f"{x_name} {horizontal.low:g}"),
            element("span", f"{horizontal.high:g}"),
            class_="x-axis",
            aria_hidden="true",
        ),
        class_="chart lines",
        role="img",
        aria_label=(
            f"{title}: {first[1]:.4g} at {x_name} {first[0]:g}, {last[1]:.4g} at {x_name} {last[0]:g}; "
            f"lowest {min(y for _, y in points):.4g}, highest {max(y for _, y in points):.4g}."
        ),
    )


def _steps(points: Sequence[Point]) -> Scale:
    low, high = points[0][0], points[-1][0]
    return Scale(low, high if high > low else low + 1.0, ())


def _level(tick: float, axis: Scale) -> Markup:
    y = 100.0 - axis.place(tick)
    return element("line", x1="0", x2="100", y1=y, y2=y, class_="grid")


def _levels(axis: Scale) -> Markup:
    """The values of the y axis; the longest of them makes the room for all."""
    labels = [(f"{tick:g}", axis.place(tick)) for tick in axis.ticks]
    room = max((label for label, _ in labels), key=len)
    placed = [element("span", label, style=f"bottom:{place:.2f}%") for label, place in labels]
    return element("div", element("i", room), placed, class_="y-axis", aria_hidden="true")


def _curve(points: Sequence[Point], horizontal: Scale, vertical: Scale, classes: str) -> Markup:
    if len(points) == 1:
        # A curve of one step is a level line: a point without neighbours would not be seen.
        points = [points[0], (horizontal.high, points[0][1])]
    track = " ".join(f"{horizontal.place(x):.2f},{100.0 - vertical.place(y):.2f}" for x, y in points)
    return element("polyline", points=track, class_=classes)


def _thin(points: Sequence[Point]) -> list[Point]:
    """At most so many points as can be seen; each stands for the mean of its neighbours."""
    if len(points) <= _POINTS:
        return list(points)
    size = -(-len(points) // _POINTS)
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    means = [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]
    return [points[0], *means[1:-1], points[-1]]


def _mean(points: Sequence[Point]) -> list[Point]:
    half = max(1, len(points) // _SMOOTHING)
    smoothed = []
    for index, (x, _) in enumerate(points):
        window = points[max(0, index - half) : index + half + 1]
        smoothed.append((x, sum(y for _, y in window) / len(window)))
    return smoothed
