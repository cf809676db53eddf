"""A release on this machine: where it lies in a folder store, else a copy in a cache."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from kubepipe.errors import IntegrityError
from kubepipe.releases.layout import is_release_name, release_key
from kubepipe.releases.store import SCRATCH, download
from kubepipe.releases.verify import BrokenHopError
from kubepipe.storage import FolderStore, Store


def local_copy(store: Store, digest: str, cache: Path) -> Path:
    """The folder of a release: where it lies, in a folder store, else a copy in the cache.

    Raises:
        BrokenHopError: The store holds nothing of it.
    """
    if isinstance(store, FolderStore):
        folder = store.root / release_key(digest)
        if folder.is_dir():
            return folder
        raise BrokenHopError("release", "the store holds nothing of it", place=f"release {digest[7:19]}")
    try:
        return download(store, digest, cache)
    except IntegrityError as error:
        raise BrokenHopError("release", error.message, place=f"release {digest[7:19]}") from error


def drop_copies(store: Store, cache: Path, *, keep: Collection[str]) -> None:
    """Remove copies of releases from a cache, and what an interrupted download left; a store itself is left alone.

    Args:
        store: Where the copies come from.
        cache: Of one server alone.
        keep: Digests of the releases whose copies stay.
    """
    if isinstance(store, FolderStore) or not cache.is_dir():
        return
    names = {digest.removeprefix("sha256:") for digest in keep}
    for folder in cache.iterdir():
        if (is_release_name(folder.name) and folder.name not in names) or folder.name.startswith(SCRATCH):
            shutil.rmtree(folder, ignore_errors=True)
