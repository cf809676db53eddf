"""`kubepipe pipeline`: the compiled graph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Compile the graph for Kubeflow Pipelines.", no_args_is_help=True)
    group.command("compile")(compile_)
    app.add_typer(group, name="pipeline")


def compile_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML file to write.", show_default=False)],
) -> None:
    """Write the graph in KFP's intermediate representation to FILE."""
    from kubepipe.pipeline.compile import compile_pipeline

    compile_pipeline(file)
    typer.echo(f"written to {file}")
