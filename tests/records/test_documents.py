from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from kubepipe.errors import IntegrityError, OutputError
from kubepipe.records import digest_json, digest_tree, read_document, write_document, write_text
from kubepipe.records.digest import canonical_json

POINTER = {
    "schema_version": 1,
    "number": 1,
    "release": digest_json(1),
    "action": "publish",
    "run": "r",
    "at": "2026-01-01T00:00:00+00:00",
}


def test_every_schema_is_a_valid_schema() -> None:
    """The package ships no broken JSON Schema."""
    schemas = [file for file in files("kubepipe.records").joinpath("schemas").iterdir() if file.name.endswith(".json")]
    assert len(schemas) >= 8
    for file in schemas:
        jsonschema.Draft202012Validator.check_schema(json.loads(file.read_text(encoding="utf-8")))


def test_a_document_comes_back_as_it_was(tmp_path: Path) -> None:
    """What fits its schema is written and read unchanged."""
    write_document(tmp_path / "a" / "pointer.json", POINTER, "release-pointer")
    assert read_document(tmp_path / "a" / "pointer.json", "release-pointer") == POINTER


def test_a_document_that_does_not_fit_is_never_written(tmp_path: Path) -> None:
    """The schema is checked before the first byte."""
    with pytest.raises(IntegrityError, match="release-pointer"):
        write_document(tmp_path / "pointer.json", {**POINTER, "number": "yes"}, "release-pointer")
    assert list(tmp_path.iterdir()) == []


def test_the_error_names_the_place_and_never_the_value(tmp_path: Path) -> None:
    """A secret in a broken document does not reach the message."""
    (tmp_path / "pointer.json").write_text(json.dumps({**POINTER, "run": ["Anna Schmidt"]}), encoding="utf-8")
    with pytest.raises(IntegrityError) as caught:
        read_document(tmp_path / "pointer.json", "release-pointer")
    assert "run" in str(caught.value)
    assert "Schmidt" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff"])
def test_a_missing_or_broken_file_is_an_integrity_error(tmp_path: Path, content: bytes | None) -> None:
    """No traceback for a file that is no document."""
    file = tmp_path / "pointer.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(IntegrityError):
        read_document(file, "release-pointer")


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    """A file where a folder should be ends in one line."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError):
        write_text(tmp_path / "file" / "below.txt", "x")


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    """Equal values have equal text."""
    assert canonical_json({"b": 1, "a": [1.5, "ä"]}) == canonical_json({"a": [1.5, "ä"], "b": 1})


def test_a_tree_digest_sees_every_byte_and_name(tmp_path: Path) -> None:
    """Content, names and folders all count; time and order of creation do not."""
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "x").write_text("x", encoding="utf-8")
    assert digest_tree(tmp_path / "one") == digest_tree(tmp_path / "two")
    (tmp_path / "two" / "sub" / "x").rename(tmp_path / "two" / "sub" / "y")
    assert digest_tree(tmp_path / "one") != digest_tree(tmp_path / "two")
