"""Names that their letters give away: a capitalised word with a letter that the text's language does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubepipe.privacy.detect.grammar import NAME_WORD
from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import fold, tokens_of
from kubepipe.privacy.entities.words import common_words

# Latin letters beyond the alphabet of each language; other scripts say nothing of their own names.
_LETTERS: Final = {"en": "", "de": "äöüßÄÖÜẞ", "fr": "àâæçéèêëîïôœùûüÿÀÂÆÇÉÈÊËÎÏÔŒÙÛÜŸ"}
_BEYOND: Final = re.compile("[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]")
_NAMES: Final = re.compile(rf"(?<![\w'\u2019-]){NAME_WORD}(?:[ ]{NAME_WORD}){{0,2}}(?!\w)")


def foreign_names(text: str, language: str) -> Iterator[Span]:
    """Capitalised words with foreign letters, and the capitalised words beside them that are no ordinary ones."""
    own = _LETTERS.get(language)
    if own is None or not _is_foreign(text, own):
        return
    for match in _NAMES.finditer(text):
        words = [word for word in tokens_of(text, *match.span()) if fold(word.text) not in common_words(language)]
        if words and any(_is_foreign(word.text, own) for word in words):
            yield Span(words[0].start, words[-1].end, "PERSON", class_of("PERSON"), "names:lone", 0.6)


def _is_foreign(text: str, own: str) -> bool:
    return not text.isascii() and any(letter not in own for letter in _BEYOND.findall(text))
