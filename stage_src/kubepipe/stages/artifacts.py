"""Naming an artifact by its digests."""

from __future__ import annotations

from pathlib import Path

from kubepipe.passages import read_manifest
from kubepipe.records import digest_tree
from kubepipe.records.step import Artifact


def describe(path: Path, uri: str) -> Artifact:
    """The artifact at a local path.

    A data set is named by the digest of its passages, so that the same passages have the same name sealed or open, on a
    laptop or in a cluster; anything else by the digest of its bytes.

    Raises:
        FileNotFoundError: Nothing is there.
    """
    bytes_digest = digest_tree(path)
    if path.is_dir() and (path / "manifest.json").is_file():
        return Artifact(read_manifest(path).digest, bytes_digest, uri)
    return Artifact(bytes_digest, bytes_digest, uri)
