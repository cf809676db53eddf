"""Rows in Hugging Face form are written for other tools, and read back as the same passages."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import OutputError
from kubepipe.passages import Passage, Source, write_rows

Row = dict[str, Any]
Read = Callable[..., Source]
ENDINGS = (".jsonl", ".csv", ".parquet")


def everything(source: Source) -> list[Passage]:
    """All passages in the order of the source."""
    passages = [passage for split in source.splits.values() for passage in split]
    return sorted(passages, key=lambda passage: passage.id)


@pytest.mark.parametrize("ending", ENDINGS)
def test_rows_come_back(
    ending: str, rows: list[Row], jsonl: Callable[[list[Row]], Path], tmp_path: Path, read: Read
) -> None:
    """Passages, further columns included, are the same after writing and reading."""
    rows[0]["ward"] = "3"
    rows[2]["note"] = 'a "quoted", line\nbreak'
    passages = everything(read(jsonl(rows)))
    target = tmp_path / "folder" / f"out{ending}"
    assert write_rows(target, iter(passages)) == len(rows)
    assert everything(read(target)) == passages


@pytest.mark.parametrize("ending", [".jsonl", ".parquet", ".csv"])
def test_datasets_reads_the_rows(
    ending: str, rows: list[Row], jsonl: Callable[[list[Row]], Path], tmp_path: Path, read: Read
) -> None:
    """The library `datasets` and pandas read what is written, with SQuAD's own columns first."""
    import pandas as pd

    target = tmp_path / f"out{ending}"
    write_rows(target, everything(read(jsonl(rows))))
    loaders: dict[str, Callable[..., Any]] = {".parquet": pd.read_parquet, ".csv": pd.read_csv}
    frame = loaders[ending](target) if ending in loaders else pd.read_json(target, lines=True)
    assert list(frame.columns) == ["id", "title", "context", "question", "answers"]
    answers = frame["answers"][0]
    answers = json.loads(answers) if isinstance(answers, str) else answers
    assert list(answers["text"]) == rows[0]["answers"]["text"]
    assert list(answers["answer_start"]) == rows[0]["answers"]["answer_start"]


def test_further_columns_never_replace_ours(
    rows: list[Row], jsonl: Callable[[list[Row]], Path], tmp_path: Path, read: Read
) -> None:
    """A further column with the name of one of ours is written under another name."""
    (passage, *_) = everything(read(jsonl(rows)))
    question = replace(passage.questions[0], extra={"title": "Dr"})
    write_rows(tmp_path / "out.jsonl", [replace(passage, questions=(question,))])
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert (row["title"], row["extra_title"]) == ("Rivers", "Dr")


def test_other_endings_are_refused(tmp_path: Path) -> None:
    """An ending that is not written names those that are, and nothing is left behind."""
    with pytest.raises(OutputError, match=r"End it in \.jsonl, \.csv, \.parquet"):
        write_rows(tmp_path / "out.xlsx", [])
    assert not list(tmp_path.iterdir())
