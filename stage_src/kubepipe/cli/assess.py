"""`kubepipe assess`: what personal data is in a data set."""

from __future__ import annotations

import json

import typer
from rich.console import Console
from rich.table import Table

from kubepipe.cli.options import DatasetArgument, JsonOption, SetOption, SettingsOption
from kubepipe.settings import load_settings


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("assess")(assess)


def assess(
    dataset: DatasetArgument, settings: SettingsOption = None, overrides: SetOption = None, as_json: JsonOption = False
) -> int:
    """Count the personal data in DATASET by class and type; nothing is changed and no value is shown."""
    from kubepipe.passages import read_source
    from kubepipe.privacy import assess as assess_risk
    from kubepipe.privacy import build_detector

    chosen = load_settings(file=settings, overrides=overrides or [])
    source = read_source(dataset, chosen.dataset, seed=chosen.seed, hold_out=False)
    detector = build_detector(chosen.privacy, processes=chosen.processes)
    splits = {str(name): passages for name, passages in source.splits.items()}
    report = assess_risk(splits, chosen.privacy, detector).document()
    if as_json:
        typer.echo(json.dumps(report, indent=2, sort_keys=True))
        return 0
    console = Console(highlight=False)
    passages = report["passages"]
    console.print(f"risk {report['risk']}", style="red" if report["risk"] == "yes" else "green")
    console.print(
        f"{passages['with_direct']} of {passages['total']} passages hold direct identifiers, "
        f"{passages['with_sensitive_linkage']} link a person to a special category of data"
    )
    other = report["other_language"]
    if other["passages"]:
        languages = ", ".join(f"{name} {count}" for name, count in other["languages"].items())
        console.print(
            f"warning: {other['passages']} passages of {other['documents']} documents are in another language than "
            f"'{report['language']}' ({languages})",
            style="yellow",
        )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("class", "type", "mentions", "distinct", "per 1,000 tokens"):
        table.add_column(name, justify="left" if name in {"class", "type"} else "right")
    for row in report["types"]:
        table.add_row(
            row["class"],
            row["type"],
            str(row["mentions"]),
            str(row["distinct"]),
            f"{row['density_per_1000_tokens']:.2f}",
        )
    console.print(table)
    alone = report["singled_out"]
    console.print(
        f"{alone['unique']} of {alone['examined']} passages stand alone by their places, dates and the like; one "
        f"value is enough for {alone['smallest'][0]}, two for {alone['smallest'][1]}, three for {alone['smallest'][2]}"
    )
    for column in report["columns"]:
        console.print(f"column {column['name']}: {column['role']}")
    people = report["people"]
    if people:
        console.print(
            f"columns {', '.join(people['quasi_identifiers'])} ({people['chosen']}): k {people['k']}, "
            f"{people['unique']} of {people['rows']} records stand alone, {people['at_risk']:.1%} are at risk, average "
            f"risk {people['average_risk']:.3f}"
        )
        for each in people["sensitive"]:
            console.print(f"{each['name']}: l {each['l']}, entropy l {each['entropy_l']:.2f}, t {each['t']:.3f}")
    return 0
