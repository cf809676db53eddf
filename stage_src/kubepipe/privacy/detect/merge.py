"""From what several detectors say to one list of spans, none overlapping."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from kubepipe.privacy.entities.model import Span

# Where two detectors disagree on the same words, the one whose evidence is harder wins.
_RANK: Final[dict[str, int]] = {
    "pattern": 0,
    "address": 1,
    "title": 2,
    "pattern:cue": 3,
    "pattern:shape": 3,
    "calendar": 4,
    "lexicon": 4,
    "cue": 5,
    "ner": 6,
    "plugin": 6,
    "names": 7,
    "names:head": 8,
    "names:job": 8,
    "names:lone": 9,
}


def merge(text: str, spans: Iterable[Span]) -> list[Span]:
    """Sorted spans without overlaps.

    Spans are taken by rank of their source, then by length; of a span that overlaps taken ones, the pieces that are
    left over keep their type, so no part of a finding is lost.
    """
    ordered = sorted(set(spans), key=lambda span: (_rank(span), span.start - span.end, span.start, span.type))
    taken: list[Span] = []
    for span in ordered:
        for start, end in _left_over(span, taken):
            piece = _trimmed(text, span, start, end)
            if piece is not None:
                taken.insert(bisect_left(taken, piece), piece)
    return taken


def _rank(span: Span) -> int:
    # A work or a product that the recogniser sees is a person, a place or a number as soon as anything else says so.
    if span.source == "ner" and span.cls == "OTHER":
        return _RANK["names:lone"] + 1
    return _RANK.get(span.source, _RANK.get(span.source.split(":", 1)[0], _RANK["plugin"]))


def _left_over(span: Span, taken: list[Span]) -> list[tuple[int, int]]:
    """Pieces of a span that no taken span covers; `taken` is sorted and without overlaps."""
    index = bisect_left(taken, span.start, key=lambda other: other.end)
    position = span.start
    pieces: list[tuple[int, int]] = []
    while index < len(taken) and taken[index].start < span.end:
        other = taken[index]
        if other.end > span.start:
            if other.start > position:
                pieces.append((position, other.start))
            position = max(position, other.end)
        index += 1
    if position < span.end:
        pieces.append((position, span.end))
    return pieces


def _trimmed(text: str, span: Span, start: int, end: int) -> Span | None:
    """The piece without the blanks and punctuation that a neighbour left at its edges; None when nothing remains."""
    if (start, end) == (span.start, span.end):
        return span
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    if text[start:end] in ("", "s"):
        return None
    return Span(start, end, span.type, span.cls, span.source, span.score)
