"""People that stand beside people: initials, lists of names, and who speaks in a dialogue.

These rules see what the others found: one name in a list says that its neighbours are names as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from kubepipe.privacy.detect.grammar import FULL_NAME, INITIALS, NAME_WORD, PARTICLE
from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import fold, tokens_of
from kubepipe.privacy.entities.words import (
    ABBREVIATIONS,
    CALENDAR,
    GENERIC,
    HONORIFICS,
    NATIONALITIES,
    PARTICLES,
    common_words,
)

_BEFORE: Final = re.compile(rf"(?<![\w.])(?P<initials>{INITIALS})[ \t]?\Z")
_AFTER: Final = re.compile(r"[ \t](?P<initial>[^\W\d_a-z]\.)(?!\w|[ \t]?[^\W\d_a-z]\.)")
# A capital beside a single name, inside a sentence: its other half.
_HALF_BEFORE: Final = re.compile(rf"(?<=[a-z,;] )(?P<half>{NAME_WORD})[ ]\Z")
_HALF_AFTER: Final = re.compile(rf"[ ](?P<half>{NAME_WORD})(?![\w])")
_LONGEST_HALF: Final = 30
_LONGEST_INITIALS: Final = 24
# First letters and a surname (J. R. Smith), or a middle letter without its stop (Anna B Smith).
_SHORTENED: Final = re.compile(
    rf"(?<![\w.'\u2019])(?P<name>(?:{INITIALS})[ \t]?(?:{PARTICLE}[ \t]+)?{NAME_WORD})(?![\w])"
    rf"|(?<![\w.'\u2019-])(?P<middle>{NAME_WORD}[ \t][^\W\d_a-z]\.?[ \t](?:{PARTICLE}[ \t]+)?{NAME_WORD})(?!\w)"
)
_LETTERS: Final = re.compile(r"(?<![\w.&])(?:[^\W\d_a-z]\.[ \t]?-?){1,2}[^\W\d_a-z]\.(?![\w])")
_ITEM: Final = rf"(?:{NAME_WORD}|{INITIALS})(?:[ ](?:{PARTICLE}[ ])?(?:{NAME_WORD}|{INITIALS})){{0,3}}"
_SEPARATOR: Final = r"(?:[ \t]?,[ \t]*(?:and |und |et |& )?|[ \t](?:and|und|et|&|or)[ \t]|[ ]*\t\s*)"
_LIST: Final = re.compile(rf"(?<![\w.'\u2019-]){_ITEM}(?:{_SEPARATOR}{_ITEM}){{1,30}}(?!\w)")
_ITEMS: Final = re.compile(_ITEM)
# A line that holds one name: "Ada Lind, President,", "and M. Okoro, Registrar,".
_ROW: Final = re.compile(
    rf"^[ \t]*(?:(?:and|und|et|[-\u2013*\u2022]|\d{{1,2}}[.)])[ \t]+)?(?P<name>{_ITEM})"
    r"(?:,[ ]?[\w' -]{0,40})?[,;.]?[ \t]*$",
    re.MULTILINE,
)
_SPEAKER: Final = re.compile(rf"^[ \t]*(?P<name>{FULL_NAME})[ \t]*:(?=[ \t]*[\w\"'“\u2018])", re.MULTILINE)
_LEAST_SHARE: Final = 3
"""One in three is enough: the recogniser often sees only some names of a list."""
_OF_PERSON: Final = 2
_SPEAKERS: Final = 2
_LONGEST_SPEAKER: Final = 3


def shortened_people(text: str, language: str) -> Iterator[Span]:
    """Names with first letters before or inside them, and people that are named by letters alone (J.K.)."""
    for match in _SHORTENED.finditer(text):
        group = match.lastgroup or "name"
        words = [fold(token.text) for token in tokens_of(text, *match.span(group)) if len(token.text) > 1]
        letters = "".join(token.text for token in tokens_of(text, *match.span(group)) if len(token.text) == 1)
        if words and fold(letters) not in ABBREVIATIONS and not any(_is_ordinary(word, language) for word in words):
            yield _person(*match.span(group), "names")
    for match in _LETTERS.finditer(text):
        if fold("".join(filter(str.isalpha, match.group()))) not in ABBREVIATIONS:
            yield _person(*match.span(), "names:lone")


def beside_people(text: str, spans: Sequence[Span], language: str) -> Iterator[Span]:
    """Initials around found people, the other members of a list with people in it, and the speakers of a dialogue."""
    people = [span for span in spans if span.type == "PERSON"]
    if not people:
        return
    for span in people:
        before = _BEFORE.search(text, max(0, span.start - _LONGEST_INITIALS), span.start)
        if before is not None:
            yield _person(*before.span("initials"), "cue")
        after = _AFTER.match(text, span.end)
        if after is not None:
            yield _person(*after.span("initial"), "cue")
    known = bytearray(len(text))
    for span in spans:
        mark = bytes([_OF_PERSON if span.type == "PERSON" else 1])
        known[span.start : span.end] = mark * (span.end - span.start)
    yield from _halves(text, people, known, language)
    yield from _listed(text, known, language)
    yield from _rows(text, known, language)
    yield from _speakers(text, known, language)


def _halves(text: str, people: Sequence[Span], known: bytearray, language: str) -> Iterator[Span]:
    for span in people:
        if " " in text[span.start : span.end]:
            continue
        before = _HALF_BEFORE.search(text, max(0, span.start - _LONGEST_HALF), span.start)
        for match in (before, _HALF_AFTER.match(text, span.end)):
            if match is not None and not any(known[slice(*match.span("half"))]):
                words = [fold(token.text) for token in tokens_of(text, *match.span("half"))]
                if not any(_is_ordinary(word, language) for word in words):
                    yield _person(*match.span("half"), "names")


def _listed(text: str, known: bytearray, language: str) -> Iterator[Span]:
    for match in _LIST.finditer(text):
        items = [item.span() for item in _ITEMS.finditer(text, *match.span())]
        named = sum(_OF_PERSON in known[start:end] for start, end in items)
        free = [(start, end) for start, end in items if not any(known[start:end])]
        if not free or named * _LEAST_SHARE < len(items):
            continue
        for start, end in free:
            words = [fold(token.text) for token in tokens_of(text, start, end)]
            if not any(_is_ordinary(word, language) for word in words):
                yield _person(start, end, "names")


def _rows(text: str, known: bytearray, language: str) -> Iterator[Span]:
    """Full names that fill lines one under the other, where enough of these lines hold a person."""
    for block in _blocks(text):
        named = sum(_OF_PERSON in known[start:end] for start, end in block)
        if len(block) == 1 or named * _LEAST_SHARE < len(block):
            continue
        for start, end in block:
            words = [fold(token.text) for token in tokens_of(text, start, end)]
            if len(words) > 1 and not any(_is_ordinary(word, language) for word in words):
                yield _person(start, end, "names")


def _blocks(text: str) -> Iterator[list[tuple[int, int]]]:
    """Names that fill lines, together where the lines follow one another."""
    block: list[tuple[int, int]] = []
    end = -1
    for match in _ROW.finditer(text):
        if block and match.start() != end + 1:
            yield block
            block = []
        block.append(match.span("name"))
        end = match.end()
    if block:
        yield block


def _speakers(text: str, known: bytearray, language: str) -> Iterator[Span]:
    found = [match.span("name") for match in _SPEAKER.finditer(text)]
    found = [(start, end) for start, end in found if len(text[start:end].split()) <= _LONGEST_SPEAKER]
    if len(found) < _SPEAKERS or not any(_OF_PERSON in known[start:end] for start, end in found):
        return
    for start, end in found:
        if not any(_is_ordinary(fold(token.text), language) for token in tokens_of(text, start, end)):
            yield _person(start, end, "names")


def _is_ordinary(word: str, language: str) -> bool:
    if word in PARTICLES:
        return False
    return word in common_words(language) or word in HONORIFICS | GENERIC | CALENDAR | NATIONALITIES


def _person(start: int, end: int, source: str) -> Span:
    return Span(start, end, "PERSON", class_of("PERSON"), source, 0.7)
