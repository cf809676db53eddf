"""Consoles for what is printed."""

from __future__ import annotations

from typing import Final

from rich.console import Console

_PLAIN_WIDTH: Final = 200


def table_console() -> Console:
    """A console for tables: as wide as the terminal, and wide enough for whole ids where a program reads."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)
