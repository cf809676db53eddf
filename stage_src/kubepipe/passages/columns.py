"""Rows of any table format as raw questions."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kubepipe.errors import InputError
from kubepipe.passages.answers import AnswerShapeError, read_answers
from kubepipe.passages.raw import RawQuestion
from kubepipe.passages.tally import Tally
from kubepipe.passages.text import names
from kubepipe.settings import Columns

_IMPOSSIBLE: Final = "is_impossible"
_KINDS: Final[dict[type, str]] = {
    list: "a list",
    dict: "an object",
    int: "a number",
    float: "a number",
    bool: "true or false",
    bytes: "bytes",
}
_SETTING: Final = "--set dataset.columns.{role}=NAME"


@dataclass(slots=True)
class RowReader:
    """Reads rows of one table with one mapping of columns.

    Attributes:
        place: The table, for errors.
        columns: Names of the columns.
        tally: Where dropped rows are counted.
    """

    place: str
    columns: Columns
    tally: Tally
    _seen: dict[str, None] = field(default_factory=dict)
    _rows: int = 0
    _own: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._own = frozenset({*self.columns.model_dump().values(), _IMPOSSIBLE})

    def check_header(self, found: Iterable[str]) -> None:
        """Refuse a table without a column that is needed.

        Raises:
            InputError: A column is missing or there twice.
        """
        header = list(found)
        needed = {"context": self.columns.context, "question": self.columns.question, "answers": self.columns.answers}
        missing = {role: name for role, name in needed.items() if name not in header}
        if len(missing) == len(needed):
            # Nothing is quoted: without a header the first line is data.
            raise InputError(
                f"is no JSON, and no table whose first line names the columns {names(needed.values())}",
                place=self.place,
                remedy=f"Name your columns with {_SETTING.format(role='context')} and so on, or add a header line",
            )
        if missing:
            self._refuse_missing(next(iter(missing)), header)
        twice = {name for name in header if name and header.count(name) > 1}
        if twice:
            raise InputError(
                f"has a column twice: {names(sorted(twice))}", place=self.place, remedy="Rename one of the two"
            )

    def read(self, row: Mapping[str, Any], number: int, *, unit: str = "row") -> RawQuestion:
        """A row as a raw question.

        Args:
            row: Values by column.
            number: Number of the row or line, from 1.
            unit: What the number counts, for errors.

        Raises:
            InputError: A value has a type that cannot be read.
        """
        self._rows += 1
        self._seen.update(dict.fromkeys(row))
        columns = self.columns
        place = f"{self.place}, {unit} {number}"
        try:
            answers = read_answers(row.get(columns.answers), row.get(columns.answer_start))
        except AnswerShapeError as error:
            raise InputError(
                f"column '{columns.answers}' holds {error}",
                place=place,
                remedy="Write {text: [...], answer_start: [...]}, a list of texts, or one text",
            ) from None
        if str(row.get(_IMPOSSIBLE)).lower() == "true" and answers:
            self.tally["answers_of_impossible_questions"] += len(answers)
            answers = ()
        identifier, document = row.get(columns.id), row.get(columns.document)
        return RawQuestion(
            context=_text(row.get(columns.context), columns.context, place),
            text=_text(row.get(columns.question), columns.question, place),
            answers=answers,
            id=cell_text(identifier) or None,
            document=cell_text(document) or None,
            extra=extra_columns({name: value for name, value in row.items() if name not in self._own}),
        )

    def finish(self) -> None:
        """Refuse a table whose rows never held a needed column; to be called after the last row.

        Raises:
            InputError: The table has no rows, or none of them has the column.
        """
        if not self._rows:
            raise InputError("holds no rows", place=self.place, remedy="Give a file with questions and answers")
        needed = {"context": self.columns.context, "question": self.columns.question, "answers": self.columns.answers}
        for role, name in needed.items():
            if name not in self._seen:
                self._refuse_missing(role, list(self._seen))

    def _refuse_missing(self, role: str, found: list[str]) -> None:
        name = getattr(self.columns, role)
        raise InputError(
            f"has no column '{name}' (found: {names(found)})",
            place=self.place,
            remedy=f"Name the column with the {role} by {_SETTING.format(role=role)}",
        )


def extra_columns(values: Mapping[str, Any]) -> dict[str, str]:
    """Further columns as text, without the empty ones and without the unnamed index column that pandas writes."""
    texts = ((str(name), cell_text(value)) for name, value in values.items())
    return {name: text for name, text in texts if name and text}


def cell_text(value: Any) -> str | None:
    """A value as text; None for a missing one."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)


def _text(value: Any, column: str, place: str) -> str:
    """A context or question; blank where it is missing."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    raise InputError(
        f"column '{column}' holds {_KINDS.get(type(value), 'something')}, no text",
        place=place,
        remedy="Write it as text",
    )
