"""Words of a text, as names are made of them."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from kubepipe.privacy.entities.unseen import MARKS

# A word is a run of letters with their combining marks; an apostrophe joins only a short head (O'Brien, D'Angelo),
# so a possessive or an elision stays outside. The underscore separates: SQuAD titles are written with it.
_WORD: Final = re.compile(
    r"(?:(?<![^\W\d_])[ODLMod]['\u2019](?=[^\W\d_]{3}))?"
    r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f]"
    # What nobody sees parts no word: a soft hyphen, joiners, marks of direction.
    rf"|[{MARKS}]+(?=[^\W\d_]))*"
)
_FIRST_PERSON: Final = re.compile(r"\bI\b")
_MARKS: Final = re.compile(f"[{MARKS}]+")
_ENCLITICS: Final = frozenset({"s", "t", "d", "m", "ll", "re", "ve"})
_APOSTROPHES: Final = "'\u2019"


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """One spelling for all ways of writing a word: any case, with or without accents (Beyoncé, BEYONCE), or joiners."""
    folded = text.casefold()
    if folded.isascii():
        return folded
    folded = _MARKS.sub("", folded)
    return "".join(letter for letter in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(letter))


class Token(NamedTuple):
    """A word and where it stands, in code points."""

    start: int
    end: int
    text: str


def tokens_of(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """Words of `text[start:end]`, with offsets in the whole text."""
    for match in _WORD.finditer(text, start, len(text) if end is None else end):
        yield Token._make((*match.span(), match.group()))


def all_tokens(text: str) -> tuple[Token, ...]:
    """All words of a text; one rule after the other reads the same texts, so each is split only once."""
    return _tokens_of_short(text) if len(text) <= _SHORT else _tokens_of_long(text)


_SHORT: Final = 10_000
"""Longest text, in code points, of which many are kept."""


@lru_cache(maxsize=256)
def _tokens_of_short(text: str) -> tuple[Token, ...]:
    return tuple(tokens_of(text))


@lru_cache(maxsize=2)
def _tokens_of_long(text: str) -> tuple[Token, ...]:
    return tuple(tokens_of(text))


@lru_cache(maxsize=4)
def all_words(text: str) -> frozenset[str]:
    """The different words of a text, as they are written: a rule whose cue is not among them need not run."""
    return frozenset(token.text for token in all_tokens(text))


def is_name_like(word: str) -> bool:
    """Whether a word is written as names are: not wholly in lower case (scripts without case count as names)."""
    return not word.islower()


def may_be_name(text: str, token: Token) -> bool:
    """Whether a word of a text may be a name as it is written: not in lower case, or in a line without capitals."""
    return is_name_like(token.text) or _is_in_caseless_line(text, token.start)


def _is_in_caseless_line(text: str, position: int) -> bool:
    """Whether the writer of this line used no capitals, as in a question that was typed into a search box.

    There a word in lower case may be a name, and says nothing about whether it is an ordinary word. The first word and
    the English I count for nothing.
    """
    starts, ends = _caseless_lines(text)
    line = bisect_right(starts, position) - 1
    return line >= 0 and position < ends[line]


@lru_cache(maxsize=4)
def _caseless_lines(text: str) -> tuple[list[int], list[int]]:
    starts, ends, start = list[int](), list[int](), 0
    for line in text.split("\n"):
        first = _WORD.search(line)
        if first is not None:
            rest = _FIRST_PERSON.sub("i", line[first.end() :])
            if rest == rest.lower():
                starts.append(start)
                ends.append(start + len(line))
        start += len(line) + 1
    return starts, ends


def is_enclitic(text: str, token: Token) -> bool:
    """Whether a word is the s of a possessive or the like: short, and behind an apostrophe."""
    return token.start > 0 and text[token.start - 1] in _APOSTROPHES and fold(token.text) in _ENCLITICS
