"""Dates: one shift per document, so that order, distances in years and most weekdays stay.

Years move by one number of years; days and months move by one number of days around the year. Both are chosen
together so that a weekday stays true except across some leap days. Because the two move apart, "12 May 2011",
"May 12" and "2011" of a text still agree after the shift.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from kubepipe.privacy.align import Edit
from kubepipe.privacy.pseudonymise.keyed import keyed_number

_MONTHS: Final[dict[str, tuple[str, ...]]] = {
    language: tuple(names.split())
    for language, names in {
        "en": "January February March April May June July August September October November December",
        "en-short": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    }.items()
}
_NAMED: Final = {
    name.casefold(): (month, language)
    for language, names in reversed(_MONTHS.items())
    for month, name in enumerate(names, start=1)
} | {"sept": (9, "en-short")}
_MONTH: Final = "|".join(sorted(map(re.escape, _NAMED), key=len, reverse=True))
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR: Final = r"(?:1\d{3}|20\d{2})"
_DAY_MONTH: Final = re.compile(
    rf"(?<!\w)(?P<day>{_DAY})(?P<suffix>st|nd|rd|th|er|\.)?[ ]?(?:of[ ])?(?P<month>{_MONTH})(?![\w])", re.IGNORECASE
)
_MONTH_DAY: Final = re.compile(
    rf"(?<!\w)(?P<month>{_MONTH})\.?[ ](?:the[ ])?(?P<day>{_DAY})(?P<suffix>st|nd|rd|th)?(?![\w:]|[.,]\d)",
    re.IGNORECASE,
)
_NUMERIC: Final = re.compile(
    rf"(?<![\w.,/-])(?:(?P<y1>{_YEAR})(?P<s1>[-/.])(?P<m1>\d{{1,2}})(?P=s1)(?P<d1>\d{{1,2}})"
    rf"|(?P<a>\d{{1,2}})(?P<s2>[-/.])(?P<b>\d{{1,2}})(?P=s2)(?P<y2>{_YEAR}|\d{{2}}))(?![\w/-])"
)
# One date such as 23/01/1938 shows how all of its text are written.
_DAY_FIRST: Final = re.compile(r"(?<![\w.,/-])(?:1[3-9]|2\d|3[01])/\d{1,2}/\d")
_BARE_YEAR: Final = re.compile(
    rf"(?<![\w.,/$€£-])(?P<year>{_YEAR})(?:(?P<dash>[-\u2013/])(?P<second>\d{{2}})(?!\d))?(?![\w%/]|[.,]\d)"
)
_AFTER_DASH: Final = re.compile(rf"(?<=\d[-\u2013])(?P<year>{_YEAR})(?![\w%]|[.,]\d)")
_PLAIN_YEAR: Final = date(2001, 1, 1)
_DAYS: Final = 365
_NOON: Final = 12


class Shift(NamedTuple):
    """How far the dates of a document move."""

    years: int
    days: int


def shift_of(key: bytes, document: str) -> Shift:
    """The shift of a document: 1 to 9 years, about 1 to 8 weeks, either way."""
    number = keyed_number(key, "dates", document)
    years = (1 + number % 9) * (1 if number // 9 % 2 else -1)
    # 365 days are one day more than 52 weeks; every fourth year one more. The days make up for it.
    drift = years + years // 4
    weeks = (1 + number // 18 % 7) * (1 if number // 126 % 2 else -1)
    days = 7 * weeks - drift % 7
    return Shift(years, days or 7)


def date_edits(text: str, start: int, end: int, shift: Shift, language: str) -> Iterator[Edit]:
    """Edits of the days, months and years of a date; each keeps its way of writing. What is no date stays."""
    covered: list[tuple[int, int]] = []
    for match in _NUMERIC.finditer(text, start, end):
        covered.append(match.span())
        yield from _numeric(match, shift, language)
    for expression in (_DAY_MONTH, _MONTH_DAY):
        for match in expression.finditer(text, start, end):
            if not _touches(covered, match.span()):
                covered.append(match.span())
                yield from _named(match, shift)
    yield from year_edits(text, start, end, shift, covered)


def year_edits(text: str, start: int, end: int, shift: Shift, covered: list[tuple[int, int]]) -> Iterator[Edit]:
    """Edits of years that stand alone or in a range such as 1990-91."""
    for match in _BARE_YEAR.finditer(text, start, end):
        if _touches(covered, match.span()):
            continue
        year = int(match.group("year")) + shift.years
        covered.append(match.span())
        yield Edit(match.start("year"), match.end("year"), str(year))
        if match.group("second"):
            second = (int(match.group("second")) + shift.years) % 100
            yield Edit(match.start("second"), match.end("second"), f"{second:02d}")
    for match in _AFTER_DASH.finditer(text, start, end):
        if not _touches(covered, match.span()):
            covered.append(match.span())
            yield Edit(*match.span(), str(int(match.group()) + shift.years))


def years_in(text: str, edits: list[Edit]) -> frozenset[str]:
    """The four-digit years among the places that edits replace."""
    return frozenset(text[edit.start : edit.end] for edit in edits if re.fullmatch(_YEAR, text[edit.start : edit.end]))


def _move(month: int, day: int, days: int) -> date | None:
    try:
        place = (date(2001, month, min(day, 28) if month == 2 else day) - _PLAIN_YEAR).days  # noqa: PLR2004
    except ValueError:
        return None
    return _PLAIN_YEAR + timedelta(days=(place + days) % _DAYS)


def _named(match: re.Match[str], shift: Shift) -> Iterator[Edit]:
    month, language = _NAMED[match.group("month").casefold()]
    moved = _move(month, int(match.group("day")), shift.days)
    if moved is None:
        return
    yield Edit(
        match.start("day"),
        match.end("day"),
        f"{moved.day:02d}" if match.group("day").startswith("0") else str(moved.day),
    )
    if (match.group("suffix") or "").lower() in ("st", "nd", "rd", "th"):
        yield Edit(match.start("suffix"), match.end("suffix"), _ordinal(moved.day))
    yield Edit(
        match.start("month"), match.end("month"), _cased(match.group("month"), _MONTHS[language][moved.month - 1])
    )


def _numeric(match: re.Match[str], shift: Shift, language: str) -> Iterator[Edit]:
    if match.group("y1"):
        month, day, year = "m1", "d1", "y1"
    else:
        first, second = int(match.group("a")), int(match.group("b"))
        is_month_first = (
            not _DAY_FIRST.search(match.string) and language == "en" and match.group("s2") == "/" and first <= _NOON
        ) or second > _NOON
        month, day, year = ("a", "b", "y2") if is_month_first else ("b", "a", "y2")
    moved = (
        _move(int(match.group(month)), int(match.group(day)), shift.days)
        if int(match.group(month)) in range(1, 13)
        else None
    )
    if moved is None:
        return
    # Two digits each mean that single ones are written with a zero.
    width = min(len(match.group(month)), len(match.group(day)))
    yield Edit(match.start(month), match.end(month), f"{moved.month:0{width}d}")
    yield Edit(match.start(day), match.end(day), f"{moved.day:0{width}d}")
    written = match.group(year)
    shifted = int(written) + shift.years
    yield Edit(match.start(year), match.end(year), str(shifted) if len(written) > 2 else f"{shifted % 100:02d}")  # noqa: PLR2004


def _ordinal(day: int) -> str:
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _cased(written: str, month: str) -> str:
    if written.isupper():
        return month.upper()
    return month.lower() if written.islower() else month


def _touches(covered: list[tuple[int, int]], span: tuple[int, int]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in covered)
