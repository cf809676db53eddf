"""`kubepipe compare`: what runs differ in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from kubepipe.cli.consoles import table_console
from kubepipe.cli.options import JsonOption
from kubepipe.errors import InputError


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("compare")(compare)


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN...", help="Folders of runs; the first is the yardstick.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Tell what runs differ in: settings, data, scores (paired bootstrap where the questions are the same), energy."""
    if len(runs) < 2:  # noqa: PLR2004 - it takes two
        raise InputError("one run alone has nothing to be compared with", remedy="Give the folders of two runs or more")
    from kubepipe.pipeline import comparison

    found = comparison.compare([comparison.read_run(folder) for folder in runs])
    if as_json:
        typer.echo(json.dumps(found, sort_keys=True))
        return
    table_console().print(_runs(found["runs"]))
    for row in found["against_first"]:
        typer.echo(_sentence(row, found["runs"][0]["name"]))
    for title in ("settings", "data"):
        typer.echo(f"{title}: {'differ' if found[title] else 'the same'}")
        for name, values in found[title].items():
            typer.echo(f"  {name}: {' | '.join(map(_short, values))}")


def _runs(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "verdict", "questions", "EM", "F1", "Wh", "gCO2e", "seconds", "CPU s"):
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(
            row["name"],
            row["verdict"],
            str(row["questions"] or "-"),
            *(f"{row[name]:.1f}" if row[name] is not None else "-" for name in ("exact_match", "f1")),
            f"{row['energy_kwh'] * 1000:.2f}",
            f"{row['gco2e']:.2f}",
            f"{row['seconds']:.0f}",
            f"{row['cpu_seconds']:.0f}",
        )
    return table


def _sentence(row: Mapping[str, Any], first: str) -> str:
    energy = f"{row['energy_kwh'] * 1000:+.2f} Wh"
    if row["f1"] is None:
        return f"{row['name']} against {first}: not both were scored; {energy}"
    if not row["paired"]:
        return (
            f"{row['name']} against {first}: EM {row['exact_match']:+.1f}, F1 {row['f1']:+.1f} on other questions, "
            f"so no paired interval; {energy}"
        )
    return (
        f"{row['name']} against {first}: EM {_with(row, 'exact_match')}, F1 {_with(row, 'f1')} "
        f"(95 % paired bootstrap); {energy}"
    )


def _with(row: Mapping[str, Any], name: str) -> str:
    low, high = row[f"{name}_interval"]
    return f"{row[name]:+.1f} [{low:+.1f}, {high:+.1f}]"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text[7:19] if text.startswith("sha256:") else text
