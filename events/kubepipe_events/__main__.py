"""`python -m kubepipe_events run` and `tick`: what the controller's pod and those of schedules start."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

from kubepipe.errors import KubePipeError
from kubepipe_events.config import DEFAULT_FILE, read_config

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
ConfigOption = Annotated[Path, typer.Option("--config", help="Configuration; the chart mounts it.")]


@app.command()
def run(config: ConfigOption = DEFAULT_FILE) -> None:
    """Follow DatasetRuns until the pod is stopped."""
    from kubepipe_events.controller import run as work

    work(read_config(config))


@app.command()
def tick(
    schedule: Annotated[str, typer.Option("--schedule", help="Name of the schedule.")],
    config: ConfigOption = DEFAULT_FILE,
) -> None:
    """Make the DatasetRun of a tick of a schedule."""
    from kubepipe_events.schedules import tick as make

    typer.echo(make(read_config(config), schedule))


def main() -> None:
    """Run; every error ends as one line and an exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        app(standalone_mode=False)
    except KubePipeError as error:
        typer.echo(f"kubepipe-events: {error.one_line()}", err=True)
        sys.exit(error.exit_code)
    except typer.TyperException as error:
        typer.echo(f"kubepipe-events: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
