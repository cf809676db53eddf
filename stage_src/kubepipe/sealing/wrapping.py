"""The data key of a run, wrapped for the store (AES key wrap with padding, RFC 5649)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding, aes_key_wrap_with_padding

from kubepipe.errors import IntegrityError
from kubepipe.records import digest_bytes
from kubepipe.sealing.keys import KEY_BYTES

_ALGORITHM: Final = "AES-KWP-256"


def new_data_key() -> bytes:
    """A fresh random data key of 32 bytes."""
    return secrets.token_bytes(KEY_BYTES)


def wrap(data_key: bytes, wrapping_key: bytes) -> dict[str, Any]:
    """The data key as a document (schema wrapped-key) that only the wrapping key opens."""
    wrapped = aes_key_wrap_with_padding(wrapping_key, data_key)
    return {
        "schema_version": 1,
        "algorithm": _ALGORITHM,
        "wrapping_key_id": digest_bytes(b"kubepipe wrapping key" + wrapping_key),
        "wrapped_key": base64.b64encode(wrapped).decode(),
    }


def unwrap(document: Mapping[str, Any], wrapping_key: bytes) -> bytes:
    """The data key of a document.

    Raises:
        IntegrityError: The document was made with another wrapping key, or changed.
    """
    try:
        return aes_key_unwrap_with_padding(wrapping_key, base64.b64decode(document["wrapped_key"]))
    except (InvalidUnwrap, ValueError) as error:
        raise IntegrityError(
            "the data key does not open", place="wrapped key", remedy="Mount the wrapping key that the run began with"
        ) from error
