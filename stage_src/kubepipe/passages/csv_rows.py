"""CSV and its relatives: comma, semicolon, tab or bar between the fields, quoted as RFC 4180 says."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain
from typing import Final

from kubepipe.errors import InputError
from kubepipe.passages.columns import RowReader
from kubepipe.passages.raw import RawQuestion
from kubepipe.passages.tally import Tally
from kubepipe.passages.text import decode_lines
from kubepipe.settings import Columns

_DELIMITERS: Final = (",", ";", "\t", "|")
#: No context is longer; a longer field is what a lost quote makes of the rest of a file.
_LONGEST_FIELD: Final = 64 * 1024 * 1024


def read_csv(
    stream: io.BufferedReader, place: str, columns: Columns, tally: Tally
) -> tuple[str, Iterator[RawQuestion]]:
    """A CSV file as its format and its questions, read row by row.

    Raises:
        InputError: The header lacks a column, or quoting or the number of fields is broken; the message says where.
    """
    # The limit belongs to the module, not to a reader.
    csv.field_size_limit(_LONGEST_FIELD)
    lines = decode_lines(stream, place)
    header_lines = _header_lines(lines)
    header, delimiter = _header("".join(header_lines), columns)
    reader = RowReader(place, columns, tally)
    reader.check_header(header)
    return "csv", _rows(chain(header_lines, lines), delimiter, reader)


def _header_lines(lines: Iterator[str]) -> list[str]:
    """Lines up to the end of the first one that is not blank."""
    found = []
    for line in lines:
        found.append(line)
        if line.strip():
            break
    return found


def _header(text: str, columns: Columns) -> tuple[list[str], str]:
    """Column names and the delimiter under which most of ours stand among them."""

    def parsed(delimiter: str) -> list[str]:
        try:
            rows = list(csv.reader([text.strip("\r\n")], delimiter=delimiter))
        except csv.Error:
            return []
        return [name.strip() for name in rows[0]] if rows else []

    own = set(columns.model_dump().values())
    delimiter = max(_DELIMITERS, key=lambda candidate: len(own & set(parsed(candidate))))
    return parsed(delimiter), delimiter


def _rows(lines: Iterator[str], delimiter: str, reader: RowReader) -> Iterator[RawQuestion]:
    table = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        try:
            fields = next(table, None)
        except csv.Error as error:
            raise _broken(error, f"{reader.place}, line {table.line_num}") from None
        if fields is None:
            break
        if not any(field.strip() for field in fields):
            continue
        if header is None:
            header = [name.strip() for name in fields]
            continue
        # A field may hold line breaks: the line is where its row ends.
        number = table.line_num
        if len(fields) != len(header):
            raise InputError(
                f"has {len(fields)} fields, the header has {len(header)}",
                place=f"{reader.place}, line {number}",
                remedy="Put quotes around fields that hold the delimiter, and double quotes within them",
            )
        yield reader.read(dict(zip(header, fields, strict=True)), number, unit="line")
    reader.finish()


def _broken(error: csv.Error, place: str) -> InputError:
    text = str(error)
    if "field larger" in text:
        return InputError(
            f"a field is longer than {_LONGEST_FIELD} characters",
            place=place,
            remedy="A closing quote is probably missing before this line",
        )
    reason = "a quote is never closed" if "unexpected end" in text else "the quoting is broken"
    return InputError(reason, place=place, remedy='Write a quote within a quoted field twice (""), as RFC 4180 says')
