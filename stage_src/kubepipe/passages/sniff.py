"""What kind of file it is, by its first bytes."""

from __future__ import annotations

from typing import Final, Literal

from kubepipe.errors import InputError

Kind = Literal["parquet", "arrow", "gzip", "zip", "text"]

_READ: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
_UNPACK: Final = "Unpack it first"
_EXPORT: Final = "Export it as SQuAD JSON, JSONL, CSV or Parquet"
_REFUSED: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"BZh", "a bzip2 file", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz file", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd file", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"%PDF", "a PDF", _EXPORT),
    (b"SQLite format 3", "an SQLite database", _EXPORT),
    (b"\xd0\xcf\x11\xe0", "an old Office file", _EXPORT),
    (b"\x80\x04\x95", "a Python pickle, which is never loaded", _EXPORT),
    (b"\x80\x05\x95", "a Python pickle, which is never loaded", _EXPORT),
    (b"<!DOCTYPE html", "an HTML page", "Download the file itself"),
    (b"<html", "an HTML page", "Download the file itself"),
    (b"version https://git-lfs", "a Git LFS pointer", "Fetch the data with git lfs pull"),
    (b"\x89PNG", "an image", _EXPORT),
    (b"\xff\xd8\xff", "an image", _EXPORT),
    (b"\x7fELF", "a program", _EXPORT),
)
_TAR_MARK: Final = slice(257, 262)


def sniff(head: bytes, place: str) -> Kind:
    """Kind of a file by its first bytes (at least 512 where the file has them).

    Raises:
        InputError: The file is of a kind that is not read.
    """
    for mark, kind in _READ:
        if head.startswith(mark):
            return kind
    for mark, name, remedy in _REFUSED:
        if head.startswith(mark):
            raise InputError(f"is {name}", place=place, remedy=remedy)
    if head[_TAR_MARK] == b"ustar":
        raise InputError("is a tar archive", place=place, remedy=_UNPACK)
    return "text"
