from __future__ import annotations

from pathlib import Path

import pytest

from kubepipe.errors import OutputError
from kubepipe.pipeline.folder import RunFolder


def test_a_run_of_which_nothing_came_leaves_the_place_as_it_was(tmp_path: Path) -> None:
    """Folders that the run made are gone, others stay."""
    (tmp_path / "mine").mkdir()
    with RunFolder(tmp_path / "mine" / "a" / "b").opened():
        pass
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_folder_beside_the_run_is_never_touched(tmp_path: Path) -> None:
    """Another run in the same parent folder survives."""
    with RunFolder(tmp_path / "runs" / "a").opened():
        (tmp_path / "runs" / "other").mkdir()
    assert [each.name for each in (tmp_path / "runs").iterdir()] == ["other"]


@pytest.mark.parametrize(("status", "stays"), [("succeeded", True), ("reused", True), ("failed", False)])
def test_a_run_that_finished_a_step_stays_for_resuming(tmp_path: Path, status: str, stays: bool) -> None:
    """Only work that can be resumed keeps the folder."""
    folder = RunFolder(tmp_path / "a")
    with folder.opened():
        (folder.store / "runs" / "r").mkdir(parents=True)
        (folder.store / "runs" / "r" / "prepare-data.json").write_text(f'{{"status": "{status}"}}', encoding="utf-8")
    assert folder.root.exists() is stays


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    """Nobody's files are mixed with a run."""
    (tmp_path / "thesis.txt").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="no run of KubePipe"), RunFolder(tmp_path).opened():
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second one is told to wait or to go elsewhere."""
    folder = RunFolder(tmp_path / "a")
    with folder.opened(), pytest.raises(OutputError, match="another run"), folder.opened():
        pass


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path: Path, place: str) -> None:
    """A file in the way ends in one line."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError), RunFolder(tmp_path / place).opened():
        pass
