"""People by their part in a case or a family: the parties of a lawsuit, relatives, and names of a single letter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubepipe.privacy.detect.grammar import FULL_NAME
from kubepipe.privacy.detect.people import named_person
from kubepipe.privacy.entities.model import Span, class_of

# Relatives: "their daughter Mina", "his late wife, Olga Petrova".
_RELATED: Final = re.compile(
    r"\b(?:[Hh]is|[Hh]er|[Tt]heir|[Mm]y|[Oo]ur|['\u2019]s)[ ](?:[a-z]+[ ])?(?:wife|husband|spouse|partner|widow|widower|"
    r"fiancée?|son|daughter|child|brother|sister|mother|father|parents|grand(?:mother|father|son|daughter)|uncle|aunt|"
    r"cousin|nephew|niece|(?:half-|step-?)(?:brother|sister|mother|father|son|daughter)|(?:mother|father|brother|"
    r"sister|son|daughter)-in-law|friend|neighbour|neighbor|colleague|lawyer|solicitor|counsel|representative|doctor|kid)"
    rf",?[ ](?P<name>{FULL_NAME})"
)
# The parties of a case: "CASE OF A AND B v. NORWAY", "A and Others v. Norway".
_PARTY: Final = rf"{FULL_NAME}(?:(?:,| and| AND|, and|, AND)[ ]{FULL_NAME}){{0,4}}"
_CASES: Final = (
    re.compile(
        rf"(?<![\w.])(?:CASE OF |Case of )?(?P<name>{_PARTY})(?:[ ]\([^()\n]{{1,20}}\))?[ ](?:v|vs|c|V)\.?[ ]"
        r"(?=[^\W\d_a-z]|the\b)"
    ),
    re.compile(rf"\b(?:CASE OF|AFFAIRE|Case of|Affaire)[ ](?P<name>{_PARTY})"),
)
_CASE_PIECES: Final = (" v. ", " v ", " vs", " c. ", " V. ", "CASE OF", "AFFAIRE", "Case of", "Affaire")
_BETWEEN: Final = re.compile(r",? (?:and|AND) |, |(?<=\w) (?=Others\b|OTHERS\b)")
_UNNAMED: Final = re.compile(r"(?:the )?(?:Others|Another|State)", re.IGNORECASE)
# One letter and its stop inside a sentence: "reported that J. and R. were well"; a numbered thing is nobody.
_LETTER: Final = re.compile(
    r"(?<=[a-z,] )(?<!itamin )(?<!lass )(?<!ype )(?<!roup )(?<!lan )(?<!ection )(?<!art )(?<!oint )(?<!nnex )"
    r"(?<!ppendix )(?<!epatitis )(?<!rticle )[^\W\d_a-z]\.(?=,|[ ][a-z]|['\u2019]s)"
)


def parties(text: str) -> Iterator[Span]:
    """People that their part in a case or in a family gives away."""
    for match in _RELATED.finditer(text):
        yield from named_person(text, *match.span("name"), "cue", 0.8)
    if any(piece in text for piece in _CASE_PIECES):
        for expression in _CASES:
            for match in expression.finditer(text):
                yield from _members(text, *match.span("name"))
    for match in _LETTER.finditer(text):
        yield Span(*match.span(), "PERSON", class_of("PERSON"), "names:lone", 0.6)


def _members(text: str, start: int, end: int) -> Iterator[Span]:
    """The persons of a party: words between them, and `Others`, name nobody."""
    position = start
    for between in [*_BETWEEN.finditer(text, start, end), None]:
        stop = between.start() if between is not None else end
        if position < stop and not _UNNAMED.fullmatch(text, position, stop):
            yield from named_person(text, position, stop, "cue", 0.8)
        position = between.end() if between is not None else end
