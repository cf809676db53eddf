"""Bytes to text and text to JSON, with errors that a person can act on."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn

from kubepipe.errors import InputError

_WIDE_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,39}")
_MOST_NAMES: Final = 12
#: Bytes that are letters and quotes in Windows-1252 and control characters in Latin-1.
_WINDOWS_ONLY: Final = range(0x80, 0xA0)
#: Share of zero bytes in the beginning of a text from which on it is taken for UTF-16 without a byte order mark.
_ZERO_SHARE: Final = 0.2


def check_encoding(head: bytes, place: str) -> None:
    """Refuse text in a wide encoding by its first bytes.

    Raises:
        InputError: The bytes look like UTF-16 or UTF-32.
    """
    for mark, name in _WIDE_BOMS:
        if head.startswith(mark):
            _refuse_encoding(name, place)
    sample = head[:4096]
    if not sample.count(0) > _ZERO_SHARE * len(sample):
        return
    text_bytes = set(sample) - {0}
    if text_bytes and sample.count(0) <= len(sample) * 0.6 and not _has_long_zero_run(sample):
        _refuse_encoding("UTF-16LE" if sample[1::2].count(0) > sample[::2].count(0) else "UTF-16BE", place)


def decode(data: bytes, place: str, *, first_line: int = 1) -> str:
    """UTF-8 bytes as text; a byte order mark is left out.

    Args:
        data: The bytes.
        place: Where they come from, for the error.
        first_line: Line number of the first byte.

    Raises:
        InputError: The bytes are not UTF-8; the message names the line and the likely encoding.
    """
    try:
        return data.decode("utf-8-sig" if first_line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        place = f"{place}, line {line}"
        if error.reason == "unexpected end of data":
            raise InputError(
                "ends in the middle of a character", place=place, remedy="The file is cut off: export or copy it again"
            ) from None
        window = data[error.start : error.start + 4096]
        _refuse_encoding("Windows-1252" if any(byte in _WINDOWS_ONLY for byte in window) else "Latin-1", place)


def decode_lines(lines: Iterable[bytes], place: str) -> Iterator[str]:
    """Lines of UTF-8 text, one by one, ends kept.

    Raises:
        InputError: A line is not UTF-8.
    """
    for number, line in enumerate(lines, start=1):
        yield decode(line, place, first_line=number)


def parse_json(text: str, place: str, *, line: int | None = None) -> Any:
    """A JSON text as Python values.

    Args:
        text: The text.
        place: Where it comes from, for the error.
        line: Line number, when the text is one line of a file.

    Raises:
        InputError: The text is no JSON, is cut off, is nested too deeply, or holds NaN or infinity.
    """

    def refuse_constant(_name: str) -> NoReturn:
        raise InputError(
            "holds NaN or Infinity, which JSON does not know",
            place=_at(place, line),
            remedy="Write null for a missing value",
        )

    try:
        return json.loads(text, parse_constant=refuse_constant)
    except RecursionError:
        raise InputError("is nested too deeply", place=_at(place, line), remedy="No data set looks like this") from None
    except json.JSONDecodeError as error:
        where = (
            f"{_at(place, line)}, column {error.colno}"
            if line
            else f"{place}, line {error.lineno}, column {error.colno}"
        )
        is_cut_off = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        if is_cut_off:
            raise InputError(
                "the JSON ends too early", place=where, remedy="The file is cut off: export or copy it again"
            ) from None
        raise InputError(
            f"is no JSON: {error.msg}", place=where, remedy="Repair this line, or export it again"
        ) from None
    except ValueError:
        raise InputError("holds a number that is too long", place=_at(place, line), remedy="Write it as text") from None


def whole(text: str) -> str:
    """The text without half surrogate pairs, which JSON can carry and UTF-8 cannot; its length stays."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text


def names(found: Iterable[object]) -> str:
    """Names of keys or columns for an error message.

    Only names that look like names of columns are shown: a key may be a value of the data.
    """
    keys = [str(key) for key in found]
    shown = [key for key in keys if _PLAIN_NAME.fullmatch(key)][:_MOST_NAMES]
    hidden = len(keys) - len(shown)
    if not keys:
        return "none"
    if not shown:
        return f"{hidden} whose names are not shown"
    return ", ".join(shown) + (f" and {hidden} more" if hidden else "")


def _at(place: str, line: int | None) -> str:
    return f"{place}, line {line}" if line else place


def _has_long_zero_run(sample: bytes) -> bool:
    return b"\0\0\0\0" in sample


def _refuse_encoding(name: str, place: str) -> NoReturn:
    code = name.upper()
    raise InputError(
        f"looks like {name}, and only UTF-8 is read",
        place=place,
        remedy=f"Convert it: iconv -f {code} -t UTF-8 OLD > NEW",
    )
