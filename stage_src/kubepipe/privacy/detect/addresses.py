"""Postal addresses: streets with a number, rooms, post boxes, postcodes, and address blocks line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import all_tokens, fold

_WORD: Final = r"[^\W\d_a-zß-öø-ÿ][\w'\u2019.\-]*"
_STREET_EN: Final = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|Way|"
    r"Parkway|Pkwy|"
    r"Highway|Hwy|Circle|Cir|Trail|Trl|Close|Crescent|Cres|Grove|Mews|Row|Walk|Gardens|Alley|Plaza|Turnpike|"
    r"Loop|Path|Pike|Route|Yard|Rise|Quay|Wharf|Gate)"
)
_STREET_AFFIX: Final = (
    r"(?:straße|strasse|str\.|gasse|weg|platz|allee|damm|ufer|ring|gatan|gata|vägen|väg|vej|vejen|gade|gaden|"
    r"veien|vei|gate|"
    r"katu|tie|kuja|polku|tänav|tn|straat|laan|plein|weg|dreef|utca|út|útja|tér|köz|u\.|ulica|ul\.|cesta|ulice|"
    r"náměstí|iela)"
)
_STREET_HEAD: Final = (
    r"(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]hemin|[Aa]llée|[Qq]uai|[Ii]mpasse|[Rr]oute|[Vv]ia|[Vv]iale|"
    r"[Pp]iazza|[Cc]orso|"
    r"[Cc]alle|C/|[Cc]arrer|[Aa]venida|[Aa]v\.|[Pp]aseo|[Pp]laza|[Rr]úa|[Rr]ua|[Tt]ravessa|[Pp]raça|[Uu]lica|"
    r"[Uu]l\.|[Oo]s\.|[Bb]ulevardul|[Ss]trada)"
)
_NUMBER: Final = r"\d{1,5}(?:[ ]\d{1,4}(?=,?[ ]))?(?:[-/ ]?[A-Za-z](?![A-Za-z]))?(?:[-/]\d{1,4})?"
_ROOM: Final = (
    r"(?:Apt|Apartment|Suite|Ste|Unit|Flat|Room|Rm|Floor|Fl|Building|Bldg|Box|Lot|App|Wohnung|Etage|lok|Kv)"
    r"\b\.?[ ]?#?[ ]?\d{1,5}[A-Za-z]?\b"
)
_STREET: Final = re.compile(
    rf"(?<![\w.,/-])(?:"
    rf"{_NUMBER},?[ \t]+(?:(?:{_WORD}|of|the|de|la)[ \t]+){{1,4}}?{_STREET_EN}\b\.?(?:[ \t]+(?:N|S|E|W|NE|NW|SE|"
    rf"SW)\b)?"
    rf"|(?:{_NUMBER},?[ \t]+)?(?:{_WORD}[ \t]+){{0,3}}(?:{_WORD}{_STREET_AFFIX}|{_WORD}[ \t]+{_STREET_AFFIX})"
    rf"(?!\w)[ \t]*{_NUMBER}(?![\w])"
    rf"|{_NUMBER}(?:[ \t]?(?:bis|ter))?,?[ \t]+{_STREET_HEAD}[ \t]+(?:(?:de|du|des|la|le|les|l'|d'|del|della|do|"
    rf"da|dos)[ \t]*)*{_WORD}(?:[ \t]+{_WORD}){{0,3}}(?:,?[ \t]+{_NUMBER})?"
    rf"|{_STREET_HEAD}[ \t]+(?:(?:de|du|des|la|le|les|del|della|do|da|"
    rf"dos)[ \t]+)*{_WORD}(?:[ \t]+{_WORD}){{0,3}},?[ \t]+{_NUMBER}(?!\w)"
    rf")(?:[ \t]*,?[ \t]*(?:#[ ]?\d+|{_ROOM}))?"
)
# What may be the word of a street, in folded case: `[Rr]ue` is rue.
_AFFIXES: Final = frozenset(map(fold, re.findall(r"[^\W\d_]+", _STREET_AFFIX)))
_ENDINGS: Final = tuple(sorted(affix for affix in _AFFIXES if len(affix) > 2))  # noqa: PLR2004 shorter ones end any word
_STREET_WORDS: Final = _AFFIXES | frozenset(
    map(fold, re.findall(r"[^\W\d_]+", _STREET_EN + re.sub(r"\[(\w)\w\]", r"\1", _STREET_HEAD)))
)
_PARTS: Final = re.compile(
    r"(?<!\w)(?:Apt|Apartment|Suite|Flat)\b\.?[ ]?#?[ ]?\d{1,5}[A-Za-z]?\b|(?<!\w)Unit[ ]\d+[ ]Box[ ]\d+"
    r"|(?<!\w)(?:P\.?[ ]?O\.?[ ]?Box|Postfach|Boîte postale|B\.?P\.|PSC|"
    r"Private Bag)[ ]?#?[ ]?\d+(?:,?[ ]Box[ ]\d+)?"
    r"|(?<!\w)(?:APO|FPO|DPO)[ ](?:AA|AE|AP)\b",
    re.IGNORECASE,
)
_POSTCODE: Final = re.compile(
    r"(?<![\w])(?:(?:GIR ?0AA|[A-PR-UWYZ]\d[A-HJKPSTUW\d]? ?\d[ABD-HJLNP-UW-Z]{2}|"
    r"[A-PR-UWYZ][A-HK-Y]\d[\dABEHMNPRVWXY]? ?\d[ABD-HJLNP-UW-Z]{2})"
    r"|[ABCEGHJ-NPRSTVXY]\d[A-Z] ?\d[A-Z]\d"
    r"|(?<=[, \n][A-Z]{2} )\d{5}(?:-\d{4})?"
    r"|[A-Z]{1,2}-\d{4,5}(?= [A-ZÄÖÜ]))(?![\w-])"
)
_POSTCODE_CUE: Final = re.compile(
    r"\b(?:zip|zip[ -]?code|post[ -]?code|postal code|postleitzahl|plz|code postal)s?\b[\s:#]*(?:(?:is|was|of|"
    r"to|for|my|the)[\s:]+){0,3}"
    r"(?P<code>[A-Z]{0,2}-?\d{3,6}(?:[- ](?:\d{2,4}|[A-Z]{2}))?)(?!\w)",
    re.IGNORECASE,
)
# An address that its sentence announces: from the first house number on, to the end of the sentence or line.
_ANNOUNCED: Final = re.compile(
    r"\b(?:address(?: \w+)?(?: is| was|:)| of \w+ is|lives? (?:at|on|in)|living at|lived at|resid(?:es|ing|"
    r"ed) at|located (?:at|on)|"
    r"(?:ship|deliver|send|mail|move|moved|moving|delivered|shipped)(?: \w+){0,3} (?:to|at)|"
    r"office (?:is )?(?:at|on)|wohnt in|wohnhaft in|habite|demeurant)[\s:]+"
    rf"(?P<address>{_NUMBER}[ \t]+(?:{_WORD}|de|do|da|la|of)(?:[ \t]+(?:{_WORD}|\d{{1,5}}\w?|de|do|da|la|of|"
    rf"u\.)){{0,5}})",
)
_BLOCK_STREET: Final = re.compile(
    rf"(?:{_NUMBER},?[ \t]+(?:{_WORD}|de|do|da|of|la)(?:[ \t]+(?:{_WORD}|de|do|da|of|la|\d{{1,5}}\w?)){{0,5}}"
    rf"|{_WORD}(?:[ \t]+(?:{_WORD}|de|do|da|of|la)){{0,4}}[ \t]+{_NUMBER})[,.]?\Z"
)
_BLOCK_POSTCODE: Final = re.compile(r"(?:\d{4,6}|\d{3} \d{2}|\d{4}-\d{3}|\d{5}-\d{4}|\d{2}-\d{3})\Z")
_POSTCODE_IN_LINE: Final = re.compile(
    r"(?<![\w/-])(?:\d{5}-\d{4}|\d{4}-\d{3}|\d{2}-\d{3}|\d{3} \d{2}|\d{4,6})(?![\w/-])"
)
_PLACE_NAME: Final = rf"{_WORD}(?:[ ](?:{_WORD}|de|del|do|da|la|of|am|upon|[(]{_WORD}[)])){{0,3}}"
_TAIL: Final = re.compile(
    r"(?:[ \t]*,[ \t]*|[ \t]*,?[ \t]*\n[ \t,>]*|(?<=[A-Z]{2})[ ](?=\d)|[ ](?=\d{3,6}(?:\s|$)))"
    r"(?:(?P<code>\d{5}-\d{4}|\d{4}-\d{3}|\d{2}-\d{3}|\d{3} \d{2}|\d{3,6})(?![\w/-])"
    rf"|(?P<place>{_PLACE_NAME})(?=[ \t]*(?:[,\n]|\d|$|\.(?:\s|$))))"
)
# Behind a room or a house number the city may follow without a comma, up to the end of its line or the postcode.
_CITY: Final = re.compile(rf"(?<=\d)\.?[ \t]+(?P<place>{_PLACE_NAME})(?=[ \t]*(?:[,\n?!;]|\d|$|\.(?:\s|$)))")
_HEAD_WORD: Final = rf"(?:{_WORD}|of|and|the|de|del|do|da|la|van|von|der|den|ten|&)"
_HEAD: Final = re.compile(rf"{_WORD}(?:,?[ ]{_HEAD_WORD}){{0,5}}\Z")
_PERSON: Final = re.compile(r"\w[\w'\u2019-]*(?:[ ][\w'\u2019.-]+){1,3}\Z")
_ORGANISED: Final = frozenset({"and", "of", "the", "&"})
_MOST_HEADS: Final = 3
_QUOTE_MARKS: Final = " \t>?*#|-"
_LONGEST_TAIL: Final = 4
_LINE: Final = re.compile(r"[^\n]+")
_LONGEST_LINE: Final = 60
_SHORTEST_BLOCK: Final = 2


def addresses(text: str) -> Iterator[Span]:
    """ADDRESS and POSTCODE spans, and the PLACE behind a street; they may overlap, the longer one counts."""
    streets = list(_streets(text))
    yield from streets
    for street in streets:
        yield from _tail(text, street.end)
    for match in _POSTCODE.finditer(text):
        yield _span(match.start(), match.end(), "POSTCODE", "postcode")
    for match in _POSTCODE_CUE.finditer(text):
        yield _span(match.start("code"), match.end("code"), "POSTCODE", "postcode")


def _streets(text: str) -> Iterator[Span]:
    if _has_street_word(text):
        for match in _STREET.finditer(text):
            yield _span(match.start(), match.end(), "ADDRESS", "street")
    for match in _PARTS.finditer(text):
        yield _span(match.start(), match.end(), "ADDRESS", "box")
    for match in _ANNOUNCED.finditer(text):
        yield _span(match.start("address"), match.end("address"), "ADDRESS", "announced")
    yield from _blocks(text)


def _has_street_word(text: str) -> bool:
    """Whether any word can be that of a street; the look costs far less than the expression."""
    words = {fold(token.text) for token in all_tokens(text)}
    return not words.isdisjoint(_STREET_WORDS) or any(word.endswith(_ENDINGS) for word in words)


def _tail(text: str, position: int) -> Iterator[Span]:
    """City, region, country and postcode behind a street: set off by commas or line breaks, at most four of them."""
    city = _CITY.match(text, position)
    if city is not None:
        yield _span(*city.span("place"), "PLACE", "tail")
        position = city.end()
    for _ in range(_LONGEST_TAIL):
        match = _TAIL.match(text, position)
        if match is None:
            return
        if match.group("code"):
            yield _span(match.start("code"), match.end("code"), "POSTCODE", "tail")
        elif match.group("place"):
            yield _span(match.start("place"), match.end("place"), "PLACE", "tail")
        position = match.end()


def _blocks(text: str) -> Iterator[Span]:
    """Consecutive short lines of which one is a street with its number: an address on a letter or a form."""
    if "\n" not in text:
        return
    block: list[tuple[int, int]] = []
    for match in [*_LINE.finditer(text), None]:
        line = match.group() if match is not None else ""
        if match is not None and len(line.strip()) <= _LONGEST_LINE:
            stripped = line.lstrip(_QUOTE_MARKS)
            if stripped.strip():
                left = match.start() + len(line) - len(stripped)
                block.append((left, left + len(stripped.rstrip())))
            continue
        yield from _block(text, block)
        block = []


def _block(text: str, lines: list[tuple[int, int]]) -> Iterator[Span]:
    if len(lines) < _SHORTEST_BLOCK:
        return
    streets = [number for number, (start, end) in enumerate(lines) if _is_street(text[start:end])]
    if not streets:
        return
    for number in streets:
        yield _span(*lines[number], "ADDRESS", "block")
    yield from _heads(text, lines[max(0, streets[0] - _MOST_HEADS) : streets[0]])
    # Behind the street stand city, region, country and the postcode.
    for start, end in lines[streets[0] + 1 :]:
        for match in _POSTCODE_IN_LINE.finditer(text, start, end):
            yield _span(match.start(), match.end(), "POSTCODE", "block")
    for start, end in lines:
        if _BLOCK_POSTCODE.match(text[start:end]):
            yield _span(start, end, "POSTCODE", "block")


def _heads(text: str, lines: list[tuple[int, int]]) -> Iterator[Span]:
    """Who gets the letter: the lines above the street, a person or the firm."""
    for start, end in lines:
        line = text[start:end].rstrip(",")
        if not _HEAD.match(line) or any(map(str.isdigit, line)):
            continue
        is_person = bool(_PERSON.match(line)) and not _ORGANISED & set(line.casefold().split())
        type_ = "PERSON" if is_person else "ORG"
        yield Span(start, start + len(line), type_, class_of(type_), "names:head", 0.6)


def _is_street(line: str) -> bool:
    return bool(_BLOCK_STREET.match(line) or _STREET.match(line) or _PARTS.match(line)) and not line.endswith(":")


def _span(start: int, end: int, type_: str, source: str) -> Span:
    return Span(start, end, type_, class_of(type_), f"address:{source}", 0.85)
