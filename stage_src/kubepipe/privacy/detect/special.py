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
    for match in _expression(language).finditer(text):
        type_ = match.lastgroup or ""
        yield Span(match.start(), match.end(), type_, class_of(type_), "lexicon", 0.7)


@cache
def _expression(language: str) -> re.Pattern[str]:
    lines = (
        files("kubepipe.privacy.detect").joinpath("lexicon", f"{language}.txt").read_text(encoding="utf-8").splitlines()
    )
    words: dict[str, list[str]] = {}
    category = ""
    for line in lines:
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        if entry.startswith("["):
            category = entry.strip("[]")
            continue
        words.setdefault(category, []).append(re.escape(entry).replace(r"\*", r"\w*").replace(r"\ ", r"\s+"))
    # The longest first, so that "trade union member" wins over its parts.
    groups = [f"(?P<{name}>{'|'.join(sorted(entries, key=len, reverse=True))})" for name, entries in words.items()]
    return re.compile(rf"(?<!\w)(?:{'|'.join(groups)})(?!\w)", re.IGNORECASE)
