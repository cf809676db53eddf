"""A name that was found once is found everywhere in its text: other mentions, parts, other case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Final

from kubepipe.privacy.detect.merge import merge
from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import Token, all_tokens, fold, is_name_like, may_be_name, tokens_of
from kubepipe.privacy.entities.words import AMBIGUOUS, CALENDAR, JOBS, PARTICLES, common_words

_SHORTEST_PART: Final = 3


def propagate(text: str, spans: list[Span], language: str) -> list[Span]:
    """Spans, and PERSON spans for further mentions of the names in them.

    A mention is the whole name in any case, or one of its parts that is no ordinary word, as whole words. A part counts
    when it is written as it was found, or in capitals, or in a line that has no capitals.
    """
    people = [span for span in spans if span.type == "PERSON"]
    if not people:
        return spans
    names: set[tuple[str, ...]] = set()
    for span in people:
        words = tuple(token.text for token in tokens_of(text, span.start, span.end))
        names.add(tuple(fold(word) for word in words))
        names.update((fold(word),) for word in words if _is_telling(word, language))
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for name in names:
        if name and (len(name) > 1 or name[0] not in PARTICLES | CALENDAR):
            by_first.setdefault(name[0], []).append(name)
    tokens = all_tokens(text)
    is_name = partial(_is_alone_a_name, text, language)
    covered = bytearray(len(text) + 1)
    for span in spans:
        if span.cls != "OTHER":
            covered[span.start : span.end] = b"\1" * (span.end - span.start)
    found: list[Span] = []
    for position, token in enumerate(tokens):
        if covered[token.start]:
            continue
        names_from_here = by_first.get(fold(token.text), [])
        mention = _longest(tokens, position, names_from_here, is_name) or _genitive(token, by_first, language)
        if mention is not None:
            start, end = mention
            found.append(Span(start, end, "PERSON", class_of("PERSON"), "title:propagated", 0.8))
    return merge(text, [*spans, *found]) if found else spans


def _genitive(token: Token, by_first: Mapping[str, list[tuple[str, ...]]], language: str) -> tuple[int, int] | None:
    """The name inside a German genitive: of "Jürgens" the part before the s, which stays and keeps the case."""
    if language != "de":
        return None
    stem = fold(token.text).removesuffix("s")
    is_genitive = token.text.endswith("s") and is_name_like(token.text) and (stem,) in by_first.get(stem, [])
    return (token.start, token.end - 1) if is_genitive else None


def _is_telling(word: str, language: str) -> bool:
    return len(word) >= _SHORTEST_PART and is_name_like(word) and fold(word) not in common_words(language)


def _is_alone_a_name(text: str, language: str, token: Token) -> bool:
    """Whether a part of a name that stands alone is one: "Frank said", not "frank words"."""
    if is_name_like(token.text):
        return True
    is_word = len(token.text) <= _SHORTEST_PART or fold(token.text) in _ordinary(language)
    return not is_word and may_be_name(text, token)


@cache
def _ordinary(language: str) -> frozenset[str]:
    return common_words(language) | AMBIGUOUS | JOBS


def _longest(
    tokens: Sequence[Token], position: int, names: list[tuple[str, ...]], is_name: Callable[[Token], bool]
) -> tuple[int, int] | None:
    for name in sorted(names, key=len, reverse=True):
        window = tokens[position : position + len(name)]
        if tuple(fold(token.text) for token in window) != name:
            continue
        if len(name) == 1 and not is_name(window[0]):
            continue
        if len(name) > 1 and window[-1].end - window[0].start > sum(map(len, name)) + 3 * len(name):
            continue
        return window[0].start, window[-1].end
    return None
