"""The store answers, the credentials of steps are right, and the buckets that they use are there."""

# ruff: noqa: INP001 - a script of its own

import json
import os
import sys
from pathlib import Path

from minio import Minio

setup = json.loads(Path("/etc/kubepipe/setup.json").read_text(encoding="utf-8"))
client = Minio(
    os.environ["KUBEPIPE_S3_ENDPOINT"],
    access_key=os.environ.get("KUBEPIPE_S3_ACCESS_KEY"),
    secret_key=os.environ.get("KUBEPIPE_S3_SECRET_KEY"),
    secure=setup["s3"]["secure"],
    region=setup["s3"]["region"],
)
missing = [bucket["name"] for bucket in setup["buckets"] if not client.bucket_exists(bucket["name"])]
if missing:
    sys.exit(
        f"{setup['s3']['endpoint']} lacks {', '.join(missing)}: "
        "look at the log of the setup job, then run `helm upgrade` again"
    )
