"""Data keys: one per run, wrapped by a key that only the privacy steps have (AES key wrap, RFC 3394)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from kubepipe.errors import IntegrityError

DATA_KEY_BYTES: Final = 32
ALGORITHM: Final = "AES-256-KW"
_REMEDY: Final = "Use the keys the run was started with; when they are gone, start a new run"


def new_data_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(DATA_KEY_BYTES)


def wrap(data_key: bytes, wrapping_key: bytes) -> dict[str, Any]:
    """A data key, encrypted, as a document (schema `wrapped-key`)."""
    return {
        "schema_version": 1,
        "algorithm": ALGORITHM,
        "wrapping_key_id": key_id(wrapping_key),
        "wrapped": base64.b64encode(aes_key_wrap(wrapping_key, data_key)).decode("ascii"),
    }


def unwrap(document: Mapping[str, Any], wrapping_key: bytes) -> bytes:
    """The data key of a document that `wrap` made.

    Raises:
        IntegrityError: Another wrapping key wrapped it, or the document was changed.
    """
    if document.get("algorithm") != ALGORITHM:
        raise IntegrityError("the data key is wrapped by an unknown algorithm", place="wrapped key", remedy=_REMEDY)
    if document.get("wrapping_key_id") != key_id(wrapping_key):
        raise IntegrityError("another wrapping key wrapped the data key", place="wrapped key", remedy=_REMEDY)
    try:
        wrapped = base64.b64decode(str(document.get("wrapped", "")), validate=True)
        return aes_key_unwrap(wrapping_key, wrapped)
    except (binascii.Error, InvalidUnwrap, ValueError) as error:
        raise IntegrityError("the wrapped data key was changed", place="wrapped key", remedy=_REMEDY) from error


def key_id(key: bytes) -> str:
    """A short name of a key that tells nothing about it."""
    return hashlib.sha256(b"kubepipe key id\0" + key).hexdigest()[:16]
