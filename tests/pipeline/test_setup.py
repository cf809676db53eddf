from __future__ import annotations

from typing import Any

import pytest

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.cluster.stores import wait_for_store


@pytest.fixture
def credentials(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The environment of the setup hook, for a store of canned answers."""
    names = {"ENDPOINT": cluster.address, "ACCESS_KEY": "me", "SECRET_KEY": "hidden", "SECURE": "false"}
    for name, value in names.items():
        monkeypatch.setenv(f"KUBEPIPE_S3_{name}", value)
    return cluster


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "SignatureDoesNotMatch"])
def test_refused_credentials_end_the_hook_at_once(credentials: Any, code: str) -> None:
    """The line names the secret and the endpoint, and no credential."""
    credentials.on("/", f"<Error><Code>{code}</Code></Error>".encode(), status=403)
    with pytest.raises(KubePipeError, match=code) as caught:
        wait_for_store({"endpoint": "s3.example.com"}, 600, "kubepipe-object-store")
    line = caught.value.one_line()
    assert "s3.example.com: the object store refuses the credentials of secret kubepipe-object-store" in line
    assert "hidden" not in line


def test_a_store_that_answers_is_handed_out(credentials: Any) -> None:
    """Nothing more is asked of it."""
    credentials.on("/", b"<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>")
    assert wait_for_store({"endpoint": "x"}, 1).list_buckets() == []
