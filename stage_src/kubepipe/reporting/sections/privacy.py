"""What personal data was there, what was done about it, what the gate measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubepipe.reporting import numbers as say
from kubepipe.reporting import protection
from kubepipe.reporting.charts import Dot, interval_chart
from kubepipe.reporting.gate import rules
from kubepipe.reporting.markup import Markup, element
from kubepipe.reporting.model import RunView, Tone, table
from kubepipe.reporting.numbers import number
from kubepipe.reporting.sections.parts import (
    badge,
    data_table,
    figure,
    not_reached,
    note,
    section,
    with_bounds,
    words,
)

_VERDICTS: Final[dict[str, tuple[str, Tone]]] = {
    "pass": ("passed", "good"),
    "quarantine": ("kept the data", "bad"),
    "needs_human": ("asks for a person", "warn"),
}

_TITLE: Final = "Personal data, before and after"


def privacy(seen: RunView) -> Markup:
    """Gate, measures, before and after, and what protection cost."""
    before, gate = seen.results("assess-privacy-risk"), seen.results("verify-privacy")
    if not before and not gate:
        return section("privacy", _TITLE, not_reached("Privacy"))
    return section(
        "privacy",
        _TITLE,
        note(
            "The data a model learns from is pseudonymised: names and numbers are replaced under a secret key. It "
            "still stems from people, and a residual risk remains. What no detector found is not counted here."
        ),
        _language(seen),
        _gate(seen, gate),
        _chart(seen),
        _shares(seen, gate),
        element("div", _tables(seen), class_="columns"),
    )


def _gate(seen: RunView, gate: Mapping[str, Any]) -> Markup:
    verdict = str(gate.get("verdict") or "")
    if not verdict:
        return not_reached("The privacy gate")
    label, tone = _VERDICTS.get(verdict, (verdict, "calm"))
    reasons = [str(table(reason).get("text") or reason) for reason in gate.get("reasons") or []]
    return element(
        "div",
        element("p", element("strong", "The gate "), badge(label, tone)),
        element("ul", (element("li", reason) for reason in reasons)) if reasons else None,
        data_table(
            "What the gate measured",
            ("Measure", "Measured", "Allowed"),
            ((rule.name, with_bounds(rule.measured, rule.detail), rule.allowed) for rule in rules(seen)),
        ),
    )


def _language(seen: RunView) -> Markup | None:
    warning = protection.language_warning(seen)
    return element("p", badge("Warning", "warn"), f" {warning}") if warning else None


def _chart(seen: RunView) -> Markup | None:
    before, after = protection.at_risk(seen)
    if before is None:
        return None
    sides = [("untuned", before)] if after is None else [("untuned", before), ("tuned", after)]
    dots = [
        Dot(tone, 100.0 * share.value, *(None if bound is None else 100.0 * bound for bound in (share.low, share.high)))
        for tone, share in sides
    ]
    told = " to ".join(say.share(share.value) for _, share in sides)
    return figure(
        "Passages in which a direct identifier of the original stands",
        interval_chart("Passages with a direct identifier of the original", [("Of all passages", dots, told)]),
        caption=element(
            "span",
            element("span", "before", class_="key untuned"),
            " ",
            element("span", "after", class_="key tuned") if after else None,
        ),
    )


def _shares(seen: RunView, gate: Mapping[str, Any]) -> Markup:
    measured_after = bool(table(gate.get("after")))
    columns = 3 if measured_after else 2
    header = ("Measure", "Before", "After")[:columns]
    return element(
        "div",
        data_table(
            "Shares with 95 % intervals",
            header,
            ((name, *map(_share, sides[: columns - 1])) for name, *sides in protection.shares(seen)),
        ),
        data_table("Mentions per 1,000 words", header, (row[:columns] for row in protection.classes(seen))),
        note(
            "After protection pseudonyms are found too, for they look like what they stand for. Only the gate's "
            "measures and the first share tell what is left of the original."
        )
        if measured_after
        else None,
    )


def _share(share: protection.Share | None) -> Markup:
    return with_bounds(say.share(share.value), share.bounds()) if share else with_bounds(say.MISSING, None)


def _tables(seen: RunView) -> Iterator[Markup]:
    rows = [(kind.name, say.count(kind.found), say.count(kind.distinct), say.count(kind.replaced))
            for kind in protection.kinds(seen)]  # fmt: skip
    if rows:
        yield data_table("Kinds of personal data", ("Kind", "Found", "Different", "Replaced"), rows)
    alone = list(protection.singled_out(seen))
    if alone:
        yield data_table(
            "Who is singled out by places, dates and the like", ("Measure", "Before", "Still after"), alone
        )
    people = list(protection.people(seen))
    if people:
        yield data_table("Columns that describe people", ("Measure", "Before", "After"), people)
    yield from _effort(seen)


def _effort(seen: RunView) -> Iterator[Markup]:
    """What was dropped and cut, and how many rounds it took."""
    anonymize, minimize = seen.results("anonymize-data"), seen.results("minimize-data")
    rounds = [
        (f"Round {say.count(number(each.get('round')))}", words(str(each.get("verdict"))))
        for each in map(table, anonymize.get("rounds") or [])
    ]
    if rounds:
        yield data_table("Rounds of protection", ("Round", "Outcome"), rounds)
    counts = {
        "Questions dropped": anonymize.get("questions_dropped"),
        "Columns dropped": minimize.get("columns_dropped"),
    }
    for caption, values in counts.items():
        rows = [(words(name), say.count(number(value))) for name, value in table(values).items()]
        if rows:
            yield data_table(caption, ("Of what", "Count"), rows)
