"""Answering questions over HTTP, by a release that was verified before it was loaded."""

from kubepipe.serving.server import serve
from kubepipe.serving.source import Source

__all__ = ["Source", "serve"]
