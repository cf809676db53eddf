from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubepipe.errors import InputError
from kubepipe.records.step import read_step_record
from kubepipe.sealing import create_keys
from kubepipe.stages import prepare_data, run_stage
from kubepipe.storage import FolderStore
from kubepipe.storage.arrivals import ObjectVersion


def _prepare(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Run the step; its record as a document."""
    create_keys(tmp_path / "keys")
    environment = {"KUBEPIPE_RUN": "one", "KUBEPIPE_STORE": tmp_path / "store", "KUBEPIPE_KEYS": tmp_path / "keys"}
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    output = str(tmp_path / "out" / "output_dataset")
    run_stage("prepare-data", "{}", inputs={}, outputs={"output_dataset": output}, parameters={"source": source})
    record = read_step_record(FolderStore(tmp_path / "store"), "one", "prepare-data")
    assert record is not None
    return record.document()


def test_the_record_says_which_version_of_an_object_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, examples: Path
) -> None:
    """A schedule that names a key reads whatever lies there: the record holds version, tag and size, and no key."""
    version = ObjectVersion("v7", "abc", 12)
    fetched = (examples / "clinic" / "clinic.jsonl", version)
    monkeypatch.setattr(prepare_data, "fetch_newest", lambda *_: fetched)
    document = _prepare("s3://incoming/anna-schmidt/data.jsonl", tmp_path, monkeypatch)
    assert document["results"]["source_version"] == {  # type: ignore[index]
        "version_id": "v7", "etag": "abc", "size": 12, "objects": 1,
    }  # fmt: skip
    assert "anna" not in json.dumps(document)


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["anna-schmidt.jsonl"], "the object, line 2: is no JSON object"),
        (["a-train.jsonl", "anna-schmidt.jsonl", "anna-schmidt.jsonl.csv"], "object 2 of 3, line 2: is no JSON object"),
    ],
)
def test_an_error_names_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, examples: Path, names: list[str], line: str
) -> None:
    """A key can name a person: what is wrong is told by the number of the object."""
    source = (examples / "clinic" / "clinic.jsonl").read_text(encoding="utf-8").splitlines()
    folder = tmp_path / "fetched" / "anna-folder"
    folder.mkdir(parents=True)
    for name in names:
        lines = source[:1] + (["[1]"] if name == "anna-schmidt.jsonl" else source[1:])
        (folder / name).write_text("\n".join(lines), encoding="utf-8")
    fetched = folder / names[0] if len(names) == 1 else folder
    monkeypatch.setattr(prepare_data, "fetch_newest", lambda *_: (fetched, ObjectVersion("v7", "abc", 12)))
    with pytest.raises(InputError, match="object") as caught:
        _prepare("s3://incoming/anna-schmidt/data.jsonl", tmp_path, monkeypatch)
    assert line in str(caught.value)
    assert line in caught.value.one_line()
    record = read_step_record(FolderStore(tmp_path / "store"), "one", "prepare-data")
    assert record is not None
    assert record.error is not None
    assert line in record.error.message
    assert "anna" not in json.dumps(record.document())


def test_a_file_has_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, examples: Path) -> None:
    """On a laptop the digest of the source says it all."""
    document = _prepare(str(examples / "clinic" / "clinic.jsonl"), tmp_path, monkeypatch)
    assert document["results"]["source_version"] is None  # type: ignore[index]
