"""The page at `/`: one file, without any outside resource."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files


@cache
def page() -> str:
    """The page."""
    return files("kubepipe.serving").joinpath("page.html").read_text(encoding="utf-8")


@cache
def content_security_policy() -> str:
    """Nothing but the page's own style and script may run, and it may talk to this server only."""
    script, style = (_hash(tag) for tag in ("script", "style"))
    return (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(tag: str) -> str:
    content = re.search(rf"<{tag}>(.*?)</{tag}>", page(), re.DOTALL)
    assert content is not None, tag  # noqa: S101 - the file is ours
    return "sha256-" + base64.b64encode(hashlib.sha256(content[1].encode("utf-8")).digest()).decode("ascii")
