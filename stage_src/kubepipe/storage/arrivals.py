"""Data sets that lie in a bucket: bringing one version of an object, or a folder of objects, to a local path."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from kubepipe.errors import InputError
from kubepipe.storage.open import open_store
from kubepipe.storage.s3 import s3_client


def fetch_newest(bucket: str, key: str, scratch: Path) -> Path:
    """Download the newest version of an object, or of all objects under `key/`.

    Raises:
        InputError: There is no such object.
    """
    target = scratch / (PurePosixPath(key).name or "dataset")
    if not key or not open_store(f"s3://{bucket}").download(key, target):
        raise InputError("there is no such object", place="the source", remedy="Give s3://bucket/key of a data set")
    return target


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
    prefix, target = key[: key.rindex("/") + 1] if "/" in key else "", scratch / "dataset"
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
