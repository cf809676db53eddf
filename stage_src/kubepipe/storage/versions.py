"""Versions of a source in its bucket: which remain, and deleting them for good."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from kubepipe.errors import AccessError, OutputError

_REFUSED: Final = frozenset(
    {"AccessDenied", "AllAccessDisabled", "InvalidAccessKeyId", "SignatureDoesNotMatch", "MethodNotAllowed"}
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a run read. It is not printed as it is: a key can name a person.

    Attributes:
        bucket: Bucket.
        key: Key of the object, or of the folder with a slash at its end.
        version_id: Version that was read, where the bucket has versions.
        etag: Entity tag of what was read, without quotes; None for a folder.
    """

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is many objects; which versions of them a run read is not known."""
        return self.key == "" or self.key.endswith("/")

    @property
    def is_known(self) -> bool:
        """Whether it is told which bytes were read."""
        return not self.is_folder and (self.version_id is not None or self.etag is not None)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an object that is still in its bucket.

    Attributes:
        key: Key of the object.
        version_id: Version; None or `null` in a bucket without versions.
        is_read: Whether it holds the bytes that the run read.
        is_marker: Whether it only says that the object was deleted.
    """

    key: str
    version_id: str | None
    is_read: bool
    is_marker: bool


def source_versions(client: Any, source: Source) -> list[Version]:
    """All versions of a source that remain.

    Raises:
        AccessError: The credentials may not list them.
    """
    with _explained(source.bucket, "s3:ListBucketVersions"):
        found = list(client.list_objects(source.bucket, prefix=source.key, recursive=True, include_version=True))
    return [
        Version(item.object_name, item.version_id, _is_read(item, source), bool(item.is_delete_marker))
        for item in _of(source, found)
    ]


def _of(source: Source, found: list[Any]) -> list[Any]:
    """What of a listing is the source; one that was not read to its end is the object, else the folder of that name."""
    if source.is_folder:
        return found
    own = [item for item in found if item.object_name == source.key]
    if own or source.is_known:
        return own
    return [item for item in found if item.object_name.startswith(f"{source.key}/")]


def delete_versions(client: Any, source: Source, versions: Sequence[Version]) -> int:
    """Delete versions for good; how many.

    Raises:
        AccessError: The credentials may not delete them, or a lock holds them.
        OutputError: The store keeps one that it said it had deleted.
    """
    with _explained(source.bucket, "s3:DeleteObject and s3:DeleteObjectVersion, and no lock on the object"):
        for each in versions:
            client.remove_object(source.bucket, each.key, version_id=each.version_id)
    gone = {(each.key, each.version_id) for each in versions}
    left = [each for each in source_versions(client, source) if (each.key, each.version_id) in gone]
    if left:
        raise OutputError(
            f"the store keeps {len(left)} versions that were deleted",
            place=f"bucket {source.bucket}",
            remedy="Look at its retention rules",
        )
    return len(versions)


def folder_of(marker: str) -> str:
    """The folder that a marker completes, with a slash at its end; empty for the bucket itself."""
    folder, slash, _ = marker.rpartition("/")
    return folder + slash


def read_of(versions: Iterable[Version]) -> list[Version]:
    """Those that hold the bytes that the run read."""
    return [each for each in versions if each.is_read]


def _is_read(item: Any, source: Source) -> bool:
    if source.is_folder or item.is_delete_marker:
        return False
    same_version = source.version_id is not None and item.version_id == source.version_id
    same_bytes = source.etag is not None and str(item.etag).strip('"') == source.etag
    return same_version or same_bytes


@contextmanager
def _explained(bucket: str, right: str) -> Iterator[None]:
    from minio.error import S3Error

    try:
        yield
    except S3Error as error:
        if error.code in _REFUSED:
            raise AccessError(
                f"the store refuses ({error.code})", place=f"bucket {bucket}", remedy=f"It takes {right}"
            ) from error
        raise OutputError(
            f"the store answers {error.code}", place=f"bucket {bucket}", remedy="Check the bucket's name"
        ) from error
