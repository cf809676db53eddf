from __future__ import annotations

from pathlib import Path

import pytest

from kubepipe.errors import OutputError
from kubepipe.storage import FolderStore, open_store
from kubepipe.storage.folder import copy_tree


def test_objects_are_written_read_listed_and_deleted(tmp_path: Path) -> None:
    """A folder behaves as an object store."""
    store = open_store(str(tmp_path))
    store.write("runs/a/x.json", b"1")
    store.write("runs/b/y.json", b"2")
    assert store.read("runs/a/x.json") == b"1"
    assert store.read("runs/a/none.json") is None
    assert list(store.keys("runs/")) == ["runs/a/x.json", "runs/b/y.json"]
    store.delete("runs/a/x.json")
    store.delete("runs/a/x.json")
    assert list(store.keys("runs/")) == ["runs/b/y.json"]


def test_folders_go_in_and_out_whole(tmp_path: Path) -> None:
    """A folder is uploaded and downloaded with all its files."""
    source = tmp_path / "model"
    (source / "adapter").mkdir(parents=True)
    (source / "adapter" / "weights").write_bytes(b"w")
    store = FolderStore(tmp_path / "store")
    store.upload(source, "models/1")
    assert store.download("models/1", tmp_path / "back")
    assert (tmp_path / "back" / "adapter" / "weights").read_bytes() == b"w"
    assert not store.download("models/2", tmp_path / "none")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../outside", "a/../../outside"])
def test_a_key_never_leaves_the_folder(tmp_path: Path, key: str) -> None:
    """Keys are names below the root and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011 - the value is all there is to say
        FolderStore(tmp_path).read(key)


def test_a_full_or_closed_place_is_an_output_error(tmp_path: Path) -> None:
    """A store below a file cannot be written, and says so in one line."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError):
        FolderStore(tmp_path / "file").write("x", b"")


def test_a_copied_tree_replaces_the_old_one_whole(tmp_path: Path) -> None:
    """No file of an earlier tree stays behind."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text(name, encoding="utf-8")
    copy_tree(tmp_path / "old", tmp_path / "place")
    copy_tree(tmp_path / "new", tmp_path / "place")
    assert [file.name for file in (tmp_path / "place").iterdir()] == ["new"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["new", "old", "place"]
