"""What remains of a source, and what shredding deletes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from minio.error import S3Error

from kubepipe.errors import AccessError, OutputError
from kubepipe.pipeline.shredding import look_at_source, source_of
from kubepipe.records.claim import Claim, create_claim
from kubepipe.storage.folder import FolderStore
from kubepipe.storage.versions import Source


@dataclass
class Bucket:
    """A bucket with versions, as the client of MinIO shows it."""

    items: list[Any] = field(default_factory=list)
    refuses: str = ""
    keeps: bool = False

    def add(self, key: str, version: str, etag: str, *, marker: bool = False) -> None:
        """One more version."""
        self.items.append(
            SimpleNamespace(object_name=key, version_id=version, etag=f'"{etag}"', is_delete_marker=marker)
        )

    def list_objects(self, _: str, *, prefix: str, recursive: bool, include_version: bool) -> list[Any]:
        """All versions below a prefix."""
        assert recursive
        assert include_version
        self._answer("list")
        return [each for each in self.items if each.object_name.startswith(prefix)]

    def remove_object(self, _: str, key: str, *, version_id: str) -> None:
        """One version, for good."""
        self._answer("remove")
        if not self.keeps:
            self.items = [each for each in self.items if (each.object_name, each.version_id) != (key, version_id)]

    def _answer(self, what: str) -> None:
        if self.refuses == what:
            told = dict.fromkeys(("message", "resource", "request_id", "host_id"), "")
            raise S3Error(response=SimpleNamespace(), code="AccessDenied", **told)  # type: ignore[arg-type]


@pytest.fixture
def bucket() -> Bucket:
    """An object with the version that was read, the same bytes again, other bytes, a marker; and a neighbour."""
    made = Bucket()
    for version, etag, marker in (("v1", "a", False), ("v2", "b", False), ("v3", "a", False), ("v4", "", True)):
        made.add("one.json", version, etag, marker=marker)
    made.add("one.json.bak", "w1", "a")
    return made


SOURCE = Source("incoming", "one.json", "v1", "a")


def test_what_remains_is_counted_and_nothing_deleted(bucket: Bucket) -> None:
    """Versions with the same bytes, others, markers; the neighbour with a longer name is no part."""
    left = look_at_source(bucket, SOURCE, delete=False, every=False)
    assert (left.deleted, left.same_bytes_left, left.other_versions_left, left.delete_markers_left) == (0, 2, 1, 1)
    assert len(bucket.items) == 5


def test_the_bytes_that_were_read_go_and_later_uploads_stay(bucket: Bucket) -> None:
    """Both versions with them, and no other; all with --all-versions, but never the neighbour."""
    left = look_at_source(bucket, SOURCE, delete=True, every=False)
    assert (left.deleted, left.same_bytes_left, left.other_versions_left) == (2, 0, 1)
    assert [each.version_id for each in bucket.items] == ["v2", "v4", "w1"]
    assert look_at_source(bucket, SOURCE, delete=False, every=True).deleted == 2
    assert [each.version_id for each in bucket.items] == ["w1"]


def test_of_a_source_that_was_not_read_to_its_end_no_bytes_are_known(bucket: Bucket) -> None:
    """Nothing is said of the same bytes; without an object of the name it is the folder of that name."""
    left = look_at_source(bucket, Source("incoming", "one.json"), delete=False, every=False)
    assert (left.same_bytes_left, left.other_versions_left, left.delete_markers_left) == (None, 3, 1)
    bucket.add("set/a.json", "x1", "c")
    left = look_at_source(bucket, Source("incoming", "set"), delete=False, every=False)
    assert (left.same_bytes_left, left.other_versions_left) == (None, 1)
    assert "same bytes" not in left.text()


@pytest.mark.parametrize(("what", "right"), [("list", "ListBucketVersions"), ("remove", "DeleteObjectVersion")])
def test_a_missing_right_is_named(bucket: Bucket, what: str, right: str) -> None:
    """Exit code 2, and nothing is deleted; no key of an object is told."""
    bucket.refuses = what
    with pytest.raises(AccessError, match=right) as caught:
        look_at_source(bucket, SOURCE, delete=True, every=False)
    assert caught.value.exit_code == 2
    assert "one.json" not in caught.value.one_line()
    assert len(bucket.items) == 5


def test_a_store_that_keeps_what_it_deleted_is_noticed(bucket: Bucket) -> None:
    """It is looked at again."""
    bucket.keeps = True
    with pytest.raises(OutputError, match="keeps 2 versions"):
        look_at_source(bucket, SOURCE, delete=True, every=False)


def test_the_source_of_a_run_is_found_by_its_claim_or_its_record(tmp_path: Any) -> None:
    """An object, the folder behind a marker, a folder that was read; None when the claim is gone."""
    store = FolderStore(tmp_path)
    create_claim(store, Claim("ds-1", "incoming", "a/b.json", version_id="v", etag="e"))
    create_claim(store, Claim("ds-2", "incoming", "a/b/_SUCCESS", etag="e", marker=True))
    assert source_of(store, "claim:ds-1/2", None) == Source("incoming", "a/b.json", "v", "e")
    assert source_of(store, "claim:ds-2/1", None) == Source("incoming", "a/b/")
    assert source_of(store, "claim:ds-3/1", None) is None
    told = {"version_id": "v", "etag": "e", "size": 1, "objects": 1}
    assert source_of(store, "s3://raw/k.json", told) == Source("raw", "k.json", "v", "e")
    folder = {"version_id": None, "etag": "sha256:1", "size": 1, "objects": 3}
    assert source_of(store, "s3://raw/k", folder) == Source("raw", "k/")
