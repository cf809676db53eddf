"""Renew the generated documentation: docs/settings.md and docs/cli.md.

`--check` changes nothing and ends with 1 when a file is not what it should be.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from kubepipe.cli.main import app
from kubepipe.settings import PROFILES, Settings
from kubepipe.settings.describe import describe

DOCS = Path(__file__).parent.parent / "docs"


def settings_page() -> str:
    """Every setting as a table per section."""
    lines = [
        "# Settings",
        "",
        "Generated from `stage_src/kubepipe/settings/model.py` by `make docs`. Set them in a YAML or JSON file",
        "(`--settings FILE`) or one by one (`--set training.epochs=1`); an unknown name is refused.",
        "Profiles (`--profile`) change these defaults:",
        "",
        *(f"- `{name}`: `{json.dumps(values)}`" for name, values in PROFILES.items()),
    ]
    section = None
    for row in describe(Settings()):
        head = row.path.split(".")[0] if "." in row.path else "top level"
        if head != section:
            section = head
            lines += ["", f"## {section}", "", "| setting | default | type | meaning |", "| --- | --- | --- | --- |"]
        kind = row.kind.replace("|", "\\|")
        lines.append(f"| `{row.path}` | `{json.dumps(row.value)}` | {kind} | {row.text} |")
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    """Help of every command."""
    lines = ["# Command line", "", "Generated from the program's own help by `make docs`.", ""]
    lines += [
        "Exit codes: 0 done, 1 a step failed, 2 bad input or settings (one line on stderr, nothing written), 3 kept by",
        "the privacy gate, 4 something is not intact, 128 + n stopped by signal n.",
    ]
    for path, command in _commands(typer.main.get_command(app), "kubepipe"):
        lines += ["", f"## `{path}`", ""]
        context = typer.Context(command, info_name=path)
        lines += [_flat(command.help), "", "```", *command.get_usage(context).splitlines(), "```", ""]
        lines += [f"- `{name}`: {text}" for name, text in map(_row, command.params) if name != "--help"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _row(parameter: Any) -> tuple[str, str]:
    """Name as it is typed, and its help."""
    if parameter.param_type_name == "argument":
        return parameter.metavar or parameter.name.upper(), _flat(parameter.help)
    return ", ".join(parameter.opts), _flat(parameter.help)


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())


def _commands(command: Any, path: str) -> list[tuple[str, Any]]:
    children = getattr(command, "commands", {})
    if not children:
        return [(path, command)]
    return [pair for name, each in children.items() for pair in _commands(each, f"{path} {name}")]


PAGES = {"settings.md": settings_page, "cli.md": cli_page}


def main() -> int:
    """Write the pages, or with --check compare them."""
    stale = 0
    for name, page in PAGES.items():
        file, text = DOCS / name, page()
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale += 1
            print(f"{file} is stale: run `make docs`")
    return min(stale, 1)


if __name__ == "__main__":
    sys.exit(main())
