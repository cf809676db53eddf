"""Exact match and F1 before and after, with intervals, and where the model errs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubepipe.reporting import numbers as say
from kubepipe.reporting.charts import Dot, interval_chart
from kubepipe.reporting.markup import Markup, element
from kubepipe.reporting.model import RunView, table
from kubepipe.reporting.numbers import number
from kubepipe.reporting.sections.parts import data_table, figure, not_reached, note, section, with_bounds, words

_MEASURES = {"exact_match": "Exact match", "f1": "F1"}
_TITLE = "How well it answers"


def scores(seen: RunView) -> Markup:
    """The chart, the figures behind it, and the tables by kind of question."""
    results = seen.results("benchmark-model")
    if not table(results.get("untuned")):
        return section("scores", _TITLE, not_reached("Scores"))
    total = number(results.get("total"))
    return section(
        "scores",
        _TITLE,
        note(
            f"{say.count(total)} held-out questions of the protected data, answered twice: by the model as it came and "
            "after fine-tuning. Lines show 95 % intervals: where scores fall with other questions of the same kind."
        ),
        element(
            "p",
            element("span", "untuned", class_="key untuned"),
            element("span", "tuned", class_="key tuned"),
            class_="legend",
        ),
        figure(
            "Scores in percent",
            interval_chart("Scores, untuned and tuned", [_row(results, name) for name in _MEASURES]),
        ),
        data_table(
            "Scores in percent with 95 % intervals",
            ("Score", "Untuned", "Tuned", "Difference"),
            ((label, *_cells(results, name)) for name, label in _MEASURES.items()),
        ),
        element("div", [_breakdown(name, rows) for name, rows in _breakdowns(results).items()], class_="columns"),
    )


def _row(results: Mapping[str, Any], name: str) -> tuple[str, list[Dot], str]:
    values = {side: number(table(results.get(side)).get(name)) for side in ("untuned", "tuned")}
    dots = [
        Dot(side, value, *_bounds(table(results.get(side)).get(f"{name}_interval")))
        for side, value in values.items()
        if value is not None
    ]
    shown = " to ".join(say.score(value) for value in values.values() if value is not None)
    return _MEASURES[name], dots, shown


def _bounds(interval: Any) -> tuple[float | None, float | None]:
    if not isinstance(interval, list | tuple) or len(interval) != 2:  # noqa: PLR2004 - lower and upper
        return None, None
    return number(interval[0]), number(interval[1])


def _cells(results: Mapping[str, Any], name: str) -> list[Markup]:
    difference = table(results.get("difference"))
    cells = [_cell(say.score(number(table(results.get(side)).get(name))), table(results.get(side)), name) for side in
             ("untuned", "tuned")]  # fmt: skip
    return [*cells, _cell(say.signed(number(difference.get(name))), difference, name)]


def _cell(shown: str, values: Mapping[str, Any], name: str) -> Markup:
    return with_bounds(shown, say.interval(values.get(f"{name}_interval")))


def _breakdowns(results: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of the record, after one by whether the text holds an answer, where both kinds were asked."""
    kinds = {"has_answer": "with an answer", "no_answer": "without an answer"}
    sides = {side: table(results.get(side)) for side in ("untuned", "tuned")}
    groups = [
        {
            "name": name,
            "total": table(sides["tuned"].get(kind)).get("total"),
            **{side: sides[side][kind] for side in sides},
        }
        for kind, name in kinds.items()
        if all(sides[side].get(kind) for side in sides)
    ]
    every = dict(table(results.get("breakdowns")))
    return {"kind_of_question": groups, **every} if len(groups) == len(kinds) else every


def _breakdown(name: str, rows: Any) -> Markup | None:
    groups = [table(row) for row in rows] if isinstance(rows, list) else []
    if not groups:
        return None
    cells = (
        (
            str(group.get("name", "")),
            say.count(number(group.get("total"))),
            *(say.score(number(table(group.get(side)).get("f1"))) for side in ("untuned", "tuned")),
        )
        for group in groups
    )
    return data_table(f"F1 by {words(name).lower()}", (words(name), "Questions", "Untuned", "Tuned"), cells)
