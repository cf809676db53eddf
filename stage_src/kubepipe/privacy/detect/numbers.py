"""Identifiers made of digits: phones, cards, IBANs, national identifiers, file and account numbers.

One expression finds every run that could be one; what it is follows from checksums (python-stdnum, phonenumbers), from
its shape, and from the words before it. Years, amounts, ranges and decimal numbers are none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, Final

from kubepipe.privacy.entities.model import Span, class_of

_RUN: Final = re.compile(
    r"(?<![\w.@/:$€£+-])(?<!\d,)"
    r"(?:\+|00)?(?:[A-ZÄÖÜ]{1,3}[-/ ]){0,2}(?:[A-Za-z]{1,5}[-/])?\(?[A-Za-z]{0,4}\d"
    r"(?:[A-Za-z0-9]|[ .\-/()\u00a0\u2011](?=[ (]?[A-Za-z]{0,4}\d)|\) ?(?=\d)){2,40}(?:[-/][A-Za-z]{1,3}\b)?"
    r"(?![\w%]|[.,]\d)"
)
_PREFIX: Final = re.compile(r"(?:[A-ZÄÖÜ]{1,3}[-/ ])+(?=.*\d)(?<= )")
_SEPARATORS: Final = re.compile(r"[\s.\-/()\u2011]+")
_DATE: Final = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?:[ T]\d{1,2}(?:[:.]\d{2}){0,2})?\Z"
)
_RANGE: Final = re.compile(r"\d{1,4}(?:st|nd|rd|th|s)?[ ]?[-/.\u2011][ ]?\d{1,4}(?:st|nd|rd|th|s)?\Z")
_GROUPED: Final = re.compile(r"\d{1,3}(?:[ .]000)+\Z")
# A decimal number, or an address of a network, which is found elsewhere.
_DECIMAL: Final = re.compile(r"\d+\.\d+\Z|\d{1,3}(?:\.\d{1,3}){3}\Z")
_PHONE_SHAPE: Final = re.compile(
    r"(?:\+\d|00\d{2}|\(\d{2,4}\) ?\d|\d{3}[-. ]\d{3}[-. ]\d{4}\Z|0\d{2,5}[-/ ]\d{3}|0\d(?:[ .]\d{2}){4}\Z|"
    r"1[-. ]\d{3}[-. ]\d{3}[-. ]\d{4})"
)
_PHONE_CUE: Final = re.compile(
    r"(?:phone|telephone|tel|call(?:ed)?(?: me| us)?|mobile|cell|fax|dial|text|sms|whatsapp|contact|messag\w*|desk|"
    r"direct|telefon|handy|anruf\w*|téléphone|portable|appel\w*|ring|reach(?:ed)?)"
    r"\b(?:[^\n]{0,40}|[ ]*:[ ]*\n[ ]*)\Z",
    re.IGNORECASE,
)
_EXTENSION: Final = re.compile(r"(?:x|ext)\d{1,6}\Z", re.IGNORECASE)
_WORD_BEHIND: Final = re.compile(r"[-/]?(?:fax|tel|mob|off)\Z", re.IGNORECASE)
_PHONE_AFTER: Final = re.compile(
    r"[ ]*[-(,:/]?[ ]*(?:office|fax|mobile|home|work|tel|cell|direct|privat|büro|handy)\b", re.IGNORECASE
)
_ID_CUE: Final = re.compile(
    r"(?:\b(?:nos?|nrs?|numbers?|numéros?|nummern?|id|ids|identifier|code|pin|case|file|docket|application|"
    r"account|acct|"
    r"konto|compte|card|policy|invoice|order|ticket|ref|reference|licen[cs]e|licence|passport|patient|mrn|"
    r"chart|record|"
    r"member|membership|employee|student|serial|claim|claims|ssn|social security|insurance|nhs|nino|tax|vat|steuer\w*|"
    r"kenn\w*|immatricul\w*|akten\w*|az|geschäfts\w*|versicherten\w*|ausweis\w*|dossier|permis|passeport|sécu\w*|plate|registration|"
    r"routing|sort code|swift|bic|customer|client|booking|confirmation|tracking)|#|n°|№)"
    r"[\s.:#=()\"'-]{0,4}(?:(?:no|nr|number|numbers|is|was|of|num|id|nummer|und|and|the|to|for|my|ending in|code|"
    r"sociale?|est|le|la|du|de|lautet|ist|der|die|das)"
    r"[\s.:#=-]{1,3}){0,3}\Z",
    re.IGNORECASE,
)
# Printed in fours, one of which may be letters alone: GB82 WEST 1234 5698 7654 32.
_IBAN: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]{4}){2,7}(?:[ \u00a0-]?[A-Z0-9]{1,3})?(?![a-z])"
)
_CASE: Final = re.compile(
    r"(?<![\w.,/-])\d{2,6}/\d{2}(?:/\d{1,4})?(?![\w/])|(?<!\w)[A-Z]{1,4}[-/ ]?\d{3,8}/\d{2,4}(?!\w)"
)
# A docket: the chamber, the register and the number of a year (17 C 254/99, III ZR 12/05).
_DOCKET: Final = re.compile(
    r"(?<![\w/.,-])(?:[IVX]{1,5}|\d{1,3})[ ][A-Z][A-Za-z]{0,4}[ ]\d{1,5}/\d{2,4}[a-z]?(?![\w/])"
)
# Any piece with digits in it, of whatever make, behind the word that announces it: no. 12.P.20.334/2001.
_ANNOUNCED: Final = re.compile(
    r"\b(?:[Nn]os?|[Nn]r|[Nn]umbers?|[Cc]ase|[Ff]ile|[Dd]ocket|[Rr]ef|[Rr]eference|[Aa]ktenzeichen|[Aa]z|n°)\b"
    r"[.:]{0,2}[ ]"
    r"\(?(?P<code>(?=(?:[\w./-]*\d){3})[A-Za-z\d]+(?:[./-]+[A-Za-z\d]+)+)(?![\w%])"
)
# In a list of numbers the cue stands before the first.
_EARLIER_ITEMS: Final = re.compile(
    r"(?:[A-Za-z]{0,4}\d[\w./-]*(?:[ ]?,[ ]?(?:and|und|et|&)?[ ]?|[ ](?:and|und|et|&|to|or)[ ])){1,40}\Z"
)
_LAST_CONTEXT: Final = 60
_LIST_CONTEXT: Final = 400
_MIN_CUED_DIGITS: Final = 3
_FIRST_YEAR: Final = 1000
_LAST_YEAR: Final = 2100
_MIN_NATIONAL: Final = 6
_MIN_LONG: Final = 9
_MIN_MIXED: Final = 5

NATIONAL: Final = tuple(
    (  # noqa: SIM905 a list of forty quoted names reads worse
        "us.ssn us.itin us.ein gb.nhs gb.utr de.idnr de.stnr fr.nir es.dni es.nie it.codicefiscale nl.bsn be.nn at.vnr "
        "se.personnummer pl.pesel dk.cpr fi.hetu no.fodselsnummer ch.ssn ie.pps pt.cc cz.rc ro.cnp bg.egn hr.oib ee.ik "
        "lt.asmens lv.pk br.cpf ca.sin au.tfn au.medicare in_.aadhaar in_.pan za.idnr mx.curp cl.rut tr.tckimlik"
    ).split()
)
"""python-stdnum modules of identifiers that persons carry."""

_NINO: Final = re.compile(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]\Z", re.IGNORECASE)
_SSN: Final = re.compile(r"\d{3}[- ]\d{2}[- ]\d{4}\Z")
_REGIONS: Final[dict[str, tuple[str, ...]]] = {
    "en": ("US", "GB", "CA", "AU", "IE", "NZ", "IN", "ZA"),
    "de": ("DE", "AT", "CH"),
    "fr": ("FR", "BE", "CH", "CA", "LU"),
}


def number_identifiers(text: str, language: str) -> Iterator[Span]:
    """Identifiers among the digit runs of a text."""
    for match in _RUN.finditer(text):
        start, end = _trimmed(text, *match.span())
        candidate = text[start:end]
        digits = sum(map(str.isdigit, candidate))
        if digits < _MIN_CUED_DIGITS:
            continue
        before = _before(text, start)
        is_dialled = bool(_PHONE_CUE.search(before) or _PHONE_AFTER.match(text, end))
        found = _classify(candidate, digits, before, language, is_dialled=is_dialled)
        prefix = _PREFIX.match(candidate)
        if found is None and prefix is not None:
            # "BBC 020 7946 0018": the letters before are no part of the number.
            start, candidate = start + prefix.end(), candidate[prefix.end() :]
            found = _classify(candidate, digits, before, language, is_dialled=is_dialled)
        if found is not None:
            type_, source, score = found
            yield Span(start, end, type_, class_of(type_), f"pattern:{source}", score)
    yield from _ibans(text)
    for match in _CASE.finditer(text):
        if _is_case_number(match.group(), _before(text, match.start())):
            yield Span(match.start(), match.end(), "CODE", class_of("CODE"), "pattern:case", 0.9)
    for match in _ANNOUNCED.finditer(text):
        if not _DATE.match(match.group("code")):
            yield Span(match.start("code"), match.end("code"), "CODE", class_of("CODE"), "pattern:cue", 0.9)
    for match in _DOCKET.finditer(text):
        yield Span(match.start(), match.end(), "CODE", class_of("CODE"), "pattern:case", 0.9)


def _ibans(text: str) -> Iterator[Span]:
    """Account numbers, as long as the checksum holds: what follows in capitals is no part of them."""
    for match in _IBAN.finditer(text):
        piece = match.group()
        while piece:
            if is_iban(_SEPARATORS.sub("", piece)):
                start = match.start()
                yield Span(start, start + len(piece), "IBAN", class_of("IBAN"), "pattern:iban", 1.0)
                break
            piece = piece[: max(0, *(piece.rfind(separator) for separator in " \u00a0-"))]


def _before(text: str, start: int) -> str:
    """What stands before a number, without the earlier numbers of its list."""
    window = text[max(0, start - _LIST_CONTEXT) : start]
    return _EARLIER_ITEMS.sub("", window)[-_LAST_CONTEXT:]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return start, end


def _classify(
    candidate: str, digits: int, before: str, language: str, *, is_dialled: bool
) -> tuple[str, str, float] | None:
    """Type, source and score of a digit run, or None when it names nobody."""
    if _DATE.match(candidate) or _GROUPED.match(candidate) or _DECIMAL.match(candidate):
        return None
    compact = _SEPARATORS.sub("", candidate).lstrip("+")
    is_cued = bool(_ID_CUE.search(before))
    return (
        _by_checksum(candidate, compact, digits, is_cued=is_cued)
        or _as_phone(candidate, compact, language, is_dialled=is_dialled)
        or _by_context(candidate, compact, digits, is_cued=is_cued)
    )


def _by_checksum(candidate: str, compact: str, digits: int, *, is_cued: bool) -> tuple[str, str, float] | None:
    if is_iban(compact):
        return "IBAN", "iban", 1.0
    if _SSN.match(candidate):
        return "NATIONAL_ID", "us.ssn", 0.95
    if compact.isdigit() and is_card(compact):
        return "CARD", "luhn", 1.0
    # One of forty sums holds for many a number by chance: plain digits need a word beside them that says what they are.
    if digits >= _MIN_NATIONAL and (is_cued or not compact.isdigit()):
        scheme = national_scheme(candidate, compact)
        return None if scheme is None else ("NATIONAL_ID", scheme, 1.0)
    return None


def _as_phone(candidate: str, compact: str, language: str, *, is_dialled: bool) -> tuple[str, str, float] | None:
    candidate, compact = _WORD_BEHIND.sub("", candidate), _EXTENSION.sub("", _WORD_BEHIND.sub("", compact))
    is_number = compact.isdigit() and is_phone(candidate, language, is_dialled=is_dialled)
    return ("PHONE", "phone", 0.95) if is_number else None


def _by_context(candidate: str, compact: str, digits: int, *, is_cued: bool) -> tuple[str, str, float] | None:
    if candidate.isdigit() and len(candidate) == len("2011") and _FIRST_YEAR <= int(candidate) <= _LAST_YEAR:
        return None
    is_range = bool(_RANGE.match(candidate))
    if is_cued and (not is_range or digits >= _MIN_NATIONAL):
        return "CODE", "cue", 0.9
    if " " in candidate or is_range:
        return None
    least = _MIN_LONG if compact.isdigit() else _MIN_MIXED
    return ("CODE", "shape", 0.8) if digits >= least and not compact.endswith("000") else None


def is_iban(compact: str) -> bool:
    """Whether a text without blanks is an IBAN; the checksum decides."""
    if not (15 <= len(compact) <= 34 and compact[:2].isalpha() and compact[2:4].isdigit()):  # noqa: PLR2004
        return False
    return bool(_stdnum("iban").is_valid(compact, check_country=False))


def is_card(compact: str) -> bool:
    """Whether digits are a payment card number: length and issuer's first digit fit, and Luhn's sum holds."""
    if not (12 <= len(compact) <= 19 and compact[0] in "23456"):  # noqa: PLR2004
        return False
    return bool(_stdnum("luhn").is_valid(compact))


def national_scheme(candidate: str, compact: str) -> str | None:
    """Name of the first national scheme whose checksum holds, as python-stdnum names it."""
    if _NINO.match(compact):
        return "gb.nino"
    return next((name for name in NATIONAL if _holds(name, candidate)), None)


def is_phone(candidate: str, language: str, *, is_dialled: bool) -> bool:
    """Whether a digit run is a telephone number: valid in a region of the language, or the words around dial it."""
    digits = sum(map(str.isdigit, _EXTENSION.sub("", candidate)))
    if not 6 <= digits <= 15:  # noqa: PLR2004 E.164
        return False
    if is_dialled and not _RANGE.match(candidate.split(" ", maxsplit=1)[0]):
        return True
    if not _PHONE_SHAPE.match(candidate):
        return False
    # An international prefix or a bracketed area code says it all, even when nobody was given the number.
    if candidate.startswith(("(", "+")):
        return True
    return is_valid_phone(candidate, language)


def is_valid_phone(candidate: str, language: str) -> bool:
    """Whether phonenumbers knows the number as valid in one of the language's regions."""
    import phonenumbers

    number = f"+{candidate[2:]}" if candidate.startswith("00") else candidate
    for region in _REGIONS.get(language, ("US",)):
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            return False
    return False


def _is_case_number(candidate: str, before: str) -> bool:
    if _DATE.match(candidate):
        return False
    head, _, tail = candidate.rpartition("/")
    is_year_pair = len(tail) == len("91") and head.isdigit() and _FIRST_YEAR <= int(head) <= _LAST_YEAR
    return (len(head) > 2 and not is_year_pair) or bool(_ID_CUE.search(before))  # noqa: PLR2004


@cache
def _stdnum(name: str) -> Any:
    return import_module(f"stdnum.{name}")


@cache
def _validator(name: str) -> Callable[[str], bool] | None:
    try:
        check: Callable[[str], bool] = _stdnum(name).is_valid
    except (ImportError, AttributeError):
        return None
    return check


def _holds(name: str, candidate: str) -> bool:
    check = _validator(name)
    return check is not None and bool(check(candidate))


def scheme_holds(name: str, candidate: str) -> bool:
    """Whether a text is valid in a national scheme that `national_scheme` named."""
    if name == "gb.nino":
        return bool(_NINO.match(_SEPARATORS.sub("", candidate)))
    return _holds(name, candidate)
