"""Sealed folders: nothing can be read without the key, and no change goes unnoticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kubepipe.errors import IntegrityError
from kubepipe.sealing import is_sealed, new_data_key, open_folder, opened, seal_folder
from kubepipe.sealing.frames import FRAME_BYTES, MAGIC, SALT_BYTES, TAG_BYTES

HEAD = len(MAGIC) + SALT_BYTES
FRAME = FRAME_BYTES + TAG_BYTES
SIZES = {"empty": 0, "one": 1, "frame": FRAME_BYTES, "more": 2 * FRAME_BYTES + 5}


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A folder with files around the size of a frame, one of them in a folder, and a manifest."""
    folder = tmp_path / "plain"
    (folder / "deep").mkdir(parents=True)
    for name, size in SIZES.items():
        (folder / "deep" / name).write_bytes(
            bytes(i % 251 for i in range(min(size, 251))) * (size // 251) + b"z" * (size % 251)
        )
    (folder / "train.parquet").write_bytes(b"Ada Lovelace")
    (folder / "manifest.json").write_text("{}")
    return folder


@pytest.fixture
def key() -> bytes:
    """A data key."""
    return new_data_key()


@pytest.fixture
def sealed(plain: Path, tmp_path: Path, key: bytes) -> Path:
    """The folder, sealed."""
    seal_folder(plain, tmp_path / "sealed", key)
    return tmp_path / "sealed"


def content(folder: Path) -> dict[str, bytes]:
    """Files of a folder."""
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_what_was_sealed_comes_back(plain: Path, sealed: Path, key: bytes, tmp_path: Path) -> None:
    """Names and bytes, empty files and whole frames included."""
    open_folder(sealed, tmp_path / "again", key)
    assert content(tmp_path / "again") == content(plain)


def test_nothing_but_the_manifest_can_be_read(sealed: Path) -> None:
    """No plain byte string of a file stands in the sealed folder, and only the manifest keeps its name."""
    files = content(sealed)
    assert [name for name in files if not name.endswith(".sealed")] == ["manifest.json"]
    assert all(b"Lovelace" not in data for data in files.values())


def test_the_same_folder_is_sealed_differently_each_time(plain: Path, sealed: Path, key: bytes, tmp_path: Path) -> None:
    """Equal plain files do not show as equal sealed ones."""
    seal_folder(plain, tmp_path / "second", key)
    name = "train.parquet.sealed"
    assert (sealed / name).read_bytes() != (tmp_path / "second" / name).read_bytes()


def test_the_opened_folder_is_gone_afterwards(sealed: Path, key: bytes) -> None:
    """Also when the work inside fails."""
    seen = []

    def work() -> None:
        with opened(sealed, key) as folder:
            seen.append((folder, (folder / "train.parquet").read_bytes()))
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        work()
    assert seen[0][1] == b"Ada Lovelace"
    assert not seen[0][0].exists()


def test_an_unsealed_folder_is_opened_as_it_is(plain: Path, key: bytes) -> None:
    """Without a seal the folder itself is given."""
    assert not is_sealed(plain)
    with opened(plain, key) as folder:
        assert folder == plain
    assert plain.exists()


def flip(offset: int) -> Callable[[bytes], bytes]:
    """Changes one bit at an offset."""
    return lambda data: data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


MUTATIONS: dict[str, Callable[[bytes], bytes]] = {
    "a bit of the magic": flip(0),
    "a bit of the salt": flip(len(MAGIC)),
    "a bit of the first frame": flip(HEAD),
    "a bit of the last tag": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "the last byte missing": lambda data: data[:-1],
    "the last frame missing": lambda data: data[: HEAD + 2 * FRAME],
    "two frames missing": lambda data: data[: HEAD + FRAME],
    "all frames missing": lambda data: data[:HEAD],
    "half the salt": lambda data: data[: len(MAGIC) + 3],
    "nothing": lambda _: b"",
    "frames swapped": lambda data: (
        data[:HEAD] + data[HEAD + FRAME : HEAD + 2 * FRAME] + data[HEAD : HEAD + FRAME] + data[HEAD + 2 * FRAME :]
    ),
    "a frame twice": lambda data: data[: HEAD + FRAME] + data[HEAD : HEAD + FRAME] + data[HEAD + FRAME :],
    "something appended": lambda data: data + b"x",
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_change_of_a_sealed_file_is_noticed(sealed: Path, key: bytes, tmp_path: Path, name: str) -> None:
    """Bit flips, truncation, reordering, repetition: the error names the file."""
    file = sealed / "deep" / "more.sealed"
    file.write_bytes(MUTATIONS[name](file.read_bytes()))
    with pytest.raises(IntegrityError, match="deep/more"):
        open_folder(sealed, tmp_path / "again", key)


def test_swapped_files_are_noticed(sealed: Path, key: bytes, tmp_path: Path) -> None:
    """A file's content belongs to its name."""
    one, two = sealed / "deep" / "one.sealed", sealed / "deep" / "frame.sealed"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    with pytest.raises(IntegrityError, match="deep/"):
        open_folder(sealed, tmp_path / "again", key)


def test_a_removed_file_is_noticed(sealed: Path, key: bytes, tmp_path: Path) -> None:
    """The error names it."""
    (sealed / "train.parquet.sealed").unlink()
    with pytest.raises(IntegrityError, match=r"train\.parquet"):
        open_folder(sealed, tmp_path / "again", key)


@pytest.mark.parametrize("name", ["extra.sealed", "extra.parquet"])
def test_an_added_file_is_noticed(sealed: Path, key: bytes, tmp_path: Path, name: str) -> None:
    """Sealed or plain, what was not sealed with the folder is refused."""
    (sealed / name).write_bytes(b"x")
    with pytest.raises(IntegrityError, match="extra"):
        open_folder(sealed, tmp_path / "again", key)


def test_another_key_opens_nothing(sealed: Path, tmp_path: Path) -> None:
    """The error is an integrity error, not a decoding one."""
    with pytest.raises(IntegrityError):
        open_folder(sealed, tmp_path / "again", new_data_key())
