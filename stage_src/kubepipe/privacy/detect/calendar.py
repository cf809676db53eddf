"""Dates by their syntax: the recogniser misses many that stand in brackets, tables and forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubepipe.privacy.entities.model import Span, class_of

MONTH: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan\.?|Feb\.?|Mar\.?|Apr\.?|Jun\.?|Jul\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?|"
    "Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember|"
    "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
)
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR: Final = r"(?:1[5-9]\d{2}|20\d{2})"
_DATE: Final = re.compile(
    rf"(?<![\w.,/-])(?:{_DAY}(?:st|nd|rd|th|er|\.)?[ ]?(?:of[ ])?(?:{MONTH})(?:,?[ ]{_YEAR})?"
    rf"|(?:{MONTH})[ ](?:the[ ])?{_DAY}(?:st|nd|rd|th)?(?:,?[ ]{_YEAR})?(?![\w:]|[.,]\d)"
    rf"|(?:{MONTH}),?[ ]{_YEAR}"
    rf"|{_YEAR}([-/.])\d{{1,2}}\1\d{{1,2}}(?:[ T]\d{{1,2}}:\d{{2}}(?::\d{{2}})?)?"
    rf"|\d{{1,2}}([-/.])\d{{1,2}}\2(?:{_YEAR}|\d{{2}})(?:[ ]\d{{1,2}}:\d{{2}})?"
    rf"|(?<=\(){_YEAR}(?:\s?[-\u2013]\s?(?:{_YEAR}|\d{{2}}))?(?=\))"
    rf"|(?:(?<=\bin )|(?<=\bIn )|(?<=\bsince )|(?<=\bborn )|(?<=\bof )|(?<=\buntil )|(?<=\byear )|"
    rf"(?<=\bim Jahr )|(?<=\ben )){_YEAR})"
    r"(?![\w%/-]|[.,]\d)"
)


def dates(text: str) -> Iterator[Span]:
    """Full dates, month and year, years in brackets or behind a preposition."""
    for match in _DATE.finditer(text):
        yield Span(match.start(), match.end(), "DATE", class_of("DATE"), "calendar", 0.85)
