"""Special categories (GDPR articles 9 and 10): words of a lexicon, reported only beside a person.

A word such as "diabetes" says nothing about anybody by itself; in a text that also names a person it may. So a span of
these types always means a *linkage* within one text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import all_words, fold

LANGUAGES: Final = ("en", "de", "fr")


def special_categories(text: str, beside: Sequence[Span], language: str) -> Iterator[Span]:
    """Spans of the lexicon's words when a direct identifier stands in the same text.

    Args:
        text: The text.
        beside: What else was found in it.
        language: ISO 639-1 code; a language without a lexicon yields nothing.
    """
    if language not in LANGUAGES or not any(span.cls == "DIRECT" for span in beside):
        return
    heads, prefixes = _heads(language)
    words = {fold(word) for word in all_words(text)}
    if heads.isdisjoint(words) and not any(word.startswith(prefixes) for word in words):
        return
    for match in _expression(language).finditer(text):
        type_ = match.lastgroup or ""
        yield Span(match.start(), match.end(), type_, class_of(type_), "lexicon", 0.7)


@cache
def _heads(language: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """First words of the entries, in folded case: whole ones, and beginnings of words."""
    firsts = [fold(next(iter(re.findall(r"[^\W\d_]+\*?", entry)))) for _, entry in _entries(language)]
    return (
        frozenset(first for first in firsts if not first.endswith("*")),
        tuple(sorted({first.rstrip("*") for first in firsts if first.endswith("*")})),
    )


@cache
def _expression(language: str) -> re.Pattern[str]:
    words: dict[str, list[str]] = {}
    for category, entry in _entries(language):
        words.setdefault(category, []).append(re.escape(entry).replace(r"\*", r"\w*").replace(r"\ ", r"\s+"))
    # The longest first, so that "trade union member" wins over its parts.
    groups = [f"(?P<{name}>{'|'.join(sorted(entries, key=len, reverse=True))})" for name, entries in words.items()]
    return re.compile(rf"(?<!\w)(?:{'|'.join(groups)})(?!\w)", re.IGNORECASE)


def _entries(language: str) -> Iterator[tuple[str, str]]:
    """Entries of the lexicon with the category that each stands under."""
    text = files("kubepipe.privacy.detect").joinpath("lexicon", f"{language}.txt").read_text(encoding="utf-8")
    category = ""
    for line in text.splitlines():
        entry = line.strip()
        if entry.startswith("["):
            category = entry.strip("[]")
        elif entry and not entry.startswith("#"):
            yield category, entry
