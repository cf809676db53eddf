"""The long-lived keys: files in a folder on a laptop, a mounted secret on a cluster.

wrapping.key        32 bytes   wraps the data key of each run
pseudonym.key       32 bytes   chooses the surrogates
mapping.key         32 bytes   encrypts the mapping, where the policy asks for one
permit-signing.pem  Ed25519    signs permits; only the gate has it
permit-public.pem   Ed25519    checks permits; training has only this
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kubepipe.errors import IntegrityError, OutputError

WRAPPING: Final = "wrapping.key"
PSEUDONYM: Final = "pseudonym.key"
MAPPING: Final = "mapping.key"
SIGNING: Final = "permit-signing.pem"
PUBLIC: Final = "permit-public.pem"
KEY_BYTES: Final = 32
_REMEDY: Final = "Make the keys, or mount the folder that holds them; keys that are lost cannot be restored"


def create_keys(folder: Path) -> None:
    """Make the keys that are missing; what is there stays as it is. Files can be read by their owner only.

    Raises:
        IntegrityError: The public key is there without its private one, or does not belong to it.
        OutputError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (WRAPPING, PSEUDONYM, MAPPING):
            _write_new(folder / name, secrets.token_bytes(KEY_BYTES))
        if not (folder / SIGNING).exists() and (folder / PUBLIC).exists():
            raise IntegrityError(
                "the public permit key is there without its private one",
                place=str(folder),
                remedy="Bring the private key back, or move the public one away",
            )
        _write_new(folder / SIGNING, _private_pem(Ed25519PrivateKey.generate()))
        _write_new(folder / PUBLIC, public_pem(load_signing_key(folder).public_key()))
    except OSError as error:
        raise OutputError(
            f"keys cannot be written ({error.strerror})", place=str(folder), remedy="Choose another folder"
        ) from error
    if public_pem(load_public_key(folder / PUBLIC)) != public_pem(load_signing_key(folder).public_key()):
        raise IntegrityError(
            "the public permit key does not belong to the private one", place=str(folder), remedy="Remove the wrong one"
        )


def load_wrapping_key(folder: Path) -> bytes:
    """The key that wraps data keys.

    Raises:
        IntegrityError: It is missing or broken.
    """
    return _load_secret(folder / WRAPPING)


def load_pseudonym_key(folder: Path) -> bytes:
    """The key that chooses surrogates.

    Raises:
        IntegrityError: It is missing or broken.
    """
    return _load_secret(folder / PSEUDONYM)


def load_mapping_key(path: Path) -> bytes:
    """The key that encrypts mappings, by its file: whoever re-identifies may have nothing but this one.

    Raises:
        IntegrityError: It is missing or broken.
    """
    return _load_secret(path)


def load_signing_key(folder: Path) -> Ed25519PrivateKey:
    """The key that signs permits.

    Raises:
        IntegrityError: It is missing or no Ed25519 key.
    """
    path = folder / SIGNING
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise IntegrityError("is no PEM private key without a password", place=str(path), remedy=_REMEDY) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise IntegrityError("is no Ed25519 private key", place=str(path), remedy=_REMEDY)
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """The key that checks permits.

    Raises:
        IntegrityError: It is missing or no Ed25519 key.
    """
    try:
        key = serialization.load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise IntegrityError("is no PEM public key", place=str(path), remedy=_REMEDY) from error
    if not isinstance(key, Ed25519PublicKey):
        raise IntegrityError("is no Ed25519 public key", place=str(path), remedy=_REMEDY)
    return key


def _load_secret(path: Path) -> bytes:
    data = _read(path)
    if len(data) != KEY_BYTES:
        raise IntegrityError(f"holds {len(data)} bytes instead of {KEY_BYTES}", place=str(path), remedy=_REMEDY)
    return data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise IntegrityError("the key is missing", place=str(path), remedy=_REMEDY) from error
    except OSError as error:
        raise IntegrityError(f"the key cannot be read ({error.strerror})", place=str(path), remedy=_REMEDY) from error


def _write_new(path: Path, data: bytes) -> None:
    """Write a file unless it exists; two processes at once leave one whole file."""
    if path.exists():
        return
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, never replaces a key that another process made meanwhile.
        os.link(scratch, path)
    except FileExistsError:
        return
    finally:
        scratch.unlink(missing_ok=True)


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: Ed25519PublicKey) -> bytes:
    """A public key in PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
