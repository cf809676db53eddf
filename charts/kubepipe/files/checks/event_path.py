"""The event source is there, refuses a notification without the token, and refuses one with a wrong one."""

# ruff: noqa: INP001 - a script of its own

import json
import urllib.error
import urllib.request
from pathlib import Path

from patience import patiently

REFUSED = 401
url = json.loads(Path("/etc/kubepipe/setup.json").read_text(encoding="utf-8"))["events"]["endpoint"]


def answer(headers: dict[str, str]) -> int:
    """Status of the answer to a notification."""
    request = urllib.request.Request(url, b"{}", {"Content-Type": "application/json", **headers})  # noqa: S310 - the chart writes the address
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def problem() -> str | None:
    """What is wrong, or None."""
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        status = answer(headers)
        if status != REFUSED:
            return f"{url} answers {status} instead of {REFUSED} to a notification that shows no right token"
    return None


patiently(problem)
