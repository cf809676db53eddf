"""Privacy permits: a signed statement that this very data set passed the gate under this very policy."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kubepipe.errors import IntegrityError
from kubepipe.records import digest_bytes
from kubepipe.records.digest import canonical_json

_REMEDY: Final = "Let verify-privacy look at this very data set under this very policy"


def sign_permit(document: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The permit with time, key id and signature (schema privacy-permit)."""
    statement = {
        **document,
        "signed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "key_id": key_id(key.public_key()),
    }
    return {**statement, "signature": base64.b64encode(key.sign(_message(statement))).decode()}


def verify_permit(
    document: Mapping[str, Any], public_key: Ed25519PublicKey, *, output_digest: str, policy_digest: str | None = None
) -> None:
    """Check that a permit holds for a data set.

    Args:
        document: The permit.
        public_key: Public half of the key that verify-privacy signs with.
        output_digest: Digest of the data set at hand.
        policy_digest: Digest of the privacy settings at hand; None leaves them out of the check.

    Raises:
        IntegrityError: It does not; the message names what does not hold.
    """
    statement = {name: value for name, value in document.items() if name != "signature"}
    if statement.get("key_id") != key_id(public_key):
        raise _refused("was signed with another key")
    try:
        public_key.verify(base64.b64decode(str(document.get("signature", ""))), _message(statement))
    except (InvalidSignature, ValueError) as error:
        raise _refused("has a signature that does not hold") from error
    if statement["verdict"] != "pass":
        raise _refused(f"holds the verdict {statement['verdict']}")
    if statement["output_digest"] != output_digest:
        raise _refused("was given for another data set")
    if policy_digest is not None and statement["policy_digest"] != policy_digest:
        raise _refused("was given under another policy")


def key_id(key: Ed25519PublicKey) -> str:
    """Digest of a public key."""
    return digest_bytes(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))


def _message(statement: Mapping[str, Any]) -> bytes:
    return b"kubepipe privacy permit v1\n" + canonical_json(dict(statement)).encode()


def _refused(why: str) -> IntegrityError:
    return IntegrityError(f"the permit {why}", place="privacy permit", remedy=_REMEDY)
