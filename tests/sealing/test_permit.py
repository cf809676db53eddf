"""Permits: only the gate's own, for this data set, under this policy, unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kubepipe.errors import IntegrityError
from kubepipe.records import validate
from kubepipe.sealing import create_keys, load_public_key, load_signing_key, sign_permit, verify_permit

OUTPUT, POLICY = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys."""
    folder = tmp_path_factory.mktemp("keys")
    create_keys(folder)
    return folder


@pytest.fixture
def public(keys: Path) -> Ed25519PublicKey:
    """The public key."""
    return load_public_key(keys / "permit-public.pem")


def statement(**changes: Any) -> dict[str, Any]:
    """What the gate signs."""
    return {
        "schema_version": 1,
        "run": "r1",
        "input_digest": f"sha256:{'c' * 64}",
        "output_digest": OUTPUT,
        "policy_digest": POLICY,
        "verdict": "pass",
        "measures": {"leaks": 0, "share": 0.25},
        "versions": {"kubepipe": "1"},
        **changes,
    }


@pytest.fixture
def permit(keys: Path) -> dict[str, Any]:
    """A good permit."""
    return sign_permit(statement(), load_signing_key(keys))


def test_a_permit_fits_its_schema_and_holds(permit: dict[str, Any], public: Ed25519PublicKey) -> None:
    """With the data set and the policy it names, or without asking for the policy."""
    validate(permit, "privacy-permit", place="the permit")
    verify_permit(permit, public, output_digest=OUTPUT, policy_digest=POLICY)
    verify_permit(permit, public, output_digest=OUTPUT, policy_digest=None)


@pytest.mark.parametrize(
    ("output", "policy", "message"),
    [(POLICY, POLICY, "another data set"), (OUTPUT, OUTPUT, "another policy")],
)
def test_a_permit_of_something_else_is_refused(
    permit: dict[str, Any], public: Ed25519PublicKey, output: str, policy: str, message: str
) -> None:
    """Another data set's, or an old policy's."""
    with pytest.raises(IntegrityError, match=message):
        verify_permit(permit, public, output_digest=output, policy_digest=policy)


def test_a_permit_that_says_no_is_none(keys: Path, public: Ed25519PublicKey) -> None:
    """Signed or not, only a pass opens the way."""
    refused = sign_permit(statement(verdict="quarantine"), load_signing_key(keys))
    with pytest.raises(IntegrityError, match="verdict"):
        verify_permit(refused, public, output_digest=OUTPUT, policy_digest=POLICY)


@pytest.mark.parametrize("name", [*statement(), "signed_at"])
def test_every_changed_field_breaks_the_signature(permit: dict[str, Any], public: Ed25519PublicKey, name: str) -> None:
    """Nothing in a permit can be changed."""
    changed = {**permit, name: {"leaks": 1} if name == "measures" else "x"}
    with pytest.raises(IntegrityError, match="signature"):
        verify_permit(changed, public, output_digest=OUTPUT, policy_digest=POLICY)


@pytest.mark.parametrize("name", [*statement(), "signed_at", "signature", "key_id"])
def test_every_missing_field_breaks_the_permit(permit: dict[str, Any], public: Ed25519PublicKey, name: str) -> None:
    """Nothing can be left out."""
    with pytest.raises(IntegrityError):
        verify_permit(
            {k: v for k, v in permit.items() if k != name}, public, output_digest=OUTPUT, policy_digest=POLICY
        )


def test_a_field_can_not_be_added(permit: dict[str, Any], public: Ed25519PublicKey) -> None:
    """Nothing can be slipped in."""
    with pytest.raises(IntegrityError, match="signature"):
        verify_permit({**permit, "note": "x"}, public, output_digest=OUTPUT, policy_digest=POLICY)


def test_a_permit_of_another_key_is_refused(public: Ed25519PublicKey, tmp_path: Path) -> None:
    """Who else signs, signs nothing; not even under the right key's name."""
    create_keys(tmp_path)
    forged = sign_permit(statement(), load_signing_key(tmp_path))
    with pytest.raises(IntegrityError, match="another key"):
        verify_permit(forged, public, output_digest=OUTPUT, policy_digest=POLICY)


@pytest.mark.parametrize("signature", ["", "?", "AAAA", None])
def test_a_broken_signature_is_refused(permit: dict[str, Any], public: Ed25519PublicKey, signature: str | None) -> None:
    """Emptied, no base64, too short, no text."""
    with pytest.raises(IntegrityError, match="signature"):
        verify_permit({**permit, "signature": signature}, public, output_digest=OUTPUT, policy_digest=POLICY)


def test_a_permit_survives_json(permit: dict[str, Any], public: Ed25519PublicKey) -> None:
    """Written and read again, with keys in another order, it still holds."""
    import json

    again = json.loads(json.dumps(dict(reversed(permit.items()))))
    verify_permit(again, public, output_digest=OUTPUT, policy_digest=POLICY)
