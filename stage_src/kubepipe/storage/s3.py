"""An S3 bucket (MinIO or any other) as object store."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubepipe.errors import IntegrityError, OutputError, SettingsError

_MISSING = {"NoSuchKey", "NoSuchBucket", "NoSuchVersion"}
_EXISTS = {"PreconditionFailed", "ConditionalRequestConflict"}


class S3Store:
    """Objects below a prefix of a bucket.

    Args:
        bucket: Name of the bucket.
        prefix: Prefix of all keys, without slashes at its ends; may be empty.
        client: A `minio.Minio` client.
    """

    def __init__(self, bucket: str, prefix: str, client: Any) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.client = client

    @property
    def url(self) -> str:
        """`s3://bucket/prefix`."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def read(self, key: str) -> bytes | None:
        """Content of an object, or None when there is none."""
        from minio.error import S3Error

        try:
            response = self.client.get_object(self.bucket, self._name(key))
        except S3Error as error:
            if error.code in _MISSING:
                return None
            raise self._explain(error) from error
        try:
            return bytes(response.read())
        finally:
            response.close()
            response.release_conn()

    def write(self, key: str, data: bytes) -> None:
        """Write an object."""
        from minio.error import S3Error

        try:
            self.client.put_object(self.bucket, self._name(key), io.BytesIO(data), len(data))
        except S3Error as error:
            raise self._explain(error) from error

    def create(self, key: str, data: bytes) -> bool:
        """Write an object unless there is one (If-None-Match: *); the store decides which of two comes first."""
        from minio.error import S3Error

        # The client's put_object takes no conditions, so the request is made by its general call.
        headers = {"If-None-Match": "*", "Content-Type": "application/octet-stream"}
        try:
            self.client._execute("PUT", self.bucket, self._name(key), body=data, headers=headers)  # noqa: SLF001
        except S3Error as error:
            if error.code in _EXISTS:
                return False
            raise self._explain(error) from error
        return True

    def delete(self, key: str) -> None:
        """Delete an object; none there is no error."""
        with self._explained():
            self.client.remove_object(self.bucket, self._name(key))

    def erase(self, key: str) -> None:
        """Delete an object with all its versions and delete markers."""
        name = self._name(key)
        with self._explained():
            for item in self.client.list_objects(self.bucket, prefix=name, recursive=True, include_version=True):
                if item.object_name == name:
                    self.client.remove_object(self.bucket, name, version_id=item.version_id)
        if self.read(key) is not None:
            raise OutputError(
                "the store keeps an object that was erased", place=key, remedy="Look at its retention rules"
            )

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys that begin with the prefix, in the store's order (sorted)."""
        start = len(self.prefix) + 1 if self.prefix else 0
        with self._explained():
            for item in self.client.list_objects(self.bucket, prefix=self._name(prefix), recursive=True):
                yield item.object_name[start:]

    def download(self, key: str, target: Path) -> bool:
        """Copy an object, or all objects below `key/`, to a local path."""
        names = [name for name in self.keys(key) if name == key or name.startswith(f"{key}/")]
        for name in names:
            if ".." in name.split("/"):
                # Whoever may write to the bucket may not write beside the target.
                raise IntegrityError("the name of an object leads out of its folder", place=self.url)
            local = target if name == key else target / name.removeprefix(f"{key}/")
            local.parent.mkdir(parents=True, exist_ok=True)
            with self._explained():
                self.client.fget_object(self.bucket, self._name(name), str(local))
        return bool(names)

    def upload(self, source: Path, key: str) -> None:
        """Copy a file, or a folder's files below `key/`, into the bucket."""
        from minio.error import S3Error

        files = [source] if source.is_file() else sorted(file for file in source.rglob("*") if file.is_file())
        try:
            for file in files:
                name = key if file == source else f"{key}/{file.relative_to(source).as_posix()}"
                self.client.fput_object(self.bucket, self._name(name), str(file))
        except S3Error as error:
            raise self._explain(error) from error

    def _name(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """A refusal, or no answer at all, as one line."""
        from minio.error import S3Error
        from urllib3.exceptions import HTTPError

        try:
            yield
        except S3Error as error:
            raise self._explain(error) from error
        except HTTPError as error:
            raise OutputError(
                f"the store does not answer ({type(error).__name__})", place=self.url, remedy="Check its address"
            ) from error

    def _explain(self, error: Any) -> OutputError:
        return OutputError(
            f"the store answers {error.code}", place=self.url, remedy="Check the bucket's name and the credentials"
        )


def s3_client() -> Any:
    """A MinIO client from KUBEPIPE_S3_ENDPOINT, _ACCESS_KEY, _SECRET_KEY, _SECURE and _REGION.

    Without keys the identity of the workload is used (IAM roles for service accounts and their like).

    Raises:
        SettingsError: The endpoint is missing, or only one of the two keys is there.
    """
    endpoint = os.environ.get("KUBEPIPE_S3_ENDPOINT")
    keys = [os.environ.get(f"KUBEPIPE_S3_{name}") for name in ("ACCESS_KEY", "SECRET_KEY")]
    if not endpoint or any(keys) != all(keys):
        raise SettingsError(
            "the environment lacks KUBEPIPE_S3_ENDPOINT, KUBEPIPE_S3_ACCESS_KEY or KUBEPIPE_S3_SECRET_KEY",
            remedy="Set them to the store's host:port and credentials",
        )
    return connect_s3(
        endpoint,
        *keys,
        secure=os.environ.get("KUBEPIPE_S3_SECURE", "true").lower() == "true",
        region=os.environ.get("KUBEPIPE_S3_REGION", "us-east-1"),
    )


def connect_s3(
    endpoint: str, access: str | None, secret: str | None, *, secure: bool, region: str, hasty: bool = False
) -> Any:
    """A MinIO client of a store; without keys it uses the identity of the workload.

    A hasty one gives up after ten seconds, where others try for minutes.
    """
    import certifi
    import urllib3
    from minio import Minio
    from minio.credentials import IamAwsProvider

    authorities = os.environ.get("SSL_CERT_FILE") or certifi.where()
    return Minio(
        endpoint,
        http_client=urllib3.PoolManager(timeout=10, retries=False, ca_certs=authorities) if hasty else None,
        access_key=access,
        secret_key=secret,
        credentials=None if access and secret else IamAwsProvider(),
        secure=secure,
        region=region,
    )
