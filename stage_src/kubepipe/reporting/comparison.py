"""Two risk reports side by side, whatever tables they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubepipe.reporting.model import table
from kubepipe.reporting.numbers import number

_NAMES: Final = ("name", "type", "class", "entity_type")
_LEFT_OUT: Final = frozenset({"schema_version", "seed"})


@dataclass(frozen=True, slots=True)
class Row:
    """A measure before and after protection; None where one side does not have it."""

    name: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table of measures.

    Attributes:
        name: Name of the table in the reports; empty for the measures of the whole data set.
        rows: The measures.
    """

    name: str
    rows: tuple[Row, ...]


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Comparison]:
    """Every number that both or one of the reports hold, in tables.

    Args:
        before: Report on the data as it came.
        after: Report on the protected data; empty when there is none.
    """
    left, right = dict(_tables(before)), dict(_tables(after))
    found = []
    for name in dict.fromkeys([*left, *right]):
        first, second = left.get(name, {}), right.get(name, {})
        rows = tuple(Row(key, first.get(key), second.get(key)) for key in dict.fromkeys([*first, *second]))
        found.append(Comparison(name, rows))
    return found


def _tables(report: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    """All numbers of a report by table: those of the top, those of each object in it, those of each column of rows."""
    top = _numbers(report)
    if top:
        yield "", top
    for name, value in report.items():
        rows = _rows(value)
        plain = _numbers(rows)
        if plain:
            yield name, plain
        columns: dict[str, dict[str, float]] = {}
        for key, row in rows.items():
            for column, figure in _numbers(table(row)).items():
                columns.setdefault(column, {})[key] = figure
        for column, figures in columns.items():
            yield f"{name} {column}", figures


def _rows(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, list):
        return table(value)
    rows = [table(row) for row in value]
    names = [next((str(row[key]) for key in _NAMES if key in row), "") for row in rows]
    return {name: row for name, row in zip(names, rows, strict=True) if name}


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    found = ((str(key), number(value)) for key, value in values.items() if key not in _LEFT_OUT)
    return {key: value for key, value in found if value is not None}
