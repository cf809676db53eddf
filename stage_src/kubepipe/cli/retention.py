"""`kubepipe retention`: what local runs hold longer than the settings keep it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from kubepipe.cli.options import JsonOption, SetOption, SettingsOption
from kubepipe.errors import BusyError, OutputError
from kubepipe.settings import load_settings


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("retention")(retention)


def retention(
    where: Annotated[Path, typer.Argument(metavar="WHERE", help="A run's folder or a folder of run folders.")],
    apply: Annotated[bool, typer.Option("--apply", help="Remove it; left out, it is only listed.")] = False,
    settings: SettingsOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> int:
    """List, or remove, what local runs hold longer than retention.* keeps its class: settings of days, 0 keeps.

    A run that is going on is left alone; ends with 1 where something could not be removed. In a cluster the same
    classes are kept by the chart's global.retention.
    """
    from kubepipe.pipeline.quarantine import run_folders
    from kubepipe.pipeline.retention import expired, remove

    keep = load_settings(file=settings, overrides=overrides or []).retention
    rows, status = [], 0
    for folder in run_folders(where.expanduser()):
        try:
            with folder.opened():
                for item in expired(folder, keep):
                    if apply:
                        remove(folder, item)
                    path = item.path.relative_to(folder.root).as_posix()
                    rows.append({"run": folder.root.name, "class": item.cls, "path": path, "age_days": item.age_days})
        except OutputError as error:
            typer.echo(f"kubepipe: {error.one_line()}", err=True)
            status = status if isinstance(error, BusyError) else 1
    if as_json:
        typer.echo(json.dumps({"removed": apply, "expired": rows}))
        return status
    for row in rows:
        typer.echo(f"{row['run']}: {row['class']}, {row['age_days']} days, {row['path']}")
    typer.echo(f"{len(rows)} {'removed' if apply else 'would be removed by --apply'}")
    return status
