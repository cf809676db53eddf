"""Whether a text is written in the language that was declared: a look at its most common words.

A model of another language finds little and gives no sign of it, so a data set in the wrong language would pass as one
without people in it. The profiles are spaCy's stop words; languages without one here are told by their script only.
"""

from __future__ import annotations

import importlib
from functools import cache
from itertools import islice
from typing import Final

from kubepipe.privacy.entities.tokens import tokens_of

PROFILED: Final = ("de", "en", "es", "fr", "it", "nl")
UNKNOWN: Final = "und"
"""Another language than the declared one, which is all that can be said (ISO 639-2, undetermined)."""

FEWEST: Final = 20
"""Words below which nothing is said."""
_SAMPLE: Final = 200
"""Words that are looked at."""
_LEAST: Final = 0.2
"""Share of a language's common words that a text in it has at least: running text has 0.35 to 0.6."""
_RATIO: Final = 1.5
_LAST_LATIN: Final = "\u024f"
_MOST_FOREIGN: Final = 0.5


def other_language(text: str, declared: str) -> str | None:
    """The language of a text where it is surely another than the declared one; None where it is not, or cannot be told.

    Args:
        text: Any text.
        declared: ISO 639-1 code.
    """
    words = [token.text.lower() for token in islice(tokens_of(text), _SAMPLE)]
    if len(words) < FEWEST or declared not in PROFILED:
        return None
    if sum(word[0] > _LAST_LATIN for word in words) > _MOST_FOREIGN * len(words):
        return UNKNOWN
    shares = {language: sum(word in _profile(language) for word in words) / len(words) for language in PROFILED}
    best = max(PROFILED, key=lambda language: shares[language])
    is_sure = shares[best] >= _LEAST and shares[best] >= _RATIO * shares[declared]
    return best if best != declared and is_sure else None


@cache
def _profile(language: str) -> frozenset[str]:
    words: frozenset[str] = frozenset(importlib.import_module(f"spacy.lang.{language}.stop_words").STOP_WORDS)
    return words
