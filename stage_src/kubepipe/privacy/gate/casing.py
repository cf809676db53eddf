"""What the data set itself says about a word: one that also stands in small letters is ordinary and names nobody."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+")
_RATIO: Final = 10


class Casing:
    """How often each word of a data set is written in small letters, and how often as a name.

    Args:
        texts: All texts of the data set.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._small: Counter[str] = Counter()
        self._large: Counter[str] = Counter()
        for text in texts:
            for word in _WORD.findall(text):
                (self._small if word[0].islower() else self._large)[word.casefold()] += 1

    def is_name_like(self, word: str) -> bool:
        """Whether a word is hardly ever written in small letters; one that the data set does not hold is not either."""
        folded = word.casefold()
        return self._small[folded] * _RATIO <= self._large[folded]
