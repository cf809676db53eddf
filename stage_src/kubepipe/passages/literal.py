"""Python values as pandas and NumPy print them into text columns.

`DataFrame.to_csv` writes nested values with `str()`, so a column of answers comes back as
`{'text': array(['Rome'], dtype=object), 'answer_start': array([12])}`. Such a text is no Python source that could be
evaluated (`array` is a call), and a NumPy array of texts is printed without commas, which Python would read as one
joined text. So it is parsed here, without evaluating anything but single quoted texts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
      | (?P<mark>[\[\](){}:,=])
    )""",
    re.VERBOSE | re.DOTALL,
)
_WORDS: Final = {"None": None, "null": None, "nan": None, "NaN": None, "True": True, "False": False, "NA": None}
_CALLS: Final = frozenset({"array", "np.array", "numpy.array", "list", "tuple"})
_SCALARS: Final = re.compile(r"(?:np|numpy)\.(?:int|uint|float|str)\d*_?")
_CLOSING: Final = {"[": "]", "(": ")"}
_DEEPEST: Final = 8
_LONGEST_NUMBER: Final = 40


class NotALiteralError(ValueError):
    """The text is no printed Python value of the kinds that are read here."""


def parse_literal(text: str) -> Any:
    """A printed Python value: dicts, lists, tuples, NumPy arrays, texts, numbers, None.

    Raises:
        NotALiteralError: The text is something else.
    """
    parser = _Parser(list(_tokens(text)))
    value = parser.value(0)
    if parser.position != len(parser.tokens):
        raise NotALiteralError
    return value


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise NotALiteralError
        yield match.lastgroup, match[match.lastgroup]
        position = match.end()


@dataclass(slots=True)
class _Parser:
    tokens: list[tuple[str, str]]
    position: int = field(default=0)

    def peek(self) -> str:
        return self.tokens[self.position][1] if self.position < len(self.tokens) else ""

    def take(self) -> tuple[str, str]:
        if self.position >= len(self.tokens):
            raise NotALiteralError
        self.position += 1
        return self.tokens[self.position - 1]

    def expect(self, mark: str) -> None:
        if self.take() != ("mark", mark):
            raise NotALiteralError

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise NotALiteralError
        kind, piece = self.take()
        if kind == "text":
            return _quoted(piece)
        if kind == "number":
            return _number(piece)
        if kind == "word":
            return self.word(piece, depth)
        if piece == "{":
            return self.mapping(depth)
        if piece in _CLOSING:
            return self.sequence(_CLOSING[piece], depth)
        raise NotALiteralError

    def word(self, word: str, depth: int) -> Any:
        if word in _WORDS:
            return _WORDS[word]
        if word not in _CALLS and not _SCALARS.fullmatch(word):
            raise NotALiteralError
        self.expect("(")
        value = self.value(depth + 1)
        while self.peek() == ",":
            self.take()
            self.keyword()
        self.expect(")")
        return value

    def keyword(self) -> None:
        """Skip `dtype=object` and its like, which follow the value of an array."""
        if self.peek() == ")":
            return
        self.take()
        self.expect("=")
        self.take()

    def sequence(self, closing: str, depth: int) -> list[Any]:
        values = []
        while self.peek() != closing:
            values.append(self.value(depth + 1))
            if self.peek() == ",":
                self.take()
        self.take()
        return values

    def mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while self.peek() != "}":
            kind, key = self.take()
            if kind != "text":
                raise NotALiteralError
            self.expect(":")
            values[_quoted(key)] = self.value(depth + 1)
            if self.peek() == ",":
                self.take()
        self.take()
        return values


def _quoted(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    try:
        # One quoted text, as the pattern made sure: nothing else can be evaluated. A printed array may hold a raw line
        # break inside a text, which Python wants escaped.
        return str(ast.literal_eval(token.replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\\0")))
    except (SyntaxError, ValueError) as error:
        raise NotALiteralError from error


def _number(token: str) -> int | float:
    if len(token) > _LONGEST_NUMBER:
        raise NotALiteralError
    return int(token) if token.lstrip("+-").isdigit() else float(token)
