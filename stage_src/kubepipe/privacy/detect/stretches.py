"""What of a text a recogniser has to read to say what it would say of some of its words."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

_CHUNK: Final = re.compile(r"\S+")


def stretches(text: str, places: Iterable[tuple[int, int]], reach: int) -> list[tuple[int, int]]:
    """Pieces of a text, in order and apart: the places, and `reach` words (between blanks) on both sides of each.

    Args:
        text: The text.
        places: Starts and ends, in code points.
        reach: Words on either side.
    """
    places = list(places)
    if not places:
        return []
    chunks = [match.span() for match in _CHUNK.finditer(text)]
    starts, ends = [start for start, _ in chunks], [end for _, end in chunks]
    found: list[tuple[int, int]] = []
    for start, end in places:
        first = max(0, bisect_right(ends, start) - reach)
        last = min(len(chunks) - 1, bisect_left(starts, end) - 1 + reach)
        piece = starts[first], ends[last]
        if found and piece[0] <= found[-1][1]:
            piece = found.pop()[0], piece[1]
        found.append(piece)
    return found
