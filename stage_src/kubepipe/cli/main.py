"""Entry point: every error ends as one line on stderr and an exit code."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console

import kubepipe
from kubepipe.errors import KubePipeError

app = typer.Typer(
    name="kubepipe",
    help="Protect a data set, fine-tune a question-answering model on it, score it, and say what it took.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"kubepipe {kubepipe.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


_MODULES = (
    "run", "detect", "assess", "anonymize", "shred", "quarantine", "reidentify", "retention", "benchmark", "compare",
    "releases", "serve", "settings", "doctor", "pipeline", "remote", "events", "cluster",
)  # fmt: skip
for _module in _MODULES:
    import_module(f"kubepipe.cli.{_module}").add_to(app)


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 2 bad input or settings, 3 kept by the privacy gate, 4 not intact, 1 anything else.
    """
    try:
        code = app(standalone_mode=False)
    except KubePipeError as error:
        fail(error)
    except typer.TyperException as error:
        # Wrong words on the command line; the library's own message may have several lines.
        message = getattr(error, "format_message", error.__str__)()
        typer.echo(f"kubepipe: {' '.join(message.split())}. See kubepipe --help", err=True)
        sys.exit(2)
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("kubepipe: stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def fail(error: KubePipeError) -> None:
    """Print an error as one line and end with its exit code."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"kubepipe: {error.one_line()}", markup=False)
    sys.exit(error.exit_code)
