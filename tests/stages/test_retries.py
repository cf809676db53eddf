from __future__ import annotations

import pytest

from kubepipe.records import digest_json
from kubepipe.records.step import Failure, StepRecord, read_step_record, write_step_record
from kubepipe.stages.retries import RepeatedError, refuse_repetition
from kubepipe.stages.run import run_stage
from kubepipe.storage import FolderStore

DIGEST = digest_json(None)
TIME = "2026-01-01T00:00:00+00:00"


def _failed(store: FolderStore, kind: str, code: int) -> None:
    error = Failure(kind, "where: what. remedy", code)
    record = StepRecord("one", "prepare-data", "failed", TIME, TIME, 1.0, 1.0, 1, {}, DIGEST, DIGEST, error=error)
    write_step_record(store, record)


@pytest.fixture
def store(tmp_path: object) -> FolderStore:
    """An empty store."""
    return FolderStore(tmp_path / "store")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("kind", "code", "index", "ends"),
    [
        ("InputError", 2, "1", True),
        ("QuarantinedError", 3, "2", True),
        ("IntegrityError", 4, "1", True),
        ("FencedError", 5, "1", True),
        ("InputError", 2, "0", False),  # a run that is retried as a whole begins anew
        ("InputError", 2, "", False),
        ("StepFailedError", 1, "1", False),
        ("InterruptedStageError", 130, "1", False),
        ("OutOfMemoryError", 1, "1", False),
        ("OutputError", 2, "1", False),  # the store may be back
    ],
)
def test_only_what_may_pass_is_tried_again(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, kind: str, code: int, index: str, ends: bool
) -> None:
    """A further attempt ends at once where the one before ended for good, with its words and its exit code."""
    _failed(store, kind, code)
    monkeypatch.setenv("KFP_RETRY_INDEX", index)
    if not ends:
        refuse_repetition(store, "one", "prepare-data")
        return
    with pytest.raises(RepeatedError, match=r"where: what\. remedy") as caught:
        refuse_repetition(store, "one", "prepare-data")
    assert caught.value.exit_code == code


def test_without_a_record_it_is_tried(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that was killed left no record."""
    monkeypatch.setenv("KFP_RETRY_INDEX", "1")
    refuse_repetition(store, "one", "prepare-data")


def test_the_record_of_the_first_attempt_stays(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole frame of a step: the second attempt neither reads the source nor writes a record."""
    _failed(store, "InputError", 2)
    before = read_step_record(store, "one", "prepare-data")
    for name, value in {"KFP_RETRY_INDEX": "1", "KUBEPIPE_RUN": "one", "KUBEPIPE_STORE": str(store.root)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RepeatedError):
        run_stage("prepare-data", "{}", inputs={}, outputs={"output_dataset": "none"}, parameters={"source": "none"})
    assert read_step_record(store, "one", "prepare-data") == before
