"""Buckets and users of the object store."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import urllib3

from kubepipe.errors import KubePipeError
from kubepipe.storage.s3 import s3_client

_READ: Final = ["s3:GetObject", "s3:GetObjectVersion"]
_WRITE: Final = [*_READ, "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
_ACTIONS: Final = {
    "read": _READ,
    "read-write": _WRITE,
    "erase": [*_WRITE, "s3:DeleteObjectVersion"],
}
_KEYS: Final = "keys/"
"""Below it lie data keys: one that is gone must not live on as an older version."""
_LIST: Final = ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketVersions", "s3:GetBucketVersioning"]


def wait_for_store(config: Mapping[str, Any], seconds: float, secret: str | None = None) -> Any:
    """A client of the store, once the store answers.

    Args:
        config: The store: `endpoint`.
        seconds: How long to wait.
        secret: Secret that holds the credentials of the environment, to be named when they are refused.

    Raises:
        KubePipeError: It does not answer in time, or refuses the credentials.
    """
    from minio.error import S3Error

    client, deadline = s3_client(), time.monotonic() + seconds
    while True:
        try:
            client.list_buckets()
        except (urllib3.exceptions.HTTPError, S3Error) as error:
            code = error.code if isinstance(error, S3Error) else None
            refused = code not in {None, "ServerNotInitialized"}
            if refused or time.monotonic() > deadline:
                held = f" of secret {secret}" if secret else ""
                why = f"refuses the credentials{held} ({code})" if refused else "does not answer"
                raise KubePipeError(
                    f"the object store {why}",
                    place=str(config["endpoint"]),
                    remedy="Check global.objectStore and its secret",
                ) from error
            time.sleep(1)
        else:
            return client


def make_buckets(client: Any, bucket: Mapping[str, Any], region: str) -> str:
    """Make a bucket with its versioning and its retention rules; what it did, in words."""
    from minio.commonconfig import ENABLED, Filter
    from minio.lifecycleconfig import Expiration, LifecycleConfig, NoncurrentVersionExpiration, Rule
    from minio.versioningconfig import VersioningConfig

    name, done = bucket["name"], "there"
    if not client.bucket_exists(name):
        client.make_bucket(name, region)
        done = "made"
    if bucket.get("versioning"):
        client.set_bucket_versioning(name, VersioningConfig(ENABLED))
    rules = [
        Rule(
            ENABLED,
            rule_id=f"kubepipe-{number}",
            rule_filter=Filter(prefix=prefix),
            expiration=Expiration(days=days),
            noncurrent_version_expiration=NoncurrentVersionExpiration(noncurrent_days=1 if prefix == _KEYS else days),
        )
        for number, (prefix, days) in enumerate(sorted(bucket.get("expireDays", {}).items()))
        if days > 0
    ]
    if rules:
        client.set_bucket_lifecycle(name, LifecycleConfig(rules))
    else:
        client.delete_bucket_lifecycle(name)
    return done


def make_users(config: Mapping[str, Any], user: Mapping[str, Any]) -> None:
    """Make a user of the bundled store with exactly the grants it needs."""
    from minio.credentials import StaticProvider
    from minio.minioadmin import MinioAdmin

    client = s3_client()
    credentials = client._provider.retrieve()  # noqa: SLF001 - the admin client takes no client
    admin = MinioAdmin(
        endpoint=config["endpoint"],
        credentials=StaticProvider(credentials.access_key, credentials.secret_key),
        region=config["region"],
        secure=config["secure"],
    )
    folder = Path(user["folder"])
    access = (folder / "accesskey").read_text(encoding="utf-8")
    admin.policy_add(user["policy"], policy=_policy(user["grants"]))
    admin.user_add(access, (folder / "secretkey").read_text(encoding="utf-8"))
    admin.policy_set(user["policy"], user=access)


def _policy(grants: Mapping[str, str]) -> dict[str, Any]:
    statements = []
    for bucket, grant in sorted(grants.items()):
        arn = f"arn:aws:s3:::{bucket}"
        statements.append({"Effect": "Allow", "Action": _LIST, "Resource": [arn]})
        statements.append({"Effect": "Allow", "Action": _ACTIONS[grant], "Resource": [f"{arn}/*"]})
    return {"Version": "2012-10-17", "Statement": statements}
