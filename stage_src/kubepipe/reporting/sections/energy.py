"""What the run took, step by step, and the figures in three parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kubepipe.reporting import numbers as say
from kubepipe.reporting.charts import Bar, bar_chart
from kubepipe.reporting.markup import Markup, element
from kubepipe.reporting.model import RunView, Step, table
from kubepipe.reporting.numbers import number
from kubepipe.reporting.sections.parts import data_table, figure, not_reached, note, section, source_tag

PARTS: Final = {
    "technical": "Technical: what came out",
    "operational": "Operational: time and money",
    "environmental": "Environmental: what it took",
}

_UNITS: Final[dict[str, Callable[[float], str]]] = {
    "%": lambda value: f"{say.score(value)}\N{NO-BREAK SPACE}%",
    "points": lambda value: f"{say.signed(value)}\N{NO-BREAK SPACE}points",
    "s": say.duration,
    "bytes": say.memory,
    "share": say.share,
    "kWh": say.energy,
    "gCO2e": lambda value: f"{say.grams(value)}\N{NO-BREAK SPACE}CO\N{SUBSCRIPT TWO}e",
}


def shown(figure_: Mapping[str, Any]) -> str:
    """A figure of the sustainability document as text, with its unit."""
    value, unit = number(figure_.get("value")), str(figure_.get("unit", ""))
    if value is None:
        return say.MISSING
    return _UNITS[unit](value) if unit in _UNITS else f"{say.plain(value)}\N{NO-BREAK SPACE}{unit}"


def energy(seen: RunView, figures: Mapping[str, Any]) -> Markup:
    """The bars by step, the three tables, the method.

    Args:
        seen: The run.
        figures: Its figures (schema sustainability-metrics).
    """
    steps = [step for step in seen.ran() if step.energy]
    if not steps:
        return section("energy", "What it took", not_reached("Energy"))
    return section(
        "energy",
        "What it took",
        note(
            "Every value says how it came about: ", source_tag("measured"), " read from a counter or clock, ",
            source_tag("modelled"), " computed from a published model, ",
            source_tag("assumed"), " taken from the settings.",
        ),
        element(
            "p",
            element("span", "processor", class_="key cpu"),
            element("span", "memory", class_="key ram"),
            element("span", "graphics", class_="key gpu"),
            class_="legend",
        ),
        figure("Electricity by step", bar_chart("Electricity by step", _bars(steps))),
        element("div", [_part(title, table(figures.get(name))) for name, title in PARTS.items()], _method(figures),
                class_="columns tall"),
    )  # fmt: skip


def _bars(steps: list[Step]) -> list[Bar]:
    values = say.energies([number(step.energy.get("energy_kwh")) or 0.0 for step in steps])
    return [Bar(step.name, _pieces(step), value) for step, value in zip(steps, values, strict=True)]


def _pieces(step: Step) -> tuple[tuple[str, float], ...]:
    parts = table(step.energy.get("parts"))
    return tuple((name, number(parts.get(f"{name}_kwh")) or 0.0) for name in ("cpu", "ram", "gpu"))


def _part(title: str, part: Mapping[str, Any]) -> Markup:
    known = [table(entry) for entry in part.values() if number(table(entry).get("value")) is not None]
    rows = ((str(entry.get("label")), shown(entry), source_tag(entry.get("source"))) for entry in known)
    return data_table(title, ("Figure", "Value", "Source"), rows)


def _method(figures: Mapping[str, Any]) -> Markup:
    grid = table(figures.get("grid"))
    methods = [element("li", str(method)) for method in figures.get("method") or []]
    carbon = f"{say.plain(number(grid.get('gco2e_per_kwh')))} g CO\N{SUBSCRIPT TWO}e per kWh"
    place = element("li", f"grid {grid.get('country')}: {carbon} in {grid.get('year')}; {grid.get('source')}")
    border = element("li", "not in it: making the hardware, networks, storage, and steps of earlier runs")
    return element(
        "div",
        element("h3", "How this was found"),
        element("ul", methods, place if grid else None, border),
        class_="small",
    )
