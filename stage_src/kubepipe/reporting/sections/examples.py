"""Held-out questions of the protected data, with what both models answered."""

from __future__ import annotations

from kubepipe.reporting.markup import Markup, element
from kubepipe.reporting.model import Example, RunView
from kubepipe.reporting.sections.parts import note, section


def examples(seen: RunView) -> Markup | None:
    """One card per question, or nothing without any."""
    if not seen.examples:
        return None
    return section(
        "examples",
        "Questions and answers",
        note("From the protected data: names and numbers in it are pseudonyms."),
        element("ol", (_card(example) for example in seen.examples), class_="examples"),
    )


def _card(example: Example) -> Markup:
    rows = [("expected", example.gold, ""), ("untuned", example.untuned, "untuned"), ("tuned", example.tuned, "tuned")]
    answers = (
        element(
            "div",
            element("dt", name),
            element("dd", answer or element("em", "no answer"), _match(example, answer) if tone else None),
            class_=tone or None,
        )
        for name, answer, tone in rows
    )
    return element("li", element("p", example.question, class_="question"), element("dl", answers))


def _match(example: Example, answer: str) -> Markup | None:
    same = " ".join(answer.split()).casefold() == " ".join(example.gold.split()).casefold()
    return element("span", "as expected", class_="match") if same else None
