"""The key that signs models: ECDSA on P-256, which the OpenSSF model signature takes; files like the other keys.

model-signing.pem    signs releases; only publish-model has it
model-public.pem     checks them; whoever serves or verifies a model has it
model-trusted*.pem   public keys from before a rotation, whose releases still hold; beside model-public.pem
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kubepipe.errors import IntegrityError, OutputError

SIGNING: Final = "model-signing.pem"
PUBLIC: Final = "model-public.pem"
TRUSTED: Final = "model-trusted*.pem"
_REMEDY: Final = "Give the key of the installation that published the model"


def create_model_keys(folder: Path) -> None:
    """Make the pair unless it is there.

    Raises:
        IntegrityError: The private key is none.
        OutputError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        private = folder / SIGNING
        if not private.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            _write_new(
                private,
                key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                ),
            )
        _write_new(folder / PUBLIC, public_half(private), replace=True)
    except OSError as error:
        raise OutputError(
            f"keys cannot be written ({error.strerror})", place=str(folder), remedy="Choose another folder"
        ) from error


def load_private(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key that signs.

    Raises:
        IntegrityError: It is missing or no elliptic curve key.
    """
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise IntegrityError("is no PEM private key without a password", place=str(path), remedy=_REMEDY) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IntegrityError("is no elliptic curve key", place=str(path), remedy="Make one on P-256")
    return key


def load_public(path: Path) -> ec.EllipticCurvePublicKey:
    """The key that checks.

    Raises:
        IntegrityError: It is missing or no elliptic curve key.
    """
    try:
        key = serialization.load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise IntegrityError("is no PEM public key", place=str(path), remedy=_REMEDY) from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise IntegrityError("is no elliptic curve key", place=str(path), remedy=_REMEDY)
    return key


def key_files(trusted: Sequence[Path]) -> list[Path]:
    """Files of public keys: those named, and of a folder its model-public.pem and model-trusted*.pem.

    Raises:
        IntegrityError: A folder holds none.
    """
    found: list[Path] = []
    for each in trusted:
        files = [*sorted(each.glob(PUBLIC)), *sorted(each.glob(TRUSTED))] if each.is_dir() else [each]
        if not files:
            raise IntegrityError(f"holds neither {PUBLIC} nor {TRUSTED}", place=str(each), remedy=_REMEDY)
        found += files
    return found


def fingerprint(public: Path) -> str:
    """SHA-256 of a public key in PEM, in hexadecimal; a signature names its key by it.

    Raises:
        IntegrityError: It is missing or no elliptic curve key.
    """
    return hashlib.sha256(public_pem(load_public(public))).hexdigest()


def public_half(private: Path) -> bytes:
    """The public key of a private one, in PEM."""
    return public_pem(load_private(private).public_key())


def public_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key in PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise IntegrityError(f"the key cannot be read ({error.strerror})", place=str(path), remedy=_REMEDY) from error


def _write_new(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a file for its owner only; without `replace`, two processes at once leave the first one's."""
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        if replace:
            scratch.replace(path)
            return
        os.link(scratch, path)
    except FileExistsError:
        return
    finally:
        scratch.unlink(missing_ok=True)
