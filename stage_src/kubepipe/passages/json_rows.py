"""JSON files: SQuAD documents, arrays of rows, rows by line, and tables by column."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from kubepipe.errors import InputError
from kubepipe.passages.columns import RowReader
from kubepipe.passages.raw import RawQuestion
from kubepipe.passages.squad import articles_of, read_squad, squad_version
from kubepipe.passages.tally import Tally
from kubepipe.passages.text import decode, names, parse_json
from kubepipe.settings import Columns

_REMEDY = "Give SQuAD JSON, or rows with context, question and answers"


def read_json(
    stream: io.BufferedReader, place: str, columns: Columns, tally: Tally
) -> tuple[str, Iterator[RawQuestion]]:
    """A JSON file of any shape that is read, as its format and its questions.

    A first line that is a JSON object by itself, with more lines behind it, makes the file JSONL, read line by line.
    Everything else is one document, read at once.

    Raises:
        InputError: The file is no JSON, or JSON of another shape.
    """
    reader = RowReader(place, columns, tally)
    first = _first_line(stream)
    following = _first_line(stream)
    if following and _is_object(first.strip()):
        lines = chain([first, following], stream)
        return "jsonl", _lines(lines, reader)
    document = parse_json(decode(first + following + stream.read(), place), place)
    articles = articles_of(document)
    if articles is not None:
        return squad_version(document, articles), read_squad(articles, place, tally)
    return "json", _rows(document, reader)


def _first_line(stream: io.BufferedReader) -> bytes:
    """The next line that is not blank, with the blank ones before it; empty at the end."""
    read = b""
    while line := stream.readline():
        read += line
        if line.strip(b" \t\r\n\xef\xbb\xbf"):
            return read
    return b"" if not read.strip() else read


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(parse_json(decode(line, ""), ""), dict)
    except InputError:
        return False


def _lines(lines: Iterator[bytes], reader: RowReader) -> Iterator[RawQuestion]:
    number = 0
    for chunk in lines:
        # The first two chunks may carry blank lines in front.
        for line in chunk.splitlines(keepends=True):
            number += 1
            text = decode(line, reader.place, first_line=number).strip()
            if not text:
                continue
            row = parse_json(text, reader.place, line=number)
            if not isinstance(row, dict):
                raise InputError("is no JSON object", place=f"{reader.place}, line {number}", remedy=_REMEDY)
            yield reader.read(row, number, unit="line")
    reader.finish()


def _rows(document: Any, reader: RowReader) -> Iterator[RawQuestion]:
    for number, row in enumerate(_row_list(document, reader), start=1):
        if not isinstance(row, dict):
            raise InputError("is no JSON object", place=f"{reader.place}, row {number}", remedy=_REMEDY)
        yield reader.read(row, number)
    reader.finish()


def _row_list(document: Any, reader: RowReader) -> list[Any]:
    """The rows of a document: an array, an array under `data`, columns, or the document itself as one row."""
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        raise InputError("is a single JSON value, no data set", place=reader.place, remedy=_REMEDY)
    columns = reader.columns
    if isinstance(document.get("data"), list):
        rows: list[Any] = document["data"]
        return rows
    if isinstance(document.get(columns.context), list | dict):
        return _from_columns(document, reader)
    if columns.context in document or columns.question in document:
        return [document]
    raise InputError(f"is JSON of another shape (keys: {names(document)})", place=reader.place, remedy=_REMEDY)


def _from_columns(document: Mapping[str, Any], reader: RowReader) -> list[dict[str, Any]]:
    """Rows of a table that is written by column, as `DataFrame.to_json` and `Dataset.to_dict` do."""
    table = {name: list(values.values()) if isinstance(values, dict) else values for name, values in document.items()}
    lengths = {len(values) if isinstance(values, list) else -1 for values in table.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise InputError("has columns of different lengths", place=reader.place, remedy=_REMEDY)
    return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
