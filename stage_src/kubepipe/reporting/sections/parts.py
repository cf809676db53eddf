"""Pieces that the sections share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from kubepipe.reporting.markup import Child, Markup, element
from kubepipe.reporting.model import Tone
from kubepipe.reporting.numbers import digest as short

_NARROW: Final = 3


def section(anchor: str, title: str, *children: Child) -> Markup:
    """A section of the page with its heading."""
    return element(
        "section", element("h2", title, id=f"{anchor}-title"), *children, id=anchor, aria_labelledby=f"{anchor}-title"
    )


def note(*children: Child) -> Markup:
    """A paragraph of explanation."""
    return element("p", *children, class_="note")


def not_reached(what: str) -> Markup:
    """Says that a part of the run is missing, instead of leaving it out."""
    return element("p", f"{what}: the run did not get there.", class_="missing")


def badge(label: str, tone: Tone) -> Markup:
    """A short state in colour; the word tells it as well."""
    return element("span", label, class_=f"badge {tone}")


def source_tag(source: Any) -> Markup:
    """How a value came about: measured, modelled or assumed."""
    word = str(source)
    return element("span", word, class_=f"source {word}")


def figure(title: str, *chart: Child, caption: Child = None) -> Markup:
    """A chart with its title; the chart itself carries the text alternative."""
    words = element("figcaption", element("strong", title), element("span", caption) if caption else None)
    return element("figure", words, *chart)


def data_table(caption: str, header: Sequence[str], rows: Iterable[Sequence[Child]], *, numeric: int = 1) -> Markup:
    """A table in a box of its own that scrolls sideways on narrow screens.

    Args:
        caption: What the table shows.
        header: Names of the columns.
        rows: Cells by row; the first heads its row.
        numeric: From this column on cells are aligned as numbers.
    """
    head = element("tr", (_head(name, index >= numeric) for index, name in enumerate(header)))
    body = (
        element(
            "tr",
            element("th", row[0], scope="row"),
            (element("td", cell, class_="num" if index >= numeric else None) for index, cell in enumerate(row[1:], 1)),
        )
        for row in rows
    )
    table = element("table", element("caption", caption), element("thead", head), element("tbody", body))
    if len(header) <= _NARROW and numeric < len(header):
        return element("div", table, class_="scroll")
    # Only a table that may scroll needs to be reached by keyboard.
    return element("div", table, class_="scroll", role="region", aria_label=caption, tabindex="0")


def _head(name: str, numeric: object) -> Markup:
    return element("th", name, scope="col", class_="num" if numeric else None)


def with_bounds(shown: str, bounds: str | None) -> Markup:
    """A value with its interval beside it, or below it where there is no room."""
    return element("span", shown, element("span", f" {bounds}", class_="bounds") if bounds else None)


def code(value: Any) -> Markup:
    """A digest, shortened; the whole of it stands in its title and in the provenance."""
    whole = str(value or "")
    return element("code", short(value), title=whole or None)


def words(name: str) -> str:
    """A name from a record as words: `question_word` as `Question word`."""
    plain = name.replace("_", " ").replace("-", " ").strip()
    return plain[:1].upper() + plain[1:] if plain else name
