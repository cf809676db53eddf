"""The direct identifiers of the original, ready to be looked for in any text.

The same look serves the engine, which replaces every hit, and the gate, which counts hits as leaks. A hit is whole
words written as a name is written, or standing in a line without capitals; in any other line words in small letters
count when the data set nearly always writes them as a name. A single word counts in the whole data set only when it is
no ordinary word, and else only in the passage where it was found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import all_tokens, fold, is_enclitic, is_name_like, may_be_name, tokens_of
from kubepipe.privacy.entities.words import AMBIGUOUS, HONORIFICS, JOBS, PARTICLES

SHORTEST_PART: Final = 4
"""A part of a name is looked for in the whole data set when it has at least so many letters."""

_CHUNK: Final = re.compile(r"[^\s<>()\[\]{}\"“”,;]+")
_DIGITS: Final = re.compile(r"(?<!\d)\d(?:[ .\-/()\u00a0\u2011+]{0,2}\d){5,30}(?!\d)")
_HOST: Final = re.compile(r"(?<![\w.-])\w[\w-]*(?:\.[\w-]+)+(?:/\S*)?")
# A word with a digit or an underscore in it, or with two capitals in front; longer ones are no user names.
_HANDLE: Final = re.compile(r"(?<!\w)(?=\w*[\d_]|[A-Z]{2}[a-z])\w{6,30}(?!\w)")
_SHORTEST_IN_HANDLE: Final = 5
_LETTERS: Final = re.compile(rf"[^\W\d_]{{{_SHORTEST_IN_HANDLE},}}")
_SHORTEST_CODE: Final = 4
_SHORTEST_NUMBER: Final = 6
"""A shorter number (a year, an amount) is everywhere; it is replaced where it was found and not looked for."""

_WORDY: Final = frozenset({"PERSON", "ADDRESS"})


@dataclass(slots=True)
class Vault:
    """Direct identifiers found in a data set.

    Attributes:
        words: Single words, in folded case, that count everywhere.
        names: Names of several words, in folded case, by their first two: many share a first name.
        codes: Letters and digits of identifiers, in lower case.
        small: Those of the words that are names in small letters as well, in any line.
    """

    words: set[str] = field(default_factory=set)
    names: dict[tuple[str, ...], set[tuple[str, ...]]] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)
    small: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.words) + sum(map(len, self.names.values())) + len(self.codes)

    def add(self, values: Iterable[tuple[str, ...]], codes: Iterable[str]) -> None:
        """Take in names (tuples of folded words) and codes of a passage."""
        self.codes.update(codes)
        for value in values:
            if len(value) > 1:
                self.names.setdefault(value[:2], set()).add(value)
            else:
                self.words.add(value[0])

    def weed(self, is_common: Callable[[str], bool]) -> None:
        """Complete the single words by the parts of longer names, then leave out ordinary and short ones."""
        for values in self.names.values():
            for value in values:
                self.words.update(value)
        self.words = {
            word
            for word in self.words
            if len(word) >= SHORTEST_PART and word not in HONORIFICS and word not in PARTICLES and not is_common(word)
        }

    def find(self, text: str, local: frozenset[str] = frozenset()) -> Iterator[Span]:
        """Places where an identifier stands; they may overlap.

        Args:
            text: Any text.
            local: Single words, in folded case, that count in this text besides those that count everywhere.
        """
        for token in all_tokens(text) if (self.words or local) else ():
            if self._is_known(token.text, local) and (fold(token.text) in self.small or may_be_name(text, token)):
                yield Span(token.start, token.end, "PERSON", class_of("PERSON"), "vault", 1.0)
        if self.words:
            yield from self._find_handles(text)
        if self.names:
            yield from self._find_names(text)
        if self.codes:
            yield from self._find_codes(text)

    def _is_known(self, word: str, local: frozenset[str]) -> bool:
        """Whether a single word counts; one in lower case only where it cannot be an ordinary word as well."""
        folded = fold(word)
        if is_name_like(word):
            return folded in self.words or folded in local
        return folded in self.words and folded not in AMBIGUOUS and folded not in JOBS

    def _find_handles(self, text: str) -> Iterator[Span]:
        """User names that are made of a name: `LIngersoll3`, `ada_lovelace`."""
        for match in _HANDLE.finditer(text):
            if any(map(self._has_name, _LETTERS.findall(fold(match.group())))):
                yield Span(match.start(), match.end(), "HANDLE", class_of("HANDLE"), "vault", 1.0)

    def _has_name(self, letters: str) -> bool:
        return any(
            letters[start:end] in self.words
            for start in range(len(letters) - _SHORTEST_IN_HANDLE + 1)
            for end in range(start + _SHORTEST_IN_HANDLE, len(letters) + 1)
        )

    def _find_names(self, text: str) -> Iterator[Span]:
        tokens = all_tokens(text)
        folded = [fold(token.text) for token in tokens]
        for position, pair in enumerate(pairwise(folded)):
            candidates = self.names.get(pair)
            if candidates is None or not may_be_name(text, tokens[position]):
                continue
            for value in candidates:
                if tuple(folded[position : position + len(value)]) == value:
                    yield Span(
                        tokens[position].start,
                        tokens[position + len(value) - 1].end,
                        "PERSON",
                        class_of("PERSON"),
                        "vault",
                        1.0,
                    )

    def _find_codes(self, text: str) -> Iterator[Span]:
        for expression in (_CHUNK, _DIGITS, _HOST):
            for match in expression.finditer(text):
                if match.group().isalpha() or code_of(match.group()) not in self.codes:
                    continue
                start, end = _alnum_edges(text, *match.span())
                yield Span(start, end, "CODE", class_of("CODE"), "vault", 1.0)


def values_of(text: str, spans: Iterable[Span]) -> tuple[set[tuple[str, ...]], set[str]]:
    """Direct identifiers among spans: names as tuples of folded words, and codes."""
    names: set[tuple[str, ...]] = set()
    codes: set[str] = set()
    for span in spans:
        if span.cls != "DIRECT":
            continue
        if span.type == "PERSON":
            tokens = [token for token in tokens_of(text, span.start, span.end) if not is_enclitic(text, token)]
            words = tuple(fold(token.text) for token in tokens)
            while words and words[0] in PARTICLES:
                words = words[1:]
            if any(len(word) > 1 for word in words):
                names.add(words)
            continue
        code = code_of(text[span.start : span.end])
        # A street is many words; its parts are places, only the whole is looked for.
        if span.type not in _WORDY and len(code) >= (_SHORTEST_NUMBER if code.isdigit() else _SHORTEST_CODE):
            codes.add(code)
    return names, codes


def local_words(values: Iterable[tuple[str, ...]]) -> frozenset[str]:
    """Names of a single word: they count in their own passage even when they are ordinary words."""
    return frozenset(value[0] for value in values if len(value) == 1)


LONGEST_VALUE: Final = 6
"""A longer value is known by its first words."""

_PART: Final = re.compile(r"[^\W_]+")


def value_of(text: str, longest: int | None = LONGEST_VALUE) -> tuple[str, ...]:
    """Words and numbers of a value in one spelling, the first `longest` of them: only their sequence counts."""
    return tuple(fold(match.group()) for match in _PART.finditer(text))[:longest]


def code_of(text: str) -> str:
    """Letters and digits of an identifier, in lower case, so that another way of writing it is found as well."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _alnum_edges(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return start, end
