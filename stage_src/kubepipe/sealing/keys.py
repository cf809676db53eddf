"""The long-lived keys: a folder locally, a mounted secret in a cluster.

wrapping.key         32 bytes; wraps the data key of each run
pseudonym.key        32 bytes; draws the surrogates
permit-signing.pem   Ed25519; signs privacy permits
permit-public.pem    its public half; all that training holds
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kubepipe.errors import IntegrityError, OutputError

KEY_BYTES: Final = 32
_WRAPPING, _PSEUDONYM = "wrapping.key", "pseudonym.key"
_SIGNING, _PUBLIC = "permit-signing.pem", "permit-public.pem"


def create_keys(folder: Path) -> None:
    """Make the keys that are not there yet, readable by their owner only.

    Raises:
        OutputError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (_WRAPPING, _PSEUDONYM):
            _write_new(folder / name, secrets.token_bytes(KEY_BYTES))
        _write_new(folder / _SIGNING, _private_pem(Ed25519PrivateKey.generate()))
        _write_new(folder / _PUBLIC, public_pem(load_signing_key(folder)))
    except OSError as error:
        raise OutputError(
            f"cannot be written ({error.strerror})", place=str(folder), remedy="Choose another folder for the keys"
        ) from error


def load_wrapping_key(folder: Path) -> bytes:
    """The key that wraps data keys.

    Raises:
        IntegrityError: It is missing or not 32 bytes long.
    """
    return _read_key(folder / _WRAPPING)


def load_pseudonym_key(folder: Path) -> bytes:
    """The key that draws surrogates.

    Raises:
        IntegrityError: It is missing or not 32 bytes long.
    """
    return _read_key(folder / _PSEUDONYM)


def load_signing_key(folder: Path) -> Ed25519PrivateKey:
    """The key that signs permits.

    Raises:
        IntegrityError: It is missing or no Ed25519 key.
    """
    file = folder / _SIGNING
    try:
        key = serialization.load_pem_private_key(_read(file), password=None)
    except ValueError as error:
        raise IntegrityError("is no private key in PEM", place=str(file), remedy=_REMEDY) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise IntegrityError("is no Ed25519 key", place=str(file), remedy=_REMEDY)
    return key


def load_public_key(file: Path) -> Ed25519PublicKey:
    """The key that permits are checked with.

    Raises:
        IntegrityError: It is missing or no Ed25519 key.
    """
    try:
        key = serialization.load_pem_public_key(_read(file))
    except ValueError as error:
        raise IntegrityError("is no public key in PEM", place=str(file), remedy=_REMEDY) from error
    if not isinstance(key, Ed25519PublicKey):
        raise IntegrityError("is no Ed25519 key", place=str(file), remedy=_REMEDY)
    return key


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """The public half of a signing key, in PEM."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


_REMEDY: Final = "Mount the right key, or make new ones: data sealed and permits signed with the old ones are lost then"


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise IntegrityError(f"cannot be read ({error.strerror})", place=str(file), remedy=_REMEDY) from error


def _read_key(file: Path) -> bytes:
    key = _read(file)
    if len(key) != KEY_BYTES:
        raise IntegrityError(f"is {len(key)} bytes long and not {KEY_BYTES}", place=str(file), remedy=_REMEDY)
    return key


def _write_new(file: Path, content: bytes) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
