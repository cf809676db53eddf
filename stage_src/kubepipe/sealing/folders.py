"""Folders with encrypted files.

Each file is AES-256-GCM in frames of 1 MiB by the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the
nonce holds a random prefix, the frame's number and whether it is the last, so that frames cannot be cut off, swapped or
repeated; the file's name is bound as associated data, so that files cannot be swapped.
"""

from __future__ import annotations

import secrets
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kubepipe.errors import IntegrityError
from kubepipe.storage.folder import copy_tree

SUFFIX: Final = ".sealed"
_PLAIN: Final = "manifest.json"
_MAGIC: Final = b"KPSEAL1\n"
_FRAME: Final = 1 << 20
_TAG: Final = 16
_PREFIX: Final = 7


def seal_folder(source: Path, target: Path, data_key: bytes) -> None:
    """Encrypt every file of a folder but its manifest, which holds counts and digests only.

    Args:
        source: Folder to read.
        target: Folder to make.
        data_key: 32 bytes.
    """
    for file in sorted(each for each in source.rglob("*") if each.is_file()):
        name = file.relative_to(source).as_posix()
        if name == _PLAIN:
            copy_tree(file, target / name)
            continue
        sealed = target / f"{name}{SUFFIX}"
        sealed.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as reader, sealed.open("wb") as writer:
            _seal(reader, writer, data_key, name)


def open_folder(source: Path, target: Path, data_key: bytes) -> None:
    """Decrypt a sealed folder.

    Raises:
        IntegrityError: A file was changed, cut or swapped, or the key is another.
    """
    for file in sorted(each for each in source.rglob("*") if each.is_file()):
        name = file.relative_to(source).as_posix()
        if not name.endswith(SUFFIX):
            copy_tree(file, target / name)
            continue
        plain = target / name.removesuffix(SUFFIX)
        plain.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as reader, plain.open("wb") as writer:
            _open(reader, writer, data_key, name.removesuffix(SUFFIX))


@contextmanager
def opened(folder: Path, data_key: bytes) -> Iterator[Path]:
    """The plain content of a sealed folder, in a private temporary folder that is removed afterwards.

    A folder without sealed files is yielded as it is.

    Raises:
        IntegrityError: A file was changed, cut or swapped, or the key is another.
    """
    if not any(folder.rglob(f"*{SUFFIX}")):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="kubepipe-") as scratch:
        plain = Path(scratch) / "plain"
        plain.mkdir()
        open_folder(folder, plain, data_key)
        yield plain


def _seal(reader: BinaryIO, writer: BinaryIO, key: bytes, name: str) -> None:
    cipher, prefix = AESGCM(key), secrets.token_bytes(_PREFIX)
    writer.write(_MAGIC + prefix)
    number, frame = 0, reader.read(_FRAME)
    while True:
        following = reader.read(_FRAME)
        writer.write(cipher.encrypt(_nonce(prefix, number, last=not following), frame, name.encode()))
        if not following:
            return
        number, frame = number + 1, following


def _open(reader: BinaryIO, writer: BinaryIO, key: bytes, name: str) -> None:
    head = reader.read(len(_MAGIC) + _PREFIX)
    if len(head) != len(_MAGIC) + _PREFIX or not head.startswith(_MAGIC):
        raise _broken(name)
    cipher, prefix = AESGCM(key), head[len(_MAGIC) :]
    number, frame = 0, reader.read(_FRAME + _TAG)
    while True:
        following = reader.read(_FRAME + _TAG)
        try:
            writer.write(cipher.decrypt(_nonce(prefix, number, last=not following), frame, name.encode()))
        except (InvalidTag, ValueError) as error:
            raise _broken(name) from error
        if not following:
            return
        number, frame = number + 1, following


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + struct.pack(">I", number) + bytes([last])


def _broken(name: str) -> IntegrityError:
    return IntegrityError(
        "does not open: it was changed, cut or swapped, or sealed with another key",
        place=f"sealed file {name}",
        remedy="Start a new run",
    )
