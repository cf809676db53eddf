"""Bad input gives one clear line that says where, what and what to do, and never shows a value of the data."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kubepipe.errors import InputError
from kubepipe.passages import Source

Row = dict[str, Any]
Read = Callable[..., Source]

SECRET = "Xanthippe"
CONTEXT = f"{SECRET} lives in Bergen."
ROW: Row = {
    "id": "1",
    "context": CONTEXT,
    "question": f"Where does {SECRET} live?",
    "answers": {"text": ["Bergen"], "answer_start": [19]},
}
OTHER: Row = {**ROW, "id": "2", "context": f"Later, {SECRET} left Bergen for good.", "answers": {"text": ["Bergen"]}}


def text(value: Any) -> bytes:
    """A value as JSON."""
    return json.dumps(value).encode()


def lines(*rows: Row) -> bytes:
    """Rows as JSONL."""
    return b"".join(text(row) + b"\n" for row in rows)


def without(*keys: str) -> list[Row]:
    """Both rows without some keys."""
    return [{key: value for key, value in row.items() if key not in keys} for row in (ROW, OTHER)]


def csv_of(body: str) -> bytes:
    """CSV with a right header."""
    return f"context,question,answers\n{body}".encode()


def parquet_of(rows: list[Row]) -> bytes:
    """Rows as Parquet."""
    buffer = io.BytesIO()
    pd.DataFrame(rows).to_parquet(buffer)
    return buffer.getvalue()


ABSENT = [{**row, "answers": {"text": ["Oslo"], "answer_start": [0]}} for row in (ROW, OTHER)]
SQUAD: Row = {"data": [{"title": "t", "paragraphs": [{"context": CONTEXT, "qas": []}]}]}
LATIN = json.dumps([{**ROW, "context": "Ærøskøbing"}], ensure_ascii=False, indent=0).encode("latin-1")
CURLY = json.dumps([{**ROW, "context": "Anna\u2019s"}], ensure_ascii=False).encode("cp1252")

CASES: list[tuple[str, bytes, str]] = [
    ("empty", b"", "is empty"),
    ("blank", b" \n\n", "is empty"),
    ("only a byte order mark", codecs.BOM_UTF8, "is no JSON, and no table"),
    ("gzip of nothing", gzip.compress(b""), "is empty"),
    ("truncated SQuAD", json.dumps(SQUAD, indent=1).encode()[:-30], r"line \d+, column \d+: the JSON ends too early"),
    ("truncated in a text", text([ROW])[:30], r"line 1, column \d+: the JSON ends too early"),
    ("truncated JSONL", lines(ROW, OTHER, ROW)[:-20], r"line 3, column \d+: the JSON ends too early"),
    ("cut within a character", b'{"context": "' + "é".encode()[:1], "ends in the middle of a character"),
    ("broken JSONL", lines(ROW, OTHER) + b"{'a': 1}\n", r"line 3, column 2: is no JSON"),
    ("broken first line of JSONL", b"{'a': 1}\n" + lines(ROW), r"line 1, column 2: is no JSON"),
    ("JSONL of numbers", lines(ROW) + b"7\n", r"line 2: is no JSON object"),
    ("array of numbers", b"[1, 2]", r"row 1: is no JSON object"),
    ("UTF-16", text([ROW]).decode().encode("utf-16"), r"looks like UTF-16, .* iconv -f UTF-16 -t UTF-8"),
    ("UTF-16 without a mark", text([ROW]).decode().encode("utf-16-le"), "looks like UTF-16LE"),
    ("UTF-16 big endian", text([ROW]).decode().encode("utf-16-be"), "looks like UTF-16BE"),
    ("UTF-32", text([ROW]).decode().encode("utf-32"), "looks like UTF-32"),
    ("Latin-1", LATIN, r"line 4: looks like Latin-1, .* iconv -f LATIN-1"),
    ("Windows-1252", CURLY, "looks like Windows-1252"),
    ("Latin-1 in CSV", csv_of("a,b,c\né,b,c\n").decode().encode("latin-1"), "line 3: looks like Latin-1"),
    ("nested deeply", b"[" * 100_000 + b"]" * 100_000, "is nested too deeply"),
    ("objects nested deeply", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "is nested too deeply"),
    ("a line nested deeply", lines(ROW) + b"[" * 100_000 + b"]" * 100_000 + b"\n", "line 2: is nested too deeply"),
    ("endless number", b'[{"context": ' + b"1" * 5000 + b"}]", "holds a number that is too long"),
    ("NaN", b'[{"context": NaN}]', "holds NaN or Infinity"),
    ("Infinity in a line", lines(ROW) + b'{"a": -Infinity}\n', "line 2: holds NaN or Infinity"),
    ("another shape", text({"version": 1, "items": [], SECRET + " B": 1}), r"keys: version, items and 1 more"),
    ("empty object", b"{}", r"keys: none"),
    ("empty array", b"[]", "holds no rows"),
    ("SQuAD without articles", b'{"data": []}', "holds no rows"),
    ("SQuAD without questions", text(SQUAD), "holds no questions"),
    ("SQuAD with broken paragraphs", b'{"data": [{"paragraphs": 5}]}', r"article 1: 'paragraphs' is no list"),
    ("SQuAD with broken context", b'{"data": [{"paragraphs": [{"context": 5, "qas": []}]}]}', "paragraph 1: 'context'"),
    ("SQuAD with broken articles", b'{"data": [{"paragraphs": []}, 5]}', "article 2: is no object"),
    ("rows without context", lines(*without("context")), r"has no column 'context' \(found: id, question, answers\)"),
    ("rows without question", lines(*without("question")), "has no column 'question'"),
    ("rows without answers", lines(*without("answers")), "has no column 'answers'"),
    ("blank contexts", lines({**ROW, "context": " "}), "none of 1 questions can be used: 1 without a context"),
    ("blank questions", lines({**ROW, "question": None}), "none of 1 questions can be used: 1 without a question"),
    (
        "context is a list",
        lines({**ROW, "context": [CONTEXT]}, OTHER),
        "line 1: column 'context' holds a list, no text",
    ),
    (
        "answers of another shape",
        lines(ROW, {**OTHER, "answers": {"x": 1}}),
        "line 2: column 'answers' holds an object",
    ),
    (
        "answers that do not occur",
        lines(*ABSENT),
        "none of 2 questions can be used: 2 with an answer that does not occur",
    ),
    ("one context", lines(ROW, {**ROW, "id": "2", "question": "Who?"}), "holds a single context"),
    ("CSV without header", f"{SECRET},Who?,Bergen\n".encode(), "is no JSON, and no table whose first line names"),
    ("CSV without answers", b"context,question\na,b\n", r"has no column 'answers' \(found: context, question\)"),
    ("CSV with a column twice", b"context,question,answers,x,x\n", "has a column twice: x"),
    ("CSV with only a header", csv_of(""), "holds no rows"),
    ("CSV with an open quote", csv_of(f'"{CONTEXT},b,c\nd,e,f\n'), "line 3: a quote is never closed"),
    ("CSV with a stray quote", csv_of(f'a,b,c\n"{CONTEXT}" x,b,c\n'), "line 3: the quoting is broken"),
    ("CSV with a missing quote", csv_of(f"a,b,c\n{SECRET}, who,b,c\n"), "line 3: has 4 fields, the header has 3"),
    ("CSV with a huge field", csv_of("a" * (65 * 1024 * 1024) + ",b,c\n"), "line 2: a field is longer than"),
    ("Parquet cut off", parquet_of([ROW])[:-40], "is no readable Parquet file"),
    (
        "Parquet of other columns",
        parquet_of([{"context": CONTEXT, "y": 1}]),
        r"no column 'question' \(found: context, y\)",
    ),
    ("Parquet without rows", parquet_of([ROW])[:0] + b"PAR1", "is no readable Parquet file"),
    ("Arrow cut off", b"ARROW1\0\0abc", "is no readable Arrow file"),
    ("gzip cut off", gzip.compress(lines(ROW, OTHER) * 50)[:-20], "cannot be unpacked"),
    ("gzip in gzip", gzip.compress(gzip.compress(lines(ROW))), "is an archive within an archive"),
    ("PDF", b"%PDF-1.7 " + b"x" * 600, "is a PDF"),
    ("pickle", b"\x80\x04\x95\x00", "is a Python pickle, which is never loaded"),
    ("xz", b"\xfd7zXZ\x00", "is an xz file. Unpack it first"),
    ("tar", b"name".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 248, "is a tar archive"),
    ("HTML", b"<!DOCTYPE html><html></html>", "is an HTML page"),
    ("LFS pointer", b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
    (
        "SQuAD with broken answers",
        text({"data": [{"paragraphs": [{"qas": [{"answers": 5}]}]}]}),
        "'answers' is no list",
    ),
    ("plain text", f"{SECRET} went to Bergen.\n".encode(), "is no JSON, and no table"),
    ("zeros", bytes(5000), "is no JSON, and no table"),
]


@pytest.mark.parametrize(("name", "data", "message"), CASES, ids=[case[0].replace(" ", "-") for case in CASES])
def test_bad_files(name: str, data: bytes, message: str, tmp_path: Path, read: Read) -> None:
    """A bad file is refused with its place, the reason and a remedy in one line without a value of the data."""
    path = tmp_path / "data"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    line = caught.value.one_line()
    assert line.startswith(str(path)), name
    assert caught.value.remedy
    assert "\n" not in line
    assert SECRET not in line
    assert "Bergen" not in line


def test_a_missing_file_is_named(tmp_path: Path, read: Read) -> None:
    """A path that does not exist is named."""
    with pytest.raises(InputError, match="nowhere: does not exist"):
        read(tmp_path / "nowhere")


def test_a_folder_without_data_is_refused(tmp_path: Path, read: Read) -> None:
    """A folder that holds no data files says which files would be read."""
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(InputError, match=r"holds no data files \(\.json, "):
        read(tmp_path)


def test_a_pipe_is_refused(tmp_path: Path, read: Read) -> None:
    """A named pipe would block for ever: it is refused unopened, and so is a device."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputError, match="is neither a file nor a folder"):
            read(path)


def test_an_unreadable_file_is_refused(tmp_path: Path, read: Read) -> None:
    """A file that cannot be opened is an input error, not a traceback."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "loop")
    closed = tmp_path / "closed"
    closed.write_bytes(lines(ROW, OTHER))
    closed.chmod(0)
    if os.access(closed, os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        read(closed)


def test_a_file_over_the_limit_is_refused(tmp_path: Path, read: Read) -> None:
    """The limit of the settings holds for plain files too."""
    path = tmp_path / "data"
    path.write_bytes(lines(ROW, OTHER))
    with pytest.raises(InputError, match="holds more than 100 bytes"):
        read(path, max_bytes=100)


def test_some_unusable_rows_are_counted(tmp_path: Path, read: Read) -> None:
    """Rows that cannot be used do not spoil the others: they are dropped and counted by reason."""
    path = tmp_path / "data"
    unusable = [{**ROW, "context": ""}, {**ROW, "question": " "}, *ABSENT[:1], {**ROW, "answers": ["e"]}]
    path.write_bytes(lines(ROW, *unusable, OTHER))
    counts = read(path).counts
    expected = {
        "rows_read": 6,
        "rows_without_context": 1,
        "rows_without_question": 1,
        "questions_dropped_answer_absent": 1,
        "questions_dropped_misaligned": 1,
        "answers_located": 1,
    }
    assert {reason: number for reason, number in counts.items() if number} == expected


def test_duplicates_are_counted_and_kept_apart(tmp_path: Path, read: Read) -> None:
    """An exact repetition is dropped; one with its own id, or an id that is taken, is kept and counted."""
    path = tmp_path / "data"
    again = {**ROW, "question": "And where now?"}
    path.write_bytes(lines(ROW, ROW, {**ROW, "id": "own"}, again, {**again, "question": "Now?"}, OTHER))
    source = read(path)
    ids = sorted(q.id for passages in source.splits.values() for passage in passages for q in passage.questions)
    assert ids == ["1", "1-2", "1-3", "2", "own"]
    assert source.counts["duplicate_questions"] == 1
    assert source.counts["duplicate_questions_kept"] == 1
    assert source.counts["duplicate_ids"] == 2


def test_a_long_csv_field_is_read(tmp_path: Path, read: Read) -> None:
    """A context far beyond the csv module's own limit is no error."""
    path = tmp_path / "data"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [["context", "question", "answers"], ["a" * 1_000_000 + " b", "q", "b"], ["c\nd", "q", "d"]]
        )
    assert read(path).counts["answers_located"] == 2
