"""What a store can do. Keys are slash-separated names without a leading slash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """A folder or a bucket with a prefix."""

    @property
    def url(self) -> str:
        """Where it is, as `open_store` takes it."""
        ...

    def read(self, key: str) -> bytes | None:
        """Content of an object, or None when there is none."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Write an object at once; an older one of the same key is replaced.

        Raises:
            OutputError: The store cannot be written.
        """
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Write an object unless there is one; False, and nothing written, when there is. Of two at once, one wins.

        Raises:
            OutputError: The store cannot be written, or knows no conditional writes.
        """
        ...

    def delete(self, key: str) -> None:
        """Delete an object; none there is no error."""
        ...

    def erase(self, key: str) -> None:
        """Delete an object and every version that the store keeps of it; none there is no error.

        Raises:
            OutputError: The store keeps it.
        """
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys that begin with the prefix, sorted."""
        ...

    def download(self, key: str, target: Path) -> bool:
        """Copy an object, or all objects under `key/`, to a local path; False when there is none."""
        ...

    def upload(self, source: Path, key: str) -> None:
        """Copy a file, or a folder's files under `key/`, into the store.

        Raises:
            OutputError: The store cannot be written.
        """
        ...
