"""Choices that a key makes: the same key and the same words always choose alike; another key chooses anew."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from typing import Final

KEY_BYTES: Final = 32
_OPAQUE: Final = re.compile(
    r"(?:[0-9a-f]{16,64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:passage|question|row)-\d{1,12})(?:-\d{1,6})?",
    re.IGNORECASE,
)


def keyed_number(key: bytes, *parts: str) -> int:
    """A number of 128 bits from HMAC-SHA-256 over the parts; no part can run into its neighbour."""
    return int.from_bytes(_mac(key, parts)[:16], "big")


def keyed_hex(key: bytes, *parts: str, length: int = 24) -> str:
    """`length` hex digits (at most 64) of HMAC-SHA-256 over the parts."""
    return _mac(key, parts).hex()[:length]


def keyed_stream(key: bytes, *parts: str) -> Iterator[int]:
    """Numbers 0..255 without end."""
    block = 0
    while True:
        yield from _mac(key, (*parts, str(block)))
        block += 1


def opaque_id(key: bytes, name: str) -> str:
    """A keyed id of 24 hex digits in the place of a telling one."""
    return keyed_hex(key, "id", name)


def is_opaque(name: str) -> bool:
    """Whether an id tells nothing: at least 16 hex digits, a UUID, or a number that the reader gave."""
    return bool(_OPAQUE.fullmatch(name))


def _mac(key: bytes, parts: tuple[str, ...]) -> bytes:
    message = b"".join(
        len(data).to_bytes(4, "big") + data for data in (part.encode("utf-8", "surrogatepass") for part in parts)
    )
    return hmac.new(key, message, hashlib.sha256).digest()
