"""The OpenSSF model signature over a release's folder, by an elliptic curve key and without any network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kubepipe.errors import IntegrityError
from kubepipe.releases.layout import SIGNATURE


def sign_folder(folder: Path, private_key: Path) -> None:
    """Sign all files of a folder; the signature lies beside them."""
    from model_signing import signing

    signer = signing.Config().use_elliptic_key_signer(private_key=private_key)
    signer.set_hashing_config(_hashing()).sign(folder, folder / SIGNATURE)


def verify_folder(folder: Path, public_key: Path) -> None:
    """Check that a folder holds exactly the files that were signed, and who signed them.

    Raises:
        IntegrityError: It does not, or another key signed them.
    """
    from cryptography.exceptions import InvalidSignature
    from model_signing import verifying

    signature = folder / SIGNATURE
    if not signature.is_file():
        raise IntegrityError("its signature is missing")
    verifier = verifying.Config().use_elliptic_key_verifier(public_key=public_key).set_hashing_config(_hashing())
    try:
        verifier.verify(folder, signature)
    except InvalidSignature as error:
        raise IntegrityError("its signature does not hold") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OSError) as error:
        # The library's words list names and digests of files; which part they belong to is found by the caller.
        raise IntegrityError("its files are not those that were signed") from error


def signer_hint(folder: Path) -> str | None:
    """SHA-256 of the public key that the signature says it was made for; None where it says nothing."""
    try:
        bundle = json.loads((folder / SIGNATURE).read_text(encoding="utf-8"))
        hint = bundle["verificationMaterial"]["publicKey"]["hint"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(hint)


def _hashing() -> Any:
    from model_signing import hashing

    # Files that git would ignore are files of the model all the same.
    return hashing.Config().set_ignored_paths(paths=[SIGNATURE], ignore_git_paths=False)
