"""Which surrogate stands for what in a text: for the encrypted mapping, and for nothing else."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from kubepipe.privacy.align import Edit, rewrite
from kubepipe.privacy.entities.model import Span


def links_of(text: str, spans: Sequence[Span], edits: Sequence[Edit]) -> Counter[tuple[str, str, str]]:
    """(type, surrogate, original) of each whole span and of each word in it; tags and dropped texts stand for nothing.

    Args:
        text: The text before.
        spans: What was found in it, sorted and without overlaps.
        edits: What was replaced in it, sorted and without overlaps.
    """
    after = rewrite(text, edits)
    found: Counter[tuple[str, str, str]] = Counter()
    starts = [span.start for span in spans]
    for span in spans:
        new, old = after.text[after.start_of(span.start) : after.end_of(span.end)], text[span.start : span.end]
        if new != old and _names(new):
            found[span.type, new, old] += 1
    for edit in edits:
        position = bisect_right(starts, edit.start) - 1
        inside = position >= 0 and edit.end <= spans[position].end
        if inside and (edit.start, edit.end) == (spans[position].start, spans[position].end):
            continue
        if _names(edit.new):
            found[spans[position].type if inside else "MISC", edit.new, text[edit.start : edit.end]] += 1
    return found


def _names(new: str) -> bool:
    return bool(new.strip()) and not (new.startswith("[") and new.endswith("]"))
