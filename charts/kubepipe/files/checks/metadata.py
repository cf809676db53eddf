"""ML Metadata takes connections."""

# ruff: noqa: INP001 - a script of its own

import socket
import sys

from patience import patiently

host, port = sys.argv[1], int(sys.argv[2])


def problem() -> str | None:
    """What is wrong, or None."""
    socket.create_connection((host, port), timeout=10).close()
    return None


patiently(problem)
