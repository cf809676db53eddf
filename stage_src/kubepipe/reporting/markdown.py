"""A summary in Markdown, for terminals and for the KFP user interface."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from kubepipe.reporting import numbers as say
from kubepipe.reporting.gate import rules
from kubepipe.reporting.model import RunView, table, view
from kubepipe.reporting.numbers import number
from kubepipe.reporting.protection import classes, language_warning, people, shares, singled_out
from kubepipe.reporting.sections.energy import PARTS, shown
from kubepipe.reporting.sections.headline import VERDICTS, sentence
from kubepipe.reporting.sections.parts import words
from kubepipe.reporting.sustainability import sustainability

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#])")


def render_markdown(records: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any]) -> str:
    """The run as Markdown: verdict, scores, privacy before and after, the three parts of sustainability, steps.

    Args:
        records: Step records (schema step-record) by step.
        run: The run document (schema run).
    """
    seen = view(records, run)
    label, _tone = VERDICTS.get(seen.verdict, (words(seen.verdict), "calm"))
    blocks = [
        f"# {label}: KubePipe run {_plain(seen.name)}",
        _plain(sentence(seen)),
        *_scores(seen),
        *_privacy(seen),
        *_sustainability(sustainability(records)),
        *_steps(seen),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _scores(seen: RunView) -> Iterator[str]:
    results = seen.results("benchmark-model")
    yield "## Scores"
    if not table(results.get("untuned")):
        yield "Not measured: the run did not get there."
        return
    yield _table(
        ("Percent", "Untuned", "Tuned", "Difference", "95 % interval of the tuned"),
        (
            (
                label,
                say.score(number(table(results.get("untuned")).get(name))),
                say.score(number(table(results.get("tuned")).get(name))),
                say.signed(number(table(results.get("difference")).get(name))),
                say.interval(table(results.get("tuned")).get(f"{name}_interval")) or say.MISSING,
            )
            for name, label in (("exact_match", "Exact match"), ("f1", "F1"))
        ),
    )


def _privacy(seen: RunView) -> Iterator[str]:
    before, gate = seen.results("assess-privacy-risk"), seen.results("verify-privacy")
    yield "## Personal data, before and after"
    if not before and not gate:
        yield "Not measured: the run did not get there."
        return
    verdict = str(gate.get("verdict") or "not reached")
    yield f"Privacy gate: **{_plain(verdict)}**. The data is pseudonymised; a residual risk remains."
    warning = language_warning(seen)
    if warning:
        yield f"**Warning:** {_plain(warning)}"
    yield "\n".join(f"- {_plain(str(table(reason).get('text') or reason))}" for reason in gate.get("reasons") or [])
    yield _table(
        ("What the gate measured", "Measured", "Allowed"),
        ((each.name, each.text(), each.allowed) for each in rules(seen)),
    )
    yield _table(
        ("Share with 95 % interval", "Before", "After"),
        ((name, *(side.text() if side else say.MISSING for side in sides)) for name, *sides in shares(seen)),
    )
    yield _table(("Mentions per 1,000 words", "Before", "After"), classes(seen))
    yield _table(("Passages singled out by places, dates and the like", "Before", "Still after"), singled_out(seen))
    yield _table(("Columns that describe people", "Before", "After"), people(seen))
    yield (
        "After protection pseudonyms are found too, for they look like what they stand for; the gate's measures and "
        "the first share tell what is left of the original."
    )


def _sustainability(figures: Mapping[str, Any]) -> Iterator[str]:
    yield "## Sustainability"
    for name, title in PARTS.items():
        known = [table(entry) for entry in table(figures.get(name)).values()]
        rows = [
            (str(entry.get("label")), shown(entry), str(entry.get("source")))
            for entry in known
            if number(entry.get("value")) is not None
        ]
        yield f"### {title}"
        yield _table(("Figure", "Value", "Source"), rows)


def _steps(seen: RunView) -> Iterator[str]:
    yield "## Steps"
    rows = [
        (
            step.name,
            step.status.replace("_", " "),
            say.duration(step.figure("seconds")),
            say.energy(number(step.energy.get("energy_kwh"))),
        )
        for step in seen.steps
    ]
    yield _table(("Step", "Status", "Time", "Electricity"), rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(_plain(cell) for cell in row) for row in rows]
    if not lines:
        return ""
    marks = " | ".join("---" if index == 0 else "---:" for index in range(len(header)))
    return "\n".join(f"| {line} |" for line in (" | ".join(header), marks, *lines))


def _plain(value: str) -> str:
    """A text that no Markdown reader takes for markup, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(value.split()))
