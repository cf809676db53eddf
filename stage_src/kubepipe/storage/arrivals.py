"""Data sets that lie in a bucket: bringing one version of an object, or a folder of objects, to a local path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from kubepipe.errors import InputError
from kubepipe.storage.s3 import s3_client
from kubepipe.storage.versions import folder_of

_MISSING = {"NoSuchKey", "NoSuchObject", "ResourceNotFound"}


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """Which version of a source was read. It holds no key, for a key can name a person.

    Attributes:
        version_id: Version, where the bucket has versions; None for a folder.
        etag: Entity tag without quotes; of a folder the digest of the tags of its objects, in their order.
        size: Bytes, of a folder in all.
        objects: How many objects were read.
    """

    version_id: str | None
    etag: str | None
    size: int | None
    objects: int = 1


def fetch_newest(bucket: str, key: str, scratch: Path) -> tuple[Path, ObjectVersion]:
    """Download the newest version of an object, or of all objects under `key/`, and say which version it was.

    Raises:
        InputError: There is no such object, or it was overwritten meanwhile.
    """
    from minio.error import S3Error

    client = s3_client()
    target = scratch / (PurePosixPath(key).name[-100:] or "dataset")
    try:
        found = client.stat_object(bucket, key) if key else None
    except S3Error as error:
        if error.code not in {*_MISSING, "NoSuchBucket"}:
            raise
        found = None
    if found is None:
        return target, _fetch_folder(client, bucket, key, target)
    version = ObjectVersion(_version(found.version_id), _tag(found), found.size)
    # The very version that was looked at; where a bucket has no versions, only if it is still the same.
    condition = None if version.version_id else {"If-Match": found.etag}
    try:
        client.fget_object(bucket, key, str(target), version_id=version.version_id, request_headers=condition)
    except S3Error as error:
        if error.code == "PreconditionFailed":
            raise InputError(
                "the object was overwritten while it was read", place="the source", remedy="Start the run again"
            ) from error
        raise
    return target, version


def _fetch_folder(client: Any, bucket: str, key: str, target: Path) -> ObjectVersion:
    from minio.error import S3Error

    size, count, tags = 0, 0, hashlib.sha256()
    try:
        for item in client.list_objects(bucket, prefix=f"{key}/", recursive=True) if key else ():
            name = item.object_name.removeprefix(f"{key}/")
            if name.endswith("/") or ".." in PurePosixPath(name).parts:
                continue
            # The answer of the listing may be older than the object that is read.
            read = client.fget_object(bucket, item.object_name, str(target / name))
            size, count = size + (read.size or 0), count + 1
            tags.update(f"{_tag(read)}\n".encode())
    except S3Error as error:
        if error.code != "NoSuchBucket":
            raise
    if count == 0:
        raise InputError("there is no such object", place="the source", remedy="Give s3://bucket/key of a data set")
    return ObjectVersion(None, f"sha256:{tags.hexdigest()}", size, count)


def _tag(found: Any) -> str:
    return str(found.etag).strip('"')


def _version(version: str | None) -> str | None:
    """A bucket whose versioning is suspended answers `null`."""
    return None if version in {None, "", "null"} else version


def fetch_version(
    bucket: str, key: str, version_id: str | None, etag: str | None, scratch: Path, marker: bool = False
) -> Path:
    """Download exactly one version of an object; for a marker the data objects of its folder.

    Args:
        bucket: Bucket.
        key: Key of the object or marker.
        version_id: Version, where the bucket has versions.
        etag: Entity tag that an object without version must still have.
        scratch: Folder to download into.
        marker: Whether the object only says that its folder is complete.

    Raises:
        InputError: The version is gone, or the object was overwritten in a bucket without versions.
    """
    from minio.error import S3Error

    client = s3_client()
    if marker:
        return _folder(client, bucket, key, scratch)
    target = scratch / (PurePosixPath(key).name[-100:] or "dataset")
    try:
        found = client.fget_object(bucket, key, str(target), version_id=version_id)
    except S3Error as error:
        if error.code in {"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"}:
            raise InputError(
                "this version of the object is gone", place="the source", remedy="Upload the data set again"
            ) from error
        raise
    if version_id is None and etag and found.etag.strip('"') != etag:
        raise InputError(
            "the object was overwritten before the run",
            place="the source",
            remedy="Nothing is to be done for the newer one; switch on versioning to keep older ones",
        )
    return target


def _folder(client: object, bucket: str, key: str, scratch: Path) -> Path:
    """The objects beside a marker; names that begin with a dot or an underscore are no data."""
    prefix, target = folder_of(key), scratch / "dataset"
    target.mkdir()
    count = 0
    for item in client.list_objects(bucket, prefix=prefix, recursive=True):  # type: ignore[attr-defined]
        name = PurePosixPath(item.object_name.removeprefix(prefix))
        if (
            any(part.startswith((".", "_")) for part in name.parts)
            or name.name == "kubepipe.yaml"
            or ".." in name.parts
        ):
            continue
        client.fget_object(bucket, item.object_name, str(target / name))  # type: ignore[attr-defined]
        count += 1
    if count == 0:
        raise InputError("the folder of the marker holds no data", place="the source", remedy="Upload the data first")
    return target
