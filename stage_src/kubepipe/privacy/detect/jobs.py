"""What people do for a living: names of jobs that stand beside a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Final

from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import fold
from kubepipe.privacy.entities.words import JOBS

_MODIFIERS: Final = r"(?:[^\W\d_]+(?:[/'\u2019-][^\W\d_]+)*(?:,? and|,)?[ ]){0,4}?"
_STOP: Final = r"(?:an?|the|his|her|our|their|my|your|this|that|was|is|as|for|of|who|and|or|in|at|to|by|with)"
_LINE: Final = re.compile(r"[^\n]+")
_MOST_WORDS: Final = 7


def jobs(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """Jobs behind a person (`Anna Kahn, a civil engineer`), behind `as`, and in a line of their own beside a person."""
    people = [span for span in spans if span.type == "PERSON"]
    if not people:
        return
    for span in people:
        match = _beside().match(text, span.end)
        if match is not None:
            yield _job(*match.span("job"))
    for match in _worked().finditer(text):
        yield _job(*match.span("job"))
    if "\n" in text:
        yield from _lines(text, people)


def _lines(text: str, people: Sequence[Span]) -> Iterator[Span]:
    lines = [match for match in _LINE.finditer(text) if match.group().strip()]
    starts = {match.start() + len(match.group()) - len(match.group().lstrip()) for match in lines}
    named = {span.start for span in people} & starts
    for above, line in pairwise(lines):
        stripped = line.group().strip()
        words = stripped.split()
        begin = line.start() + line.group().index(stripped)
        is_below = any(above.start() <= start < above.end() for start in named)
        if is_below and len(words) <= _MOST_WORDS and fold(words[-1].strip(".")) in JOBS:
            yield _job(begin, begin + len(stripped))


@cache
def _beside() -> re.Pattern[str]:
    return re.compile(
        rf"(?:,|[ ]\(|[ ](?:is|was|works as|worked as))[ ]?(?:(?:an?|the|his|her|our|their)[ ])?"
        rf"(?P<job>(?:(?!{_STOP}\b){_MODIFIERS})(?:{_heads()}))\b(?!['\u2019-])",
        re.IGNORECASE,
    )


@cache
def _worked() -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:work(?:s|ed|ing)?|job|position|employed|hired|profession)\b(?:[ ][^\s.]+){{0,4}}?[ ](?:as|is)[ ]"
        rf"(?:an?[ ])?"
        rf"(?P<job>{_MODIFIERS}(?:{_heads()}))\b(?!['\u2019-])",
        re.IGNORECASE,
    )


@cache
def _heads() -> str:
    return "|".join(sorted(map(re.escape, JOBS), key=len, reverse=True))


def _job(start: int, end: int) -> Span:
    return Span(start, end, "JOB", class_of("JOB"), "names:job", 0.7)
