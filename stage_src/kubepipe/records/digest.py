"""Digests: SHA-256 in lower-case hex, prefixed with `sha256:`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def digest_bytes(data: bytes) -> str:
    """Digest of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def canonical_json(value: Any) -> str:
    """One and the same text for equal JSON values: sorted keys, no spaces, no NaN.

    Raises:
        ValueError: The value holds NaN or infinity.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_json(value: Any) -> str:
    """Digest of the canonical JSON of a value."""
    return digest_bytes(canonical_json(value).encode("utf-8", "surrogatepass"))


def digest_file(path: Path) -> str:
    """Digest of a file's bytes."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def digest_tree(path: Path) -> str:
    """Digest of a file, or of a folder as the sorted list of its files' relative names and digests.

    Raises:
        FileNotFoundError: The path does not exist.
    """
    if path.is_file():
        return digest_file(path)
    if not path.is_dir():
        raise FileNotFoundError(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return digest_json([[file.relative_to(path).as_posix(), digest_file(file)] for file in files])
