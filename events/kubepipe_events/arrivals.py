"""The bucket for incoming data: whether an object is still there, what lies in it, and the file beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubepipe.errors import SettingsError
from kubepipe_events.identity import Source
from kubepipe_events.settings import FILE, MAX_BYTES, parse_beside

_BAD_REQUEST: Final = 400
_GONE: Final = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "MethodNotAllowed", "NoSuchObject"})


class Arrivals:
    """The bucket for incoming data.

    Args:
        client: A `minio.Minio` client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, source: Source) -> Source | None:
        """The version as the store has it, or None when it is gone, or its object was deleted or overwritten since."""
        newest = self._stat(source.bucket, source.key, None)
        if newest is None:
            return None
        if not source.version_id:
            return source if newest.etag == source.etag else None
        return self._stat(source.bucket, source.key, source.version_id)

    def newest(self, bucket: str, key: str) -> Source | None:
        """The newest version of an object, or None."""
        return self._stat(bucket, key, None)

    def versions(self, bucket: str) -> Iterator[Source]:
        """All versions of all objects that are not deleted, in the order of their keys."""
        alive = None
        for item in self._client.list_objects(bucket, recursive=True, include_version=True):
            if item.is_delete_marker:
                continue
            # The newest version of a key comes first. Where it is not the latest a delete marker is, wherever in the
            # listing a store puts these, and nothing behind it is to be run.
            if item.is_latest in {True, "true"}:
                alive = item.object_name
            if item.object_name == alive:
                yield Source.make(bucket, item.object_name, item.version_id, item.etag, item.size)

    def beside(self, source: Source) -> dict[str, Any]:
        """Settings from the kubepipe.yaml in the folder of an object; none when there is no such file.

        Raises:
            SettingsError: The file is too large, no YAML, or sets what it may not.
        """
        from minio.error import S3Error

        folder = source.key.rpartition("/")[0]
        key = f"{folder}/{FILE}" if folder else FILE
        try:
            answer = self._client.get_object(source.bucket, key)
        except S3Error as error:
            if error.code in _GONE:
                return {}
            raise
        try:
            data = answer.read(MAX_BYTES + 1)
        finally:
            answer.close()
            answer.release_conn()
        if len(data) > MAX_BYTES:
            raise SettingsError(f"is larger than {MAX_BYTES} bytes", place=FILE, remedy="It holds settings only")
        return parse_beside(data)

    def _stat(self, bucket: str, key: str, version: str | None) -> Source | None:
        from minio.error import S3Error, ServerError

        try:
            found = self._client.stat_object(bucket, key, version_id=version)
        except ValueError:
            # No store has a key with such parts; whoever told of it made it up.
            return None
        except ServerError as error:
            if error.status_code == _BAD_REQUEST:
                # The answer to a version that cannot be one.
                return None
            raise
        except S3Error as error:
            if error.code in _GONE:
                return None
            raise
        return Source.make(bucket, key, found.version_id, found.etag, found.size)
