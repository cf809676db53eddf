"""A version of an object, and the name that its DatasetRun has whoever makes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

PREFIX: Final = "ds-"
_DIGITS: Final = 40


@dataclass(frozen=True, slots=True)
class Source:
    """A version of an object.

    Attributes:
        bucket: Bucket.
        key: Key, not URL-encoded.
        version_id: Version; empty where the bucket has none.
        etag: Entity tag without quotes.
        size: Size in bytes.
    """

    bucket: str
    key: str
    version_id: str = ""
    etag: str = ""
    size: int = 0

    @classmethod
    def make(cls, bucket: str, key: str, version_id: str | None, etag: str | None, size: int | None) -> Source:
        """A source from what a store's listing or event says."""
        version = "" if version_id in {None, "null"} else str(version_id)
        return cls(bucket, key, version, (etag or "").strip('"'), int(size or 0))

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Source:
        """The source of a DatasetRun."""
        given = spec["source"]
        return cls.make(given["bucket"], given["key"], given["versionId"], given["etag"], given["size"])

    def spec(self) -> dict[str, Any]:
        """The form that a DatasetRun holds; all fields are always there, so that each maker writes the same."""
        return {
            "bucket": self.bucket,
            "key": self.key,
            "versionId": self.version_id,
            "etag": self.etag,
            "size": self.size,
        }

    @property
    def name(self) -> str:
        """Name of the DatasetRun: the sensor's template computes the same one, so nothing is made twice."""
        identity = self.version_id or f"{self.etag}-{self.size}"
        digest = hashlib.sha256(f"{self.bucket}/{self.key}#{identity}".encode()).hexdigest()
        return f"{PREFIX}{digest[:_DIGITS]}"

    @property
    def content(self) -> str:
        """What is equal when the same key holds the same bytes again."""
        return hashlib.sha256(f"{self.bucket}/{self.key}#{self.etag}-{self.size}".encode()).hexdigest()
