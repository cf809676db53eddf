"""Passages in Parquet: one row per context, with nested questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import IntegrityError
from kubepipe.passages.model import Answer, Passage, Question

#: A row group ends after so many passages or characters, whichever comes first: what a reader holds in memory.
_GROUP_PASSAGES: Final = 512
_GROUP_CHARACTERS: Final = 16 * 1024 * 1024
_READ_AT_ONCE: Final = 64


def passage_values(passage: Passage) -> dict[str, Any]:
    """A passage as plain values, the same for equal passages; digests and files are made of it."""
    return {
        "id": passage.id,
        "document": passage.document,
        "context": passage.context,
        "questions": [
            {
                "id": question.id,
                "text": question.text,
                "answers": [{"text": answer.text, "start": answer.start} for answer in question.answers],
                "extra": dict(sorted(question.extra.items())),
            }
            for question in passage.questions
        ],
    }


def write_passages(path: Path, passages: Iterable[Passage]) -> None:
    """Write a Parquet file, row group by row group; the same passages give the same bytes.

    Args:
        path: The file, replaced if it is there.
        passages: Read once, never held all at once.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(passages):
            rows = [_row(passage) for passage in group]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema), row_group_size=len(rows))


def read_passages(path: Path) -> Iterator[Passage]:
    """Passages of a Parquet file in their order, a few at once.

    Raises:
        IntegrityError: The file is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_READ_AT_ONCE):
                yield from map(_passage, batch.to_pylist())
    except (pa.ArrowException, OSError, KeyError, TypeError) as error:
        raise IntegrityError(
            "is missing or no readable data set of KubePipe", place=str(path), remedy="Make it again"
        ) from error


def _schema() -> Any:
    import pyarrow as pa

    answer = pa.struct([("text", pa.string()), ("start", pa.int64())])
    question = pa.struct(
        [
            ("id", pa.string()),
            ("text", pa.string()),
            ("answers", pa.list_(answer)),
            ("extra", pa.map_(pa.string(), pa.string())),
        ]
    )
    texts = [(name, pa.string()) for name in ("id", "document", "context")]
    return pa.schema([*texts, ("questions", pa.list_(question))])


def _groups(passages: Iterable[Passage]) -> Iterator[list[Passage]]:
    group: list[Passage] = []
    characters = 0
    for passage in passages:
        group.append(passage)
        characters += len(passage.context) + sum(len(question.text) for question in passage.questions)
        if len(group) >= _GROUP_PASSAGES or characters >= _GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _row(passage: Passage) -> dict[str, Any]:
    values = passage_values(passage)
    for question in values["questions"]:
        question["extra"] = list(question["extra"].items())
    return values


def _passage(row: dict[str, Any]) -> Passage:
    questions = tuple(
        Question(
            id=question["id"],
            text=question["text"],
            answers=tuple(Answer(answer["text"], answer["start"]) for answer in question["answers"]),
            extra=dict(question["extra"]),
        )
        for question in row["questions"]
    )
    return Passage(row["id"], row["document"], row["context"], questions)
