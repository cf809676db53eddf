"""What personal data was there, what was done about it, what the gate measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubepipe.reporting import numbers as say
from kubepipe.reporting.comparison import Comparison, compare
from kubepipe.reporting.markup import Markup, element
from kubepipe.reporting.model import RunView, Tone, table
from kubepipe.reporting.numbers import number
from kubepipe.reporting.sections.parts import badge, data_table, not_reached, note, section, words

_VERDICTS: Final[dict[str, tuple[str, Tone]]] = {
    "pass": ("passed", "good"),
    "quarantine": ("kept the data", "bad"),
    "needs_human": ("asks for a person", "warn"),
}

_TITLE = "Personal data, before and after"


def privacy(seen: RunView) -> Markup:
    """Gate, measures, before and after, and what protection cost."""
    before, gate = seen.results("assess-privacy-risk"), seen.results("verify-privacy")
    if not before and not gate:
        return section("privacy", _TITLE, not_reached("Privacy"))
    after = table(gate.get("after"))
    return section(
        "privacy",
        _TITLE,
        note(
            "The data a model learns from is pseudonymised: names and numbers are replaced under a secret key. It "
            "still stems from people, and a residual risk remains; below is what was measured of it."
        ),
        _gate(gate),
        element("div", (_comparison(each, after) for each in compare(before, after)), class_="pair"),
        note("After protection, pseudonyms are found as names too, for they look like names. What of the original "
             "still stands is told by the gate's measures.") if after else None,
        element("div", _effort(seen), class_="pair"),
    )  # fmt: skip


def _gate(gate: Mapping[str, Any]) -> Markup:
    verdict = str(gate.get("verdict") or "")
    if not verdict:
        return not_reached("The privacy gate")
    label, tone = _VERDICTS.get(verdict, (verdict, "calm"))
    reasons = [str(table(reason).get("text") or reason) for reason in gate.get("reasons") or []]
    measures = list(_flat(table(gate.get("measures"))))
    return element(
        "div",
        element("p", "The gate ", badge(label, tone)),
        element("ul", (element("li", reason) for reason in reasons)) if reasons else None,
        data_table("What the gate measured", ("Measure", "Value"), measures) if measures else None,
        class_="gate",
    )


def _comparison(tables: Comparison, after: Mapping[str, Any]) -> Markup:
    caption = words(tables.name) if tables.name else "The whole data set"
    rows = (
        (words(row.name) if not row.name.isupper() else row.name, say.plain(row.before), say.plain(row.after))
        for row in tables.rows
    )
    columns = 3 if after else 2
    return data_table(caption, ("", "Before", "After")[:columns], (row[:columns] for row in rows))


def _effort(seen: RunView) -> Iterator[Markup]:
    """What was replaced, dropped and cut, as tables of counts."""
    anonymize, minimize = seen.results("anonymize-data"), seen.results("minimize-data")
    counts = {
        "Replaced by pseudonyms": anonymize.get("entities_replaced"),
        "Questions dropped": anonymize.get("questions_dropped"),
        "Columns dropped": minimize.get("columns_dropped"),
    }
    for caption, values in counts.items():
        rows = [(name, say.count(number(value))) for name, value in table(values).items()]
        if rows:
            yield data_table(caption, ("", "Count"), rows)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{words(name)}: ")
        elif number(value) is not None:
            yield f"{prefix}{words(name)}", say.plain(number(value))
