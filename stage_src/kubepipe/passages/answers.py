"""The answers of a row, in all the forms in which tools write them."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from kubepipe.passages.literal import NotALiteralError, parse_literal
from kubepipe.passages.raw import RawAnswer

_TEXT: Final = "text"
_START: Final = "answer_start"
_OPENINGS: Final = ("{", "[", "array(", "np.array(")


class AnswerShapeError(ValueError):
    """An answers column holds something that is no answers; the argument names its type."""


def read_answers(cell: Any, start: Any = None) -> tuple[RawAnswer, ...]:
    """Gold answers of a cell, in its order.

    Args:
        cell: `{text: [...], answer_start: [...]}`, a list of `{text, answer_start}`, a list of texts, one text, the
            JSON or Python print of these, or nothing.
        start: Offset or offsets of another column, for answers without their own.

    Raises:
        AnswerShapeError: The cell holds something else.
    """
    value = _structure(cell) if isinstance(cell, str) else cell
    if _is_missing(value):
        return ()
    if isinstance(value, dict):
        return _from_mapping(value, start)
    if isinstance(value, list | tuple):
        return _from_list(list(value), start)
    return _pair([value], _starts(start))


def read_start(value: Any) -> int | None:
    """An offset in code points; None where the value is no whole number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() else None
    return value if isinstance(value, int) else None


def _from_mapping(value: dict[Any, Any], start: Any) -> tuple[RawAnswer, ...]:
    if _TEXT not in value:
        raise AnswerShapeError("an object without the key 'text'")
    return _pair(_as_list(value[_TEXT]), _starts(value.get(_START, start)))


def _from_list(values: list[Any], start: Any) -> tuple[RawAnswer, ...]:
    if values and all(isinstance(value, dict) for value in values):
        return tuple(answer for value in values for answer in _from_mapping(value, None))
    return _pair(values, _starts(start))


def _pair(texts: list[Any], starts: list[Any]) -> tuple[RawAnswer, ...]:
    padded = starts + [None] * (len(texts) - len(starts))
    return tuple(
        RawAnswer(_as_text(text), read_start(start))
        for text, start in zip(texts, padded, strict=False)
        if not _is_missing(text)
    )


def _structure(cell: str) -> Any:
    """The value that a text prints, or the text itself when it prints nothing that answers look like."""
    stripped = cell.strip()
    if not stripped.startswith(_OPENINGS):
        return cell
    value = _parse(stripped)
    is_object = isinstance(value, dict) and _TEXT in value
    # A list of numbers is no list of answers: "[1]" is an answer by itself.
    is_list = isinstance(value, list) and all(isinstance(item, str | dict | None) for item in value)
    return value if is_object or is_list else cell


def _starts(value: Any) -> list[Any]:
    parsed = _parse(value.strip()) if isinstance(value, str) and value.strip().startswith(_OPENINGS) else value
    return _as_list(parsed)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return parse_literal(text)
    except NotALiteralError:
        return text


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None else [value]


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise AnswerShapeError(_KINDS.get(type(value), "values of an unknown type"))


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


_KINDS: Final[dict[type, str]] = {bool: "true or false", dict: "objects", list: "lists", tuple: "lists", bytes: "bytes"}
