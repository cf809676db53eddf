"""Releases: signed, content-addressed model folders, the chain behind them, and which one is current."""

from kubepipe.releases.build import build_release
from kubepipe.releases.chain import CHAIN
from kubepipe.releases.keys import create_model_keys, public_half
from kubepipe.releases.local import drop_copies, local_copy
from kubepipe.releases.pointer import Entry, append, current, history
from kubepipe.releases.store import find, put
from kubepipe.releases.verify import BrokenHopError, Verified, verify_release

__all__ = [
    "CHAIN",
    "BrokenHopError",
    "Entry",
    "Verified",
    "append",
    "build_release",
    "create_model_keys",
    "current",
    "drop_copies",
    "find",
    "history",
    "local_copy",
    "public_half",
    "put",
    "verify_release",
]
