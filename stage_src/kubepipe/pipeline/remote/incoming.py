"""Putting a data set into a release's bucket for incoming data."""

from __future__ import annotations

import io
import os
from pathlib import Path

from kubepipe.errors import InputError, KubePipeError
from kubepipe.pipeline.remote.release import Release
from kubepipe.storage.s3 import s3_client
from kubepipe_events.identity import Source


def put(release: Release, file: Path, key: str, marker: str) -> Source:
    """Upload a file, or a folder's files and then its marker; the version of the object that starts the run.

    Raises:
        InputError: The folder is empty.
        KubePipeError: The store refuses the credentials.
    """
    from minio.error import S3Error

    bucket = release.incoming
    with release.store(account="admin"):
        client = s3_client()
        try:
            if file.is_file():
                made = client.fput_object(bucket, key, str(file))
                return Source.make(bucket, key, made.version_id, made.etag, file.stat().st_size)
            files = sorted(each for each in file.rglob("*") if each.is_file())
            if not files:
                raise InputError("the folder is empty", place=str(file), remedy="Give a folder with a data set")
            for each in files:
                client.fput_object(bucket, f"{key}/{each.relative_to(file).as_posix()}", str(each))
            # The marker comes last: it says that the folder is complete.
            made = client.put_object(bucket, f"{key}/{marker}", io.BytesIO(b""), 0)
            return Source.make(bucket, f"{key}/{marker}", made.version_id, made.etag, 0)
        except S3Error as error:
            raise KubePipeError(
                f"the object store answers {error.code}",
                place=f"bucket {bucket}",
                remedy=f"Look at the release's secrets; the store is {os.environ['KUBEPIPE_S3_ENDPOINT']}",
            ) from error
