"""Places, organisations and nationalities that the words around them, or their last word, give away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Final

from kubepipe.privacy.detect.grammar import NAME_WORD, words_of_expression
from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import all_tokens, all_words, fold, tokens_of
from kubepipe.privacy.entities.words import NATIONALITIES, common_words

_NAME: Final = rf"{NAME_WORD}(?:[ ](?:(?:de|del|of|the|da|do|la|am|an der|upon)[ ])?{NAME_WORD}){{0,3}}"
_PLACE_CUE: Final = re.compile(
    r"\b(?:(?:flew|flown|fly|flying|travel\w*|moved?|moving|went|drove|emigrated|relocat\w+|deported|commut\w+) to"
    r"|(?:grew up|born|raised|lives?|lived|living|based|located|resid(?:es?|ed|ing)|headquartered|settled|office) in"
    r"|\b(?:home ?town|city|town|village|municipality|county|province|region) of"
    r"|wohnt in|wohnhaft in|geboren in|né à|née à|habite à|domicilié à)[ ]"
    rf"(?P<name>{_NAME})"
)
_PLACE_WORDS: Final = frozenset({
    "flew", "flown", "fly", "flying", "travel", "travels", "traveled", "travelled", "traveling", "travelling", "move",
    "moved", "moving", "went", "drove", "emigrated", "relocated", "relocating", "relocate", "deported", "commuted",
    "commuting", "commutes", "grew", "born", "raised", "live", "lives", "lived", "living", "based", "located", "reside",
    "resides", "resided", "residing", "headquartered", "settled", "office", "town", "hometown", "city", "village",
    "municipality", "county", "province", "region", "wohnt", "wohnhaft", "geboren", "né", "née", "habite", "domicilié",
})  # fmt: skip
_ORG_WORD: Final = (
    r"(?:Inc|Incorporated|Ltd|Limited|LLC|LLP|PLC|plc|Corp|Corporation|Company|Co|GmbH|AG|KG|SE|SA|SARL|SAS|BV|NV|AB|Oy|"
    r"Group|Holdings?|Partners|Technologies|Systems|Solutions|Industries|Enterprises|Associates|Consulting|Ventures|"
    r"Bank|University|College|School|Hospital|Clinic|Institute|Foundation|Association|Orchestra|Society)"
)
_ORG_WORDS: Final = words_of_expression(_ORG_WORD)
_ORG: Final = re.compile(
    rf"(?<![\w&'\u2019-])(?P<name>(?:{NAME_WORD}(?:,?[ ](?:&|and|und|et|of)|,)?[ ]){{1,4}}"
    rf"{_ORG_WORD}\b\.?)"
)
_COUNTRIES: Final = {"en": "en", "de": "de_DE", "fr": "fr_FR"}
_SHORT_FORMS: Final = frozenset(
    {
        "UK",
        "U.K.",
        "USA",
        "U.S.A.",
        "U.S.",
        "United States",
        "England",
        "Scotland",
        "Wales",
        "Northern Ireland",
        "Russia",
    }
    | {
        "South Korea",
        "North Korea",
        "Iran",
        "Syria",
        "Vietnam",
        "Laos",
        "Bolivia",
        "Venezuela",
        "Tanzania",
        "Macedonia",
    }
    | {
        "North Macedonia",
        "Taiwan",
        "Moldova",
        "Holland",
        "Czechia",
        "Czech Republic",
        "Slovakia",
        "Kosovo",
        "Palestine",
    }
)
_ARTICLES: Final = frozenset(
    {"the", "a", "an", "this", "our", "my", "at", "in", "from", "and", "for", "der", "die", "das", "le", "la"}
)


def surrounded(text: str, language: str) -> Iterator[Span]:
    """Spans that weaker evidence finds; anything else that was found in the same place wins over them."""
    words_of_text = all_words(text)
    for match in _PLACE_CUE.finditer(text) if not _PLACE_WORDS.isdisjoint(words_of_text) else ():
        if fold(match.group("name")) not in common_words(language):
            yield _span(*match.span("name"), "PLACE")
    for match in _ORG.finditer(text) if not _ORG_WORDS.isdisjoint(words_of_text) else ():
        start = match.start("name")
        words = list(tokens_of(text, *match.span("name")))
        while len(words) > 1 and fold(words[0].text) in _ARTICLES:
            words = words[1:]
            start = words[0].start
        if len(words) > 1:
            yield _span(start, match.end("name"), "ORG")
    countries = _countries(language)
    for token in all_tokens(text):
        for name in countries.get(token.text, ()):
            if (
                text.startswith(name, token.start)
                and not text[token.start + len(name) : token.start + len(name) + 1].isalnum()
            ):
                yield _span(token.start, token.start + len(name), "PLACE")
                break
        folded = fold(token.text)
        if folded in NATIONALITIES or (folded[-1] == "s" and folded[:-1] in NATIONALITIES):
            yield _span(token.start, token.end, "NATIONALITY")


@cache
def _countries(language: str) -> dict[str, list[str]]:
    """Names of countries in the texts' language, as Faker lists them, and their short forms, by their first word."""
    module = import_module(f"faker.providers.address.{_COUNTRIES.get(language, 'en')}")
    names = {name.split(" (")[0] for name in module.Provider.countries} | _SHORT_FORMS
    found: dict[str, list[str]] = {}
    for name in sorted(names, key=len, reverse=True):
        if len(name) > 1:
            found.setdefault(next(tokens_of(name)).text, []).append(name)
    return found


def _span(start: int, end: int, type_: str) -> Span:
    return Span(start, end, type_, class_of(type_), "names", 0.7)
