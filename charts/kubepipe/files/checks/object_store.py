"""The store answers, the credentials of steps are right, and the buckets that they use are there."""

# ruff: noqa: INP001 - a script of its own

import json
import os
from pathlib import Path

from minio import Minio
from minio.credentials import IamAwsProvider
from patience import patiently

setup = json.loads(Path("/etc/kubepipe/setup.json").read_text(encoding="utf-8"))
key = os.environ.get("KUBEPIPE_S3_ACCESS_KEY")
client = Minio(
    setup["s3"]["endpoint"],
    access_key=key,
    secret_key=os.environ.get("KUBEPIPE_S3_SECRET_KEY"),
    credentials=None if key else IamAwsProvider(),
    secure=setup["s3"]["secure"],
    region=setup["s3"]["region"],
)


def problem() -> str | None:
    """What is wrong, or None."""
    missing = [bucket["name"] for bucket in setup["buckets"] if not client.bucket_exists(bucket["name"])]
    if not missing:
        return None
    return (
        f"{setup['s3']['endpoint']} lacks {', '.join(missing)}: "
        "look at the log of the setup job, then run `helm upgrade` again"
    )


patiently(problem)
