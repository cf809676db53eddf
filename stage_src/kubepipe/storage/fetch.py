"""Copying an artifact from wherever its record says it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kubepipe.storage.folder import copy_tree
from kubepipe.storage.open import open_store

_BUCKETS: Final = frozenset({"s3", "minio"})


def fetch_uri(uri: str, target: Path) -> bool:
    """Copy the file or folder at a path, `s3://` or `minio://` URI to a local path; False when there is none.

    Raises:
        SettingsError: The URI is in a bucket, and the environment lacks the endpoint or the credentials.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return copy_tree(Path(uri), target)
    if scheme not in _BUCKETS:
        return False
    bucket, _, key = rest.partition("/")
    return open_store(f"s3://{bucket}").download(key, target)
