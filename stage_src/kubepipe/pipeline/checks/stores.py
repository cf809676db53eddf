"""The object store, with each of the credentials that the release holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from urllib3.exceptions import HTTPError

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.checks.model import Check
from kubepipe.pipeline.remote import Release
from kubepipe.storage.s3 import connect_s3

_REFUSED: Final = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidTokenId", "ExpiredToken"})


def stores(release: Release) -> Iterator[Check]:
    """Whether the store answers each of the release's users, and whether the buckets are as the values want them."""
    s3 = release.setup["s3"]
    accounts = release.setup.get("accounts", [])
    if not accounts:
        yield Check(
            "object store", None, f"{s3['endpoint']}: steps use their workload's identity, which only they have"
        )
        return
    buckets = {each["name"]: each for each in release.setup["buckets"]}
    with release.store_address() as address:
        for account in accounts:
            own = {name: buckets[name] for name in account["buckets"] if name in buckets}
            yield from _account(release, account, own, address)


def _account(release: Release, account: Mapping[str, Any], buckets: Mapping[str, Any], address: str) -> Iterator[Check]:
    name, secret, s3 = f"object store as {account['name']}", account["secret"], release.setup["s3"]
    try:
        access, hidden = (release.secret(secret, account[key]) for key in ("accessKeyKey", "secretKeyKey"))
    except KubePipeError as error:
        yield Check(name, False, error.message, error.remedy or "")
        return
    client = connect_s3(address, access, hidden, secure=s3["secure"], region=s3["region"], hasty=True)
    checks = []
    try:
        for bucket, wanted in buckets.items():
            checks.append(_bucket(client, bucket, wanted, account["name"]))
    except _CredentialsError as error:
        remedy = f"Mend {account['accessKeyKey']} and {account['secretKeyKey']} in secret {secret}"
        yield Check(name, False, f"{s3['endpoint']} refuses the credentials of secret {secret} ({error})", remedy)
        return
    except HTTPError:
        remedy = "Check that the store runs, global.objectStore.endpoint and .secure"
        yield Check(name, False, f"{s3['endpoint']} does not answer", remedy)
        return
    yield Check(name, True, f"{s3['endpoint']} takes the credentials of secret {secret}")
    yield from checks


class _CredentialsError(Exception):
    """The store does not know the credentials."""


def _bucket(client: Any, bucket: str, wanted: Mapping[str, Any], user: str) -> Check:
    from minio.error import S3Error

    name = f"bucket {bucket} as {user}"
    try:
        versioning = client.get_bucket_versioning(bucket).status == "Enabled"
    except S3Error as error:
        if error.code in _REFUSED:
            raise _CredentialsError(error.code) from error
        if error.code == "NoSuchBucket":
            return Check(name, False, "does not exist", "helm upgrade runs the setup hook, which makes it")
        if error.code == "AccessDenied":
            remedy = (
                "Grant s3:ListBucket and s3:GetBucketVersioning; in the bundled store helm upgrade sets the policies"
            )
            return Check(name, False, "the user may not look at it (AccessDenied)", remedy)
        return Check(name, False, f"the store answers {error.code}")
    if wanted["versioning"] and not versioning:
        remedy = "helm upgrade runs the setup hook, which sets it; without it an overwritten data set is lost"
        return Check(name, False, "keeps no versions, but the values want it", remedy)
    return Check(name, True, "keeps versions" if versioning else "there")
