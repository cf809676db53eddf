"""A release on this machine: where it lies in a folder store, else a copy."""

from __future__ import annotations

from pathlib import Path

from kubepipe.errors import IntegrityError
from kubepipe.releases.layout import release_key
from kubepipe.releases.store import download
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
