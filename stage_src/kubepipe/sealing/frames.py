"""One sealed file: frames of AES-256-GCM, so that files of any size stream and no frame can be dropped or moved.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015). Layout:

    magic (8) | salt (16) | frame | frame | ... | last frame

The salt and the file's name derive a key of this file alone (HKDF-SHA-256), so that a nonce is never used twice. A
frame is the ciphertext of at most 1 MiB and its tag (16). Its nonce is the frame's number (11 bytes) and 1 for the last
frame, 0 for the others; its associated data is the file's name.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kubepipe.errors import IntegrityError

MAGIC: Final = b"KPSEAL1\n"
SALT_BYTES: Final = 16
TAG_BYTES: Final = 16
FRAME_BYTES: Final = 1 << 20
_COUNTER_BYTES: Final = 11
_REMEDY: Final = "The file was changed, or sealed with another key; make it again"


def seal_file(source: Path, target: Path, name: str, data_key: bytes) -> None:
    """Encrypt a file.

    Args:
        source: Plain file.
        target: Sealed file to write.
        name: Name that is bound to the content, with `/` between folders.
        data_key: 32 bytes.
    """
    salt = secrets.token_bytes(SALT_BYTES)
    cipher = _cipher(data_key, salt, name)
    with source.open("rb") as plain, target.open("wb") as sealed:
        sealed.write(MAGIC + salt)
        for number, (frame, is_last) in enumerate(_frames(plain, FRAME_BYTES)):
            sealed.write(cipher.encrypt(_nonce(number, is_last=is_last), frame, name.encode()))


def open_file(source: Path, target: Path, name: str, data_key: bytes) -> None:
    """Decrypt a file; each frame is checked before it is written.

    Raises:
        IntegrityError: The file was cut, reordered, changed or swapped, or the key is another.
    """
    with source.open("rb") as sealed, target.open("wb") as plain:
        if sealed.read(len(MAGIC)) != MAGIC:
            raise IntegrityError("is no sealed file", place=name, remedy=_REMEDY)
        salt = sealed.read(SALT_BYTES)
        if len(salt) != SALT_BYTES:
            raise IntegrityError("the sealed file is cut off", place=name, remedy=_REMEDY)
        cipher = _cipher(data_key, salt, name)
        for number, (frame, is_last) in enumerate(_frames(sealed, FRAME_BYTES + TAG_BYTES)):
            try:
                plain.write(cipher.decrypt(_nonce(number, is_last=is_last), frame, name.encode()))
            except (InvalidTag, ValueError) as error:
                raise IntegrityError(
                    f"the seal does not hold in frame {number + 1}", place=name, remedy=_REMEDY
                ) from error


def _frames(file: BinaryIO, size: int) -> Iterator[tuple[bytes, bool]]:
    """Pieces of a file and whether each is the last; an empty file is one empty piece."""
    current = file.read(size)
    while True:
        following = file.read(size) if len(current) == size else b""
        yield current, not following
        if not following:
            return
        current = following


def _cipher(data_key: bytes, salt: bytes, name: str) -> AESGCM:
    info = b"kubepipe sealed file 1\0" + name.encode()
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(data_key))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES, "big") + bytes([is_last])
