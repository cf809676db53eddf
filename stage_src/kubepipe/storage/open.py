"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path

from kubepipe.storage.base import Store
from kubepipe.storage.folder import FolderStore


def open_store(url: str) -> Store:
    """A store by its URL: `s3://bucket/prefix`, or the path of a folder.

    Raises:
        SettingsError: An S3 URL, and the environment lacks the endpoint or the credentials.
    """
    if url.startswith("s3://"):
        from kubepipe.storage.s3 import S3Store, s3_client

        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        return S3Store(bucket, prefix, s3_client())
    return FolderStore(Path(url).absolute())
