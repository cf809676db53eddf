"""Permits: a signed statement that one data set passed the gate under one policy (Ed25519, RFC 8032)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kubepipe.errors import IntegrityError
from kubepipe.records.digest import canonical_json

PLACE: Final = "privacy permit"
_CONTEXT: Final = b"kubepipe privacy permit 1\0"


def sign_permit(document: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The document with the time, the key's id and the signature over all of it (schema `privacy-permit`)."""
    statement = {
        **{name: value for name, value in document.items() if name != "signature"},
        "signed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "key_id": public_key_id(key.public_key()),
    }
    return {**statement, "signature": base64.b64encode(key.sign(_message(statement))).decode("ascii")}


def verify_permit(
    document: Mapping[str, Any], public_key: Ed25519PublicKey, *, output_digest: str, policy_digest: str | None
) -> None:
    """Check a permit against the data set and the policy in hand.

    Args:
        document: The permit.
        public_key: The gate's public key.
        output_digest: Digest of the data set that is to be used.
        policy_digest: Digest of the policy that holds now; None leaves this check out.

    Raises:
        IntegrityError: The signature, the data set, the policy or the verdict does not hold; the message says which.
    """
    _verify_signature(document, public_key)
    if document.get("verdict") != "pass":
        raise IntegrityError(
            "its verdict is not pass", place=PLACE, remedy="Only data that passed the gate may be used"
        )
    if document.get("output_digest") != output_digest:
        raise IntegrityError(
            "it was given to another data set", place=PLACE, remedy="Let the gate measure this data set"
        )
    if policy_digest is not None and document.get("policy_digest") != policy_digest:
        raise IntegrityError(
            "it was given under another policy",
            place=PLACE,
            remedy="Let the gate measure again under the present policy",
        )


def public_key_id(key: Ed25519PublicKey) -> str:
    """A short name of a public key."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def _verify_signature(document: Mapping[str, Any], public_key: Ed25519PublicKey) -> None:
    statement = {name: value for name, value in document.items() if name != "signature"}
    if document.get("key_id") != public_key_id(public_key):
        raise IntegrityError(
            "another key signed it", place=PLACE, remedy="Use the public key of the gate that signed it"
        )
    try:
        signature = base64.b64decode(str(document.get("signature", "")), validate=True)
        public_key.verify(signature, _message(statement))
    except (binascii.Error, InvalidSignature, ValueError, TypeError) as error:
        raise IntegrityError(
            "its signature does not hold", place=PLACE, remedy="The permit was changed; let the gate measure again"
        ) from error


def _message(statement: Mapping[str, Any]) -> bytes:
    return _CONTEXT + canonical_json(statement).encode("utf-8")
