"""Zip archives are unpacked in memory, and only when nothing speaks against them."""

from __future__ import annotations

import gzip
import json
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import InputError
from kubepipe.passages import Source
from kubepipe.passages import unpack as unpacking

Row = dict[str, Any]
Read = Callable[..., Source]
Write = Callable[[zipfile.ZipFile, bytes], None]


def member(name: str) -> Write:
    """Writes a member under a name."""
    return lambda archive, data: archive.writestr(name, data)


def link(archive: zipfile.ZipFile, data: bytes) -> None:
    """A symbolic link beside the data."""
    archive.writestr("rows.jsonl", data)
    info = zipfile.ZipInfo("train.jsonl")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def encrypted(archive: zipfile.ZipFile, data: bytes) -> None:
    """A member that claims to be encrypted."""
    archive.writestr("rows.jsonl", data)
    archive.filelist[0].flag_bits |= 1


def twice(archive: zipfile.ZipFile, data: bytes) -> None:
    """One name, two members."""
    archive.writestr("rows.jsonl", data)
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("rows.jsonl", data)


def nested(archive: zipfile.ZipFile, data: bytes) -> None:
    """A packed file within the archive."""
    archive.writestr("rows.jsonl.gz", gzip.compress(data))


def disguised(archive: zipfile.ZipFile, _data: bytes) -> None:
    """An archive under the name of a data file."""
    archive.writestr("rows.json", b"PK\x03\x04 and so on")


def many(archive: zipfile.ZipFile, _data: bytes) -> None:
    """More members than any data set has."""
    for number in range(unpacking.MAX_MEMBERS + 1):
        archive.writestr(f"{number}.json", b"")


HOSTILE: list[tuple[Write, str]] = [
    (member("../rows.jsonl"), "file 1 of the archive has a path that leads out of it"),
    (member("a/../../rows.jsonl"), "leads out of it"),
    (member("/etc/rows.jsonl"), "leads out of it"),
    (member("C:\\rows.jsonl"), "leads out of it"),
    (member("a\\..\\rows.jsonl"), "leads out of it"),
    (member("\x1b[2Jrows.jsonl"), "name with control characters"),
    (link, "file 2 of the archive is a link or a device"),
    (encrypted, "is encrypted"),
    (twice, "holds the same file name twice"),
    (nested, "is an archive within an archive"),
    (disguised, "is an archive within an archive"),
    (many, "holds more than 10000 files"),
    (member("rows.zip"), "holds no data files"),
    (member("[Content_Types].xml"), "is an Office file"),
    (lambda _archive, _data: None, "holds no data files"),
]


@pytest.mark.parametrize(("write", "message"), HOSTILE)
def test_hostile_archives_are_refused(write: Write, message: str, rows: list[Row], tmp_path: Path, read: Read) -> None:
    """Paths that leave the archive, links, encryption, nesting and their like are refused in one line."""
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        write(archive, "".join(json.dumps(row) + "\n" for row in rows).encode())
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert "\x1b" not in caught.value.one_line()
    assert [file.name for file in tmp_path.iterdir()] == ["data.zip"]


def test_a_bomb_is_stopped_by_its_ratio(tmp_path: Path, read: Read) -> None:
    """An archive that unpacks to far more than data does is stopped long before its end."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("rows.json", "w") as file:
        file.write(b"[")
        for _ in range(64):
            file.write(b" " * 1024 * 1024)
    with pytest.raises(InputError, match="unpacks to more than 250 times its size"):
        read(path)
    packed = tmp_path / "bomb.gz"
    with gzip.open(packed, "wb") as file:
        file.write(b"[")
        for _ in range(64):
            file.write(b" " * 1024 * 1024)
    with pytest.raises(InputError, match="unpacks to more than 250 times its size"):
        read(packed)


def test_the_limit_counts_real_bytes(tmp_path: Path, read: Read) -> None:
    """The limit of the settings holds against what comes out, not only against what the archive claims."""
    path = tmp_path / "data.zip"
    data = json.dumps([{"context": "x" * 3000}])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", data)
    with pytest.raises(InputError, match="unpacks to more than 1000 bytes"):
        read(path, max_bytes=1000)
    lying = path.read_bytes().replace(len(data).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != path.read_bytes()
    path.write_bytes(lying)
    with pytest.raises(InputError):
        read(path, max_bytes=1000)


def test_damage_is_reported(rows: list[Row], tmp_path: Path, read: Read) -> None:
    """A damaged archive, or a damaged file in it, is one clear line."""
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.json", json.dumps(rows * 50))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="is a damaged zip archive"):
        read(path)
    path.write_bytes(whole[:60] + bytes(20) + whole[80:])
    with pytest.raises(InputError, match=r"rows\.json: cannot be unpacked"):
        read(path)


def test_nothing_is_unpacked_to_the_disk(
    rows: list[Row], tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raw data never lies unpacked in a temporary folder."""
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.json", json.dumps(rows))
    empty = tmp_path / "temporary"
    empty.mkdir(mode=0o500)
    monkeypatch.setattr(tempfile, "tempdir", str(empty))
    assert read(path).counts["rows_read"] == len(rows)
    assert not list(empty.iterdir())
