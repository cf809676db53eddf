"""People by their part in a case or a family: the parties of a lawsuit, relatives, and names of a single letter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from kubepipe.privacy.detect.grammar import FULL_NAME, NAME_WORD, words_of_expression
from kubepipe.privacy.detect.people import named_person
from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import all_words, fold, tokens_of
from kubepipe.privacy.entities.words import CALENDAR, GENERIC, HONORIFICS, JOBS, NATIONALITIES, common_words

_RELATIVE: Final = (
    r"(?:wife|husband|spouse|partner|widow|widower|fiancée?|son|daughter|child|brother|sister|mother|father|parents|"
    r"grand(?:mother|father|son|daughter)|uncle|aunt|cousin|nephew|niece|(?:half-|step-?)(?:brother|sister|mother|father|"
    r"son|daughter)|(?:mother|father|brother|sister|son|daughter)-in-law|friend|neighbour|neighbor|colleague|lawyer|"
    r"solicitor|counsel|representative|doctor|kid|"
    r"Frau|Mann|Tochter|Sohn|Bruder|Schwester|Mutter|Vater|femme|mari|fille|fils|frère|sœur|mère|père)"
)
_RELATIVES: Final = words_of_expression(_RELATIVE) | {
    "grandmother",
    "grandfather",
    "grandson",
    "granddaughter",
    "fiancé",
}
_OWNERS: Final = (
    r"(?:[Hh]is|[Hh]er|[Tt]heir|[Mm]y|[Oo]ur|[Ss]eine?|[Ii]hre?|[Mm]eine?|[Ss]on|[Ss]a|[Mm]on|[Mm]a|[Nn]otre)"
)
# Relatives: "their daughter Mina", "his late wife, Olga Petrova".
_RELATED: Final = re.compile(rf"(?:\b{_OWNERS}|['\u2019]s)[ ](?:[a-z]+[ ])?{_RELATIVE},?[ ](?P<name>{FULL_NAME})")
# People by what they do in a case or an office: "prosecutor Ada Lind", "Chief Okoro".
_ROLE_WORD: Final = (
    r"(?:officers?|prosecutors?|investigators?|witness|witnesses|applicants?|judges?|experts?|lawyers?|counsel|inspectors?|"
    r"detectives?|defendants?|accused|suspects?|complainants?|claimants?|plaintiffs?|victims?|gendarmes?|constables?|"
    r"guards?|Officers?|Gendarmes|Constables?|Prosecutor|Investigator|Witness|Chief|Governor|Senator|Sheikh|Imam|Bishop|"
    r"Ambassador|Detective|Zeuge|Zeugen|Zeugin|Klägerin|Kläger|Beklagte|Beklagter|Rechtsanwalt|Rechtsanwältin|témoin|"
    r"docteur|requérante?|locataire|agent|avocate?)"
)
_ROLES: Final = words_of_expression(_ROLE_WORD)
_ROLE: Final = re.compile(rf"\b{_ROLE_WORD},?[ ](?P<name>{FULL_NAME})")
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
# Who does what only people do; letters in capitals are rather an office.
_DEED: Final = (
    r"(?:said|says|stated|explained|told|testified|replied|denied|admitted|confessed|complained|alleged|recalled|insisted|"
    r"asked|married|requested|refused|apologi[sz]ed|died|sued|was (?:born|arrested|convicted|acquitted|questioned))"
)
_DEEDS: Final = words_of_expression(_DEED) - {"was"}
_DOER: Final = re.compile(rf"(?<![\w'\u2019.-])(?P<name>{NAME_WORD})[ ](?:(?:had|has|also|then|later)[ ])?{_DEED}\b")
# One letter and its stop inside a sentence: "reported that J. and R. were well"; a numbered thing is nobody.
_LETTER: Final = re.compile(
    r"(?<=[a-z,] )(?<!itamin )(?<!lass )(?<!ype )(?<!roup )(?<!lan )(?<!ection )(?<!art )(?<!oint )(?<!nnex )"
    r"(?<!ppendix )(?<!epatitis )(?<!rticle )[^\W\d_a-z]\.(?=,|[ ][a-z]|['\u2019]s)"
)


def parties(text: str, language: str) -> Iterator[Span]:
    """People that their part in a case or in a family gives away."""
    words_of_text = all_words(text)
    for match in _RELATED.finditer(text) if not _RELATIVES.isdisjoint(words_of_text) else ():
        if fold(match.group("name")) in CALENDAR:  # "her daughter April"
            yield Span(*match.span("name"), "PERSON", class_of("PERSON"), "cue", 0.8)
        yield from named_person(text, *match.span("name"), "cue", 0.8)
    for match in _ROLE.finditer(text) if not _ROLES.isdisjoint(words_of_text) else ():
        words = [fold(token.text) for token in tokens_of(text, *match.span("name"))]
        if words[0] not in HONORIFICS and not any(word in JOBS or word in GENERIC for word in words):
            yield from named_person(text, *match.span("name"), "names:role", 0.7)
    if any(piece in text for piece in _CASE_PIECES):
        for expression in _CASES:
            for match in expression.finditer(text):
                yield from _members(text, *match.span("name"))
    if not _DEEDS.isdisjoint(words_of_text):
        yield from _doers(text, language)
    for match in _LETTER.finditer(text):
        yield Span(*match.span(), "PERSON", class_of("PERSON"), "names:lone", 0.6)


def _doers(text: str, language: str) -> Iterator[Span]:
    """People of a single name whom a verb gives away: "Marchal denied it"."""
    for match in _DOER.finditer(text):
        word = match.group("name")
        if not word.isupper() and fold(word) not in _unlikely(language):
            yield Span(*match.span("name"), "PERSON", class_of("PERSON"), "names:lone", 0.6)


@cache
def _unlikely(language: str) -> frozenset[str]:
    """Words in folded case that stand before such a verb and name nobody."""
    return common_words(language) | HONORIFICS | GENERIC | CALENDAR | JOBS | NATIONALITIES


def _members(text: str, start: int, end: int) -> Iterator[Span]:
    """The persons of a party: words between them, and `Others`, name nobody."""
    position = start
    for between in [*_BETWEEN.finditer(text, start, end), None]:
        stop = between.start() if between is not None else end
        if position < stop and not _UNNAMED.fullmatch(text, position, stop):
            yield from named_person(text, position, stop, "cue", 0.8)
        position = between.end() if between is not None else end
