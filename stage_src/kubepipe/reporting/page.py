"""The page: one file without outside parts, for screens of any width, light and dark, and for paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from kubepipe.reporting.markup import Markup, element
from kubepipe.reporting.model import Example, view
from kubepipe.reporting.sections.energy import energy
from kubepipe.reporting.sections.examples import examples as example_cards
from kubepipe.reporting.sections.glossary import glossary
from kubepipe.reporting.sections.graph import graph
from kubepipe.reporting.sections.headline import headline
from kubepipe.reporting.sections.learning import learning
from kubepipe.reporting.sections.privacy import privacy
from kubepipe.reporting.sections.provenance import provenance
from kubepipe.reporting.sections.scores import scores
from kubepipe.reporting.sustainability import sustainability

_CONTENTS: Final = {
    "scores": "Quality",
    "privacy": "Personal data",
    "steps": "Steps",
    "learning": "Training",
    "energy": "Energy",
    "examples": "Examples",
    "provenance": "Provenance",
    "words": "Words",
}


def render_html(
    records: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any], *, examples: Sequence[Example] = ()
) -> str:
    """The run as one HTML page.

    Args:
        records: Step records (schema step-record) by step; those that are missing are told as missing.
        run: The run document (schema run).
        examples: Held-out questions of the protected data with answers; left out where the page must hold no text of
            the data.
    """
    seen = view(records, run, examples)
    sections = (
        scores(seen),
        privacy(seen),
        graph(seen),
        learning(seen),
        energy(seen, sustainability(records)),
        example_cards(seen),
        provenance(seen),
        glossary(),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"KubePipe run {seen.name}"),
        element("style", Markup(_style())),
    )
    body = element(
        "body",
        element("a", "Skip to the report", href="#scores", class_="skip"),
        element("main", headline(seen), _contents(has_examples=bool(seen.examples)), sections),
        element(
            "footer", "Made by KubePipe from the records of the run. No part of this page is loaded from elsewhere."
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _contents(*, has_examples: bool) -> Markup:
    links = (
        element("li", element("a", name, href=f"#{anchor}"))
        for anchor, name in _CONTENTS.items()
        if anchor != "examples" or has_examples
    )
    return element("nav", element("ul", links), aria_label="Sections")


@cache
def _style() -> str:
    """The style sheet; it holds no character that HTML or XML would read as markup."""
    return files("kubepipe.reporting").joinpath("style.css").read_text(encoding="utf-8")
