"""The object store: a folder or an S3 bucket behind one interface."""

from kubepipe.storage.base import Store
from kubepipe.storage.fetch import fetch_uri
from kubepipe.storage.folder import FolderStore
from kubepipe.storage.open import open_store

__all__ = ["FolderStore", "Store", "fetch_uri", "open_store"]
