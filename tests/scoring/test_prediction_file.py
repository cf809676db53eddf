"""Prediction files."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubepipe.errors import InputError
from kubepipe.scoring import read_predictions


def test_the_official_form_is_read(tmp_path: Path) -> None:
    """An object of texts by id is read, also with a byte order mark."""
    file = tmp_path / "predictions.json"
    file.write_text('\ufeff{"a": "x", "b": ""}', encoding="utf-8")
    assert read_predictions(file) == {"a": "x", "b": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no readable JSON"),
        (b'{"a": ', "no readable JSON"),
        (b"\xff\xfe{", "no readable JSON"),
        (b"[" * 100_000, "no readable JSON"),
        (b"[1]", "no JSON object"),
        (b'{"a": 1, "b": "secret"}', "1 of 2 answers are no text"),
    ],
)
def test_another_form_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    """What is no {id: text} is refused with one line that shows no answer."""
    file = tmp_path / "predictions.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_predictions(file)
    assert "secret" not in caught.value.one_line()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there is an input error."""
    with pytest.raises(InputError, match="no readable JSON"):
        read_predictions(tmp_path / "none.json")
