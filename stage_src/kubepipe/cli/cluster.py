"""`kubepipe cluster`: what the chart's hooks run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[Path, typer.Option("--config", help="JSON document that the chart renders.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="What the hooks of the Helm chart run.", no_args_is_help=True)
    group.command("setup")(setup)
    group.command("cleanup")(cleanup)
    group.command("crds")(crds)
    app.add_typer(group, name="cluster")


def setup(config: ConfigOption) -> None:
    """Make buckets and users, publish the permit key's public half, register the pipeline; safe to repeat."""
    from kubepipe.pipeline.cluster.setup import read_config, set_up

    set_up(read_config(config), typer.echo)


def cleanup(config: ConfigOption) -> None:
    """End what starts runs, then the runs, before an uninstall."""
    from kubepipe.pipeline.cluster.cleanup import clean_up, remove_intake, stop_controller
    from kubepipe.pipeline.cluster.setup import read_config

    document = read_config(config)
    if document["endsRuns"] and "controller" in document:
        stop_controller(document["namespace"], document["controller"], float(document["timeoutSeconds"]))
        typer.echo("controller of DatasetRuns: stopped")
    if "events" in document:
        count = remove_intake(document["namespace"], document["events"], float(document["timeoutSeconds"]))
        typer.echo(f"sensors, eventsources, eventbus: {count} removed")
    if not document["endsRuns"]:
        return
    for kind, count in clean_up(document["namespace"], float(document["timeoutSeconds"])).items():
        typer.echo(f"{kind}: {count} ended")


def crds(folder: Annotated[Path, typer.Option("--dir", help="Folder with the definitions.")]) -> None:
    """Renew the custom resource definitions before an upgrade."""
    from kubepipe.pipeline.cluster.crds import apply_crds

    for name, applied in apply_crds(folder).items():
        typer.echo(f"{name}: {'applied' if applied else 'left alone, it came with another installation'}")
