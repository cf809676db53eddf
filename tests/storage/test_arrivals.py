from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from minio.error import S3Error

from kubepipe.errors import InputError
from kubepipe.storage import arrivals
from kubepipe.storage.arrivals import ObjectVersion, fetch_newest


def _error(code: str) -> S3Error:
    return S3Error(None, code, "", "", "", "")  # type: ignore[arg-type]


@dataclass
class Bucket:
    """A client of a bucket with versions; `between` is called after an object was looked at, before it is read."""

    objects: dict[str, list[bytes]]
    versioned: bool = True
    between: Any = None
    read: list[str | None] = field(default_factory=list)

    def stat_object(self, _bucket: str, key: str, version_id: str | None = None) -> Any:
        """Newest version, or the named one."""
        if key not in self.objects:
            raise _error("NoSuchKey")
        number = int(version_id) if version_id else len(self.objects[key]) - 1
        data = self.objects[key][number]
        version = str(number) if self.versioned else None
        return SimpleNamespace(version_id=version, etag=f'"{len(data)}-{number}"', size=len(data))

    def fget_object(
        self, bucket: str, key: str, path: str, version_id: str | None = None, request_headers: Any = None
    ) -> Any:
        """Write a version to a file."""
        if self.between:
            self.between()
        found = self.stat_object(bucket, key, version_id)
        if request_headers and request_headers["If-Match"] != found.etag:
            raise _error("PreconditionFailed")
        self.read.append(version_id)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(self.objects[key][int(version_id) if version_id else -1])
        return found

    def list_objects(self, _bucket: str, prefix: str, recursive: bool) -> list[Any]:
        """Keys below a prefix."""
        assert recursive
        return [SimpleNamespace(object_name=key) for key in sorted(self.objects) if key.startswith(prefix)]


def _use(monkeypatch: pytest.MonkeyPatch, bucket: Bucket) -> Bucket:
    monkeypatch.setattr(arrivals, "s3_client", lambda: bucket)
    return bucket


def test_the_version_that_was_read_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Version, tag and size of the newest object, and nothing of its key."""
    _use(monkeypatch, Bucket({"anna/data.jsonl": [b"old", b"newer"]}))
    path, version = fetch_newest("incoming", "anna/data.jsonl", tmp_path)
    assert path.read_bytes() == b"newer"
    assert version == ObjectVersion("1", "5-1", 5)


def test_an_object_that_changes_meanwhile_is_read_as_it_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the record says is what was read."""
    bucket = Bucket({"data": [b"first"]})
    bucket.between = lambda: bucket.objects["data"].append(b"second one")
    _use(monkeypatch, bucket)
    path, version = fetch_newest("incoming", "data", tmp_path)
    assert (path.read_bytes(), version.version_id, bucket.read) == (b"first", "0", ["0"])


def test_without_versions_a_change_meanwhile_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bucket without versions cannot give the older one."""
    bucket = Bucket({"data": [b"first"]}, versioned=False)
    bucket.between = lambda: bucket.objects["data"].append(b"second one")
    _use(monkeypatch, bucket)
    with pytest.raises(InputError, match="overwritten"):
        fetch_newest("incoming", "data", tmp_path)


def test_a_folder_is_told_by_its_objects(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Number, size in all, and one tag that changes with any of them."""
    bucket = _use(monkeypatch, Bucket({"set/a": [b"1"], "set/b/c": [b"22"], "setting": [b"no"]}))
    path, version = fetch_newest("incoming", "set", tmp_path / "one")
    assert sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()) == ["a", "b/c"]
    assert (version.version_id, version.size, version.objects) == (None, 3, 2)
    bucket.objects["set/a"].append(b"3")
    assert fetch_newest("incoming", "set", tmp_path / "two")[1].etag != version.etag


@pytest.mark.parametrize("key", ["", "missing"])
def test_what_is_not_there_is_bad_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str) -> None:
    """The line says what to give, and holds no key."""
    _use(monkeypatch, Bucket({"data": [b"1"]}))
    with pytest.raises(InputError, match="no such object"):
        fetch_newest("incoming", key, tmp_path)
