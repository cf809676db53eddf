"""People that the words around them give away: titles, greetings, form fields, and first names beside a surname."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Final

from kubepipe.privacy.detect.grammar import FULL_NAME, NAME_WORD, PARTICLE, TITLE, TITLE_WORDS
from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import all_tokens, all_words, fold
from kubepipe.privacy.entities.words import (
    AMBIGUOUS,
    CALENDAR,
    GENERIC,
    HONORIFICS,
    NATIONALITIES,
    PARTICLES,
    common_words,
)

# "Mr Hr. Danov": letters of another script may be two or three; "Mr Wu. He said" is the end of a sentence.
_SHORT_GIVEN: Final = (
    r"(?:[^\W\d_a-z][a-z]{1,2}\.[ \t]+(?!(?:He|She|The|They|It|His|Her|Its|Their|In|On|At|By|This|That|These|When|"
    r"After|But|And|A|An|As|For|From|I|We|You|There|However|According|Er|Sie|Es|Der|Die|Das|Il|Elle|Le|La|Les)\b))?"
)
_TITLED: Final = re.compile(
    rf"(?<!\w)(?P<title>{TITLE}\b\.?(?:[ \t]+(?:Dr|Prof|med)\b\.?)*)[ \t]+(?P<name>{_SHORT_GIVEN}{FULL_NAME})"
)
_CUED: Final = re.compile(
    r"(?:\b(?:my|his|her|their|your|the|patient'?s?|last|first|full|maiden|middle)[ \t]+(?:last |first |full |"
    r"maiden )?"
    r"name(?:[ \t]+is|'s|[ \t]+was|[?:])"
    r"|\bname[ \t]*:|\bI am called|\bcall me|\bnamed|\bname is|\bmein Name ist|\bich heiße|\bje m'appelle"
    r"|\b(?:father|mother|brother|sister|son|daughter|wife|husband|friend|[Hh]e|[Ss]he|man|woman|who)[ \t]+"
    r"(?:was|is)[ \t]+(?:called|named)|\bin the name of|\b(?:alias|a\.k\.a\.|aka|nicknamed|genannt|dit)"
    r"|\bknown as[ \t]+(?=[\"“\u2018])|\b[Aa] certain"
    r"|(?:^|\n)[ \t]*(?:Dear|Hi|Hello|Hallo|Liebe[r]?|Cher|Chère|Bonjour)"
    r"|\b(?:Patient|Client|Customer|User|Tenant|Employee|Applicant|Claimant|Defendant|Plaintiff|Witness|"
    r"Contact|Attn|From|To|"
    r"Cc|Signed|Name|Sincerely|Regards|Author|Directed By|Nom|Patientin)[ \t]*[:,]"
    r"|\b(?:Sincerely|Regards|Yours|Cheers|Thanks),?[ \t]*\n)"
    rf"[ \t\"“\u2018]*(?P<name>{FULL_NAME})",
)
# A text without any of these words has no such cue; looking for them costs far less than the expression.
_CUE_WORDS: Final = frozenset({
    "name", "Name", "named", "called", "call", "calls", "alias", "aka", "known", "nicknamed", "certain", "heiße",
    "appelle", "genannt", "dit", "Dear", "Hi", "Hello", "Hallo", "Liebe", "Lieber", "Cher", "Chère", "Bonjour",
    "Patient", "Patientin", "Client", "Customer", "User", "Tenant", "Employee", "Applicant", "Claimant",
    "Defendant", "Plaintiff", "Witness", "Contact", "Attn", "From", "To", "Cc", "Signed", "Sincerely", "Regards",
    "Author", "Directed", "Nom", "Yours", "Cheers", "Thanks",
})  # fmt: skip
# The cue is read in any case, the name is not.
_AGE: Final = re.compile(
    r"(?<!\w)(?P<before>\d{1,3})(?=[ -]?(?:years?|yrs?|yo|y/o)\b[ -]?(?:old|of age)?)(?=[ -]?(?:yo\b|y/o\b|"
    r"\w+[ -](?:old|of age)))"
    r"|\b(?:aged?|age of|age is|age:|am|turned|turning|im Alter von|âgée? de)[ \t]+"
    # "am 3. Mai" is a day.
    r"(?!\d{1,2}\.[ \t]*(?:Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez))(?P<after>\d{1,3})"
    r"(?![\w.,/%:-]*\d|\s*%)"
    r"(?=\b(?![ ]?(?:km|miles|metres|meters|percent|dollars|euros|minutes|hours|points|of)\b))"
    r"|(?<!\w)(?P<german>\d{1,3})(?=[ -]jährig|[ ]Jahre alt| ans\b)",
    re.IGNORECASE,
)
_OLDEST: Final = 120
_CUE_LENGTH: Final = 3

_LOCALES: Final = ("en", "en_US", "en_GB", "de_DE", "fr_FR")
_PAIR: Final = re.compile(
    rf"(?<![\w'\u2019.-])(?P<first>{NAME_WORD})"
    rf"(?P<middle>(?:[ \t]+[^\W\d_a-z]\.?){{0,2}})[ \t]+(?P<last>(?:{PARTICLE}[ \t]+)?{NAME_WORD})"
    r"(?![\w])"
)


def titled_people(text: str) -> Iterator[Span]:
    """Names behind a title or a cue such as `my name is`; the titles themselves as TITLE."""
    for match in _titled(text):
        yield Span(match.start("title"), match.end("title"), "TITLE", class_of("TITLE"), "title", 0.95)
        yield from named_person(text, *match.span("name"), "title", 0.95)
    if _CUE_WORDS.isdisjoint(all_words(text)) and "a.k.a." not in text:
        return
    for match in _CUED.finditer(text):
        yield from named_person(text, *match.span("name"), "cue", 0.8)


def _titled(text: str) -> Iterator[re.Match[str]]:
    """Matches of a title with its name, tried only where the first word of a title stands."""
    position = 0
    for token in all_tokens(text):
        if token.start < position or token.text not in TITLE_WORDS:
            continue
        match = _TITLED.match(text, token.start)
        if match is not None:
            yield match
            position = match.end()


def ages(text: str) -> Iterator[Span]:
    """The number of an age."""
    for match in _AGE.finditer(text):
        group = match.lastgroup or "after"
        if int(match.group(group)) <= _OLDEST:
            yield Span(match.start(group), match.end(group), "AGE", class_of("AGE"), "pattern:age", 0.9)


def listed_people(text: str, language: str) -> Iterator[Span]:
    """A first name of Faker's lists beside another capitalised word that is no ordinary word."""
    first_names = given_names()
    position = 0
    while (match := _PAIR.search(text, position)) is not None:
        last = match.group("last")
        if fold(match.group("first")) in first_names and _may_be_surname(last, language):
            position = match.end()
            yield Span(match.start(), position, "PERSON", class_of("PERSON"), "names", 0.8)
        else:
            position = match.end("first")


def lone_first_names(text: str) -> Iterator[Span]:
    """Common first names that stand alone; names that are ordinary words as well are left to the recogniser."""
    usual = usual_first_names()
    for token in all_tokens(text):
        if token.text.istitle() and fold(token.text) in usual:
            yield Span(token.start, token.end, "PERSON", class_of("PERSON"), "names:lone", 0.6)


@cache
def usual_first_names() -> frozenset[str]:
    """First names of today's lists, in lower case, that are no ordinary words."""
    names: set[str] = set()
    for locale in _LOCALES[1:]:
        names.update(fold(name) for name in import_module(f"faker.providers.person.{locale}").Provider.first_names)
    ordinary = common_words("en") | common_words("de") | common_words("fr") | AMBIGUOUS
    return frozenset(name for name in names if len(name) > _CUE_LENGTH and name.isalpha() and name not in ordinary)


@cache
def given_names() -> frozenset[str]:
    """First names of Faker's Latin-script lists, in lower case, without those that are ordinary English words."""
    names: set[str] = set()
    for locale in _LOCALES:
        names.update(fold(name) for name in import_module(f"faker.providers.person.{locale}").Provider.first_names)
    ordinary = common_words("en") | AMBIGUOUS | NATIONALITIES
    return frozenset(name for name in names if len(name) >= _CUE_LENGTH and name not in ordinary)


def _may_be_surname(word: str, language: str) -> bool:
    lowered = fold(word)
    return lowered not in common_words(language) and lowered not in CALENDAR and len(word) > 1


def named_person(text: str, start: int, end: int, source: str, score: float) -> Iterator[Span]:
    """The name at a place, without ordinary words behind it; nothing when only such words stand there."""
    words = text[start:end].split()
    while words and fold(words[-1].rstrip(".")) in PARTICLES | {"please", "could", "can", "user", "bot", "re"}:
        end = start + text[start:end].rstrip().rfind(words.pop())
        end = len(text[:end].rstrip())
    while text[start:end].endswith("."):
        end -= 1
    if text[start:end].endswith(("'s", "\u2019s")):
        end -= 2
    named = [fold(word.strip(".")) for word in text[start:end].split()]
    ordinary = HONORIFICS | PARTICLES | GENERIC | CALENDAR
    if start < end and any(word not in ordinary for word in named):
        yield Span(start, end, "PERSON", class_of("PERSON"), source, score)
