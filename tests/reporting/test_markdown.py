from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubepipe.reporting import render_markdown

Records = dict[str, dict[str, Any]]


def test_summary_holds_the_three_parts(records: Records, run: dict[str, Any]) -> None:
    """The summary tells verdict, scores, privacy before and after, and sustainability in three parts."""
    told = render_markdown(records, run)
    assert told.startswith("# Published: KubePipe run 2026-11-20-clinic\n")
    for part in (
        "## Scores",
        "## Personal data, before and after",
        "### Technical",
        "### Operational",
        "### Environmental",
    ):
        assert part in told
    assert "| F1 | 34.6 | 60.9 | +26.3 | 57.1 to 64.7 |" in told
    assert "Privacy gate: **pass**" in told


def test_tables_are_whole(records: Records, run: dict[str, Any]) -> None:
    """Each row of a table has as many cells as its header."""
    blocks = [block.splitlines() for block in render_markdown(records, run).split("\n\n") if block.startswith("|")]
    assert len(blocks) == 10
    for rows in blocks:
        assert len({row.replace("\\|", "").count("|") for row in rows}) == 1


def test_summary_of_an_ended_run(quarantined_records: Records, run_of: Callable[..., dict[str, Any]]) -> None:
    """A run that the gate ended has a summary with the reason."""
    told = render_markdown(quarantined_records, run_of(quarantined_records, "quarantined"))
    assert told.startswith("# Quarantined")
    assert "- Direct identifiers of the original stand in 3 of 418 passages." in told
    assert "Not measured: the run did not get there." in told


@pytest.mark.parametrize("nasty", ["a | b", "# x", "<img>", "[x](y)", "*b*", "two\nlines"])
def test_summary_is_escaped(records: Records, run: dict[str, Any], nasty: str) -> None:
    """A text from a record is no markup of the summary."""
    records["verify-privacy"]["results"]["reasons"] = [{"code": "x", "text": nasty}]
    told = render_markdown(records, run)
    assert f"- {nasty}\n" not in told
    assert len(told.split("## Scores")) == 2


def test_summary_without_records() -> None:
    """A run without records has a summary."""
    assert "## Sustainability" in render_markdown({}, {})
