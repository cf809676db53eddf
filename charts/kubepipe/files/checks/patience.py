"""A new pod is let through by network policies only when every node has heard of it, so the first tries may fail."""

# ruff: noqa: INP001 - lies beside the scripts that use it

from __future__ import annotations

import sys
import time
from collections.abc import Callable

SECONDS = 40


def patiently(check: Callable[[], str | None]) -> None:
    """Repeat a check until it finds no problem; end the program with the last problem when the time is up."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            problem = check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next try may pass
            problem = f"{type(error).__name__}: {error}"
        if problem is None:
            return
        if time.monotonic() > deadline:
            sys.exit(problem)
        time.sleep(2)
