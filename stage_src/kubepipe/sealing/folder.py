"""Sealed folders: every file encrypted but the manifest, which holds counts and digests only.

A list of the sealed files is part of the seal (`files.sealed`), so a file that is missing or was added is noticed.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from kubepipe.errors import IntegrityError
from kubepipe.sealing.frames import open_file, seal_file

MANIFEST: Final = "manifest.json"
SUFFIX: Final = ".sealed"
LIST: Final = ".files"
_REMEDY: Final = "The folder was changed; make it again"


def seal_folder(source: Path, target: Path, data_key: bytes) -> None:
    """Write a sealed copy of a folder.

    Args:
        source: Plain folder.
        target: Folder to write; made when missing.
        data_key: 32 bytes.
    """
    target.mkdir(parents=True, exist_ok=True)
    names = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
    sealed = [name for name in names if name != MANIFEST]
    for name in sealed:
        place = target / f"{name}{SUFFIX}"
        place.parent.mkdir(parents=True, exist_ok=True)
        seal_file(source / name, place, name, data_key)
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch) / LIST
        listing.write_text(json.dumps(sealed), encoding="utf-8")
        seal_file(listing, target / f"{LIST}{SUFFIX}", LIST, data_key)
    if MANIFEST in names:
        shutil.copyfile(source / MANIFEST, target / MANIFEST)


def open_folder(source: Path, target: Path, data_key: bytes) -> None:
    """Write the plain copy of a sealed folder.

    Raises:
        IntegrityError: A file was changed, cut, swapped, removed or added, or the key is another.
    """
    target.mkdir(parents=True, exist_ok=True)
    for name in _listed(source, data_key):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        open_file(source / f"{name}{SUFFIX}", place, name, data_key)
    if (source / MANIFEST).is_file():
        shutil.copyfile(source / MANIFEST, target / MANIFEST)


def is_sealed(path: Path) -> bool:
    """Whether a folder was written by `seal_folder`."""
    return (path / f"{LIST}{SUFFIX}").is_file() or any(path.rglob(f"*{SUFFIX}"))


@contextmanager
def opened(path: Path, data_key: bytes) -> Iterator[Path]:
    """The plain content of a folder: a temporary copy that is removed afterwards, or the folder itself when not sealed.

    Raises:
        IntegrityError: The folder is sealed and its seal does not hold.
    """
    if not is_sealed(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="kubepipe-open-") as scratch:
        open_folder(path, Path(scratch), data_key)
        yield Path(scratch)


def _listed(source: Path, data_key: bytes) -> list[str]:
    """Names in the sealed list, after a check that exactly these files are there."""
    listing = source / f"{LIST}{SUFFIX}"
    if not listing.is_file():
        raise IntegrityError("the list of sealed files is missing", place=source.name, remedy=_REMEDY)
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / LIST
        open_file(listing, plain, LIST, data_key)
        names: list[str] = json.loads(plain.read_text(encoding="utf-8"))
    present = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    expected = {f"{name}{SUFFIX}" for name in names}
    missing = sorted(expected - present)
    if missing:
        raise IntegrityError("the sealed file is missing", place=missing[0], remedy=_REMEDY)
    added = sorted(present - expected - {f"{LIST}{SUFFIX}", MANIFEST})
    if added:
        raise IntegrityError("the file is not part of the sealed folder", place=added[0], remedy=_REMEDY)
    if any(".." in PurePosixPath(name).parts or name.startswith("/") for name in names):
        raise IntegrityError("the list of sealed files leaves the folder", place=source.name, remedy=_REMEDY)
    return names
