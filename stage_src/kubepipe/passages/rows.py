"""Writes passages as rows, one per question, in the form that Hugging Face's `datasets` uses for SQuAD."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import OutputError
from kubepipe.passages.files import replacing
from kubepipe.passages.model import Passage

_OWN: Final = ("id", "title", "context", "question", "answers")
_ROWS_AT_ONCE: Final = 1024


def write_rows(target: Path, passages: Iterable[Passage]) -> int:
    """Write one row per question: id, title, context, question, answers {text, answer_start}, further columns.

    In CSV the answers are JSON. A further column whose name is one of ours gets the prefix `extra_`.

    Args:
        target: A file that ends in .jsonl, .csv or .parquet; it appears whole or not at all.
        passages: The passages; read twice where a format needs to know all columns first.

    Returns:
        Number of rows.

    Raises:
        OutputError: The ending is another one, or the place cannot be written.
    """
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        raise OutputError("has no ending that is written", place=str(target), remedy=f"End it in {', '.join(_WRITERS)}")
    with replacing(target) as temporary:
        return write(temporary, passages)


def _rows(passages: Iterable[Passage]) -> Iterator[dict[str, Any]]:
    for passage in passages:
        for question in passage.questions:
            extra = {f"extra_{name}" if name in _OWN else name: text for name, text in question.extra.items()}
            yield {
                "id": question.id,
                "title": passage.document,
                "context": passage.context,
                "question": question.text,
                "answers": {
                    "text": [answer.text for answer in question.answers],
                    "answer_start": [answer.start for answer in question.answers],
                },
                **extra,
            }


def _extra_columns(passages: list[Passage]) -> list[str]:
    """Names of further columns in order of first appearance."""
    return list(dict.fromkeys(name for row in _rows(passages) for name in row if name not in _OWN))


def _write_jsonl(path: Path, passages: Iterable[Passage]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for count, row in enumerate(_rows(passages), start=1):  # noqa: B007 - the number is the result
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def _write_csv(path: Path, passages: Iterable[Passage]) -> int:
    held = list(passages)
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*_OWN, *_extra_columns(held)], restval="", lineterminator="\r\n")
        writer.writeheader()
        for count, row in enumerate(_rows(held), start=1):  # noqa: B007 - the number is the result
            writer.writerow({**row, "answers": json.dumps(row["answers"], ensure_ascii=False)})
    return count


def _write_parquet(path: Path, passages: Iterable[Passage]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    held = list(passages)
    answers = pa.struct([("text", pa.list_(pa.string())), ("answer_start", pa.list_(pa.int32()))])
    texts = [(name, pa.string()) for name in _OWN[:-1]]
    extra = [(name, pa.string()) for name in _extra_columns(held)]
    schema = pa.schema([*texts, ("answers", answers), *extra])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in _chunks(_rows(held)):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            count += len(rows)
    return count


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _ROWS_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


_WRITERS: Final[dict[str, Callable[[Path, Iterable[Passage]], int]]] = {
    ".jsonl": _write_jsonl,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
