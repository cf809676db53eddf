"""Releases in a store: put once, found by digest, brought to this machine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import InputError, IntegrityError
from kubepipe.records import digest_bytes, validate
from kubepipe.releases.layout import RECORD, ROOT, is_release_name, release_key
from kubepipe.storage import Store

SCRATCH: Final = ".new."
"""Begins the name of a folder in a cache that is being filled."""


def put(store: Store, folder: Path, digest: str) -> None:
    """Put a release's folder into the store; one that is there complete stays as it is.

    Raises:
        OutputError: The store cannot be written.
    """
    key = release_key(digest)
    wanted = {f"{key}/{file.relative_to(folder).as_posix()}" for file in folder.rglob("*") if file.is_file()}
    if wanted <= set(store.keys(f"{key}/")):
        return
    store.upload(folder, key)


def digests(store: Store) -> list[str]:
    """Digests of all releases, sorted."""
    names = {key.split("/")[1] for key in store.keys(f"{ROOT}/")}
    return [f"sha256:{name}" for name in sorted(names) if is_release_name(name)]


def read_release(store: Store, digest: str) -> dict[str, Any]:
    """The record of a release.

    Raises:
        IntegrityError: It is missing, or not that of this release.
    """
    data = store.read(f"{release_key(digest)}/{RECORD}")
    if data is None or digest_bytes(data) != digest:
        what = "is missing" if data is None else "is that of another release"
        raise IntegrityError(f"its record {what}", place=f"release {digest[7:19]}", remedy="Publish it again")
    record: dict[str, Any] = json.loads(data)
    validate(record, "release", place=f"release {digest[7:19]}")
    return record


def find(store: Store, text: str) -> str:
    """The digest of the one release that begins with a text.

    Raises:
        InputError: None does, or several do.
    """
    found = [
        digest for digest in digests(store) if digest.removeprefix("sha256:").startswith(text.removeprefix("sha256:"))
    ]
    if len(found) != 1 or not text:
        what = "no release begins with it" if not found else f"{len(found)} releases begin with it"
        raise InputError(what, place=text or "''", remedy="`kubepipe releases` lists them")
    return found[0]


def download(store: Store, digest: str, cache: Path) -> Path:
    """Bring a release to this machine; its folder appears at once and bears its digest as name.

    Raises:
        IntegrityError: The store holds no file of it.
    """
    target = cache / digest.removeprefix("sha256:")
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=SCRATCH) as scratch:
        fresh = Path(scratch) / target.name
        if not store.download(release_key(digest), fresh):
            raise IntegrityError("the store holds nothing of it", place=f"release {digest[7:19]}")
        fresh.replace(target)
    return target


def records(store: Store) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Digest and record of each release; None where the record is broken."""
    for digest in digests(store):
        try:
            yield digest, read_release(store, digest)
        except (IntegrityError, ValueError):
            yield digest, None
