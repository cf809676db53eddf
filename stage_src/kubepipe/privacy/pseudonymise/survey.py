"""The first pass over a data set: what is in it, so that the second can replace it without a collision.

The recogniser runs here only. What it found is kept as offsets (9 bytes a span), so the second pass and every further
round cost no reading. No text is kept but words: the names to look for, and the words no surrogate may equal.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from kubepipe.passages.model import Passage
from kubepipe.privacy.detect.detector import Detector
from kubepipe.privacy.detect.people import given_names
from kubepipe.privacy.entities.model import CLASS_OF_TYPE, Span, class_of
from kubepipe.privacy.entities.tokens import all_tokens, fold, is_name_like, may_be_name, tokens_of
from kubepipe.privacy.entities.words import GENERIC, HONORIFICS, PARTICLES, common_words
from kubepipe.privacy.pseudonymise.fields import Joined, join, readable
from kubepipe.privacy.pseudonymise.vault import Vault, code_of, local_words, values_of
from kubepipe.privacy.reading import batches

Kind = Literal["given", "family", "org", "place", "nationality"]
_KIND_OF_TYPE: Final[dict[str, Kind]] = {
    "ORG": "org",
    "PLACE": "place",
    "NATIONALITY": "nationality",
    "ADDRESS": "place",
}
_PACKED: Final = struct.Struct("<IIB")
# A word's place in a full name says whether it is a surname; alone ("Manning") it says little.
_FULL_NAME_WEIGHT: Final = 1000
_COMMON_LEAST: Final = 2
_COMMON_RATIO: Final = 4
_Batch = tuple[Sequence[Passage], list[Joined], list[str], list[str]]


@dataclass(slots=True)
class Survey:
    """What a data set holds.

    Attributes:
        vault: Its direct identifiers.
        taken: Its words in folded case that are written as names, and its codes: no surrogate may equal one.
        kinds: What kind of name a word is, by the majority of its mentions; a person wins over the rest.
        spans: Found spans of each passage, by the passage's id, packed as offsets.
        titles: Found spans of each document's name.
        local: Names of a single word of each passage: they count there even when they are ordinary words.
    """

    vault: Vault = field(default_factory=Vault)
    taken: set[str] = field(default_factory=set)
    kinds: dict[str, Kind] = field(default_factory=dict)
    spans: dict[str, bytes] = field(default_factory=dict)
    titles: dict[str, bytes] = field(default_factory=dict)
    local: dict[str, frozenset[str]] = field(default_factory=dict)

    def spans_of(self, passage_id: str) -> list[Span] | None:
        """Spans of a surveyed passage in its joined text, or None when it was not surveyed."""
        packed = self.spans.get(passage_id)
        return None if packed is None else unpack(packed)


def survey(passages: Iterable[Passage], detector: Detector, language: str) -> Survey:
    """Read a data set once.

    Args:
        passages: All passages of all splits; ids are unique.
        detector: Finds the spans.
        language: ISO 639-1 code.
    """
    found = Survey()
    votes: dict[str, Counter[Kind]] = {}
    small: Counter[str] = Counter()
    large: Counter[str] = Counter()
    for (batch, joined, new_titles, texts), spans in detector.detect_all(_to_read(passages)):
        for text, spans_of_text in zip(texts, spans, strict=True):
            _vote(text, spans_of_text, votes)
            _count(text, found.taken, small, large)
        for passage, item, spans_of_text in zip(batch, joined, spans, strict=False):
            cut = within_fields(item, spans_of_text)
            found.spans[passage.id] = pack(cut)
            values, codes = values_of(item.text, cut)
            found.vault.add(values, codes)
            if alone := local_words(values):
                found.local[passage.id] = alone
        for name, spans_of_text in zip(new_titles, spans[len(batch) :], strict=True):
            found.titles[name] = pack(spans_of_text)
            found.vault.add(*values_of(readable(name), spans_of_text))
    ordinary = common_words(language)
    found.vault.weed(
        lambda word: word in ordinary or (small[word] >= _COMMON_LEAST and small[word] * _COMMON_RATIO >= large[word])
    )
    found.vault.small = {word for word in found.vault.words if 0 < small[word] * _COMMON_RATIO < large[word]}
    found.kinds = {word: _elected(counter) for word, counter in votes.items()}
    return found


def _to_read(passages: Iterable[Passage]) -> Iterator[tuple[_Batch, list[str]]]:
    """Batches of passages with the texts to read: theirs, and the names of documents that are new."""
    known: set[str] = set()
    for batch in batches(passages):
        titles = [name for name in dict.fromkeys(passage.document for passage in batch) if name not in known]
        known.update(titles)
        joined = [join(passage) for passage in batch]
        texts = [item.text for item in joined] + [readable(name) for name in titles]
        yield (batch, joined, titles, texts), texts


def within_fields(joined: Joined, spans: Iterable[Span]) -> list[Span]:
    """Spans cut at the borders of the fields."""
    fields = iter(joined.fields)
    current = next(fields)
    cut: list[Span] = []
    for span in spans:
        start = span.start
        while start < span.end:
            while current.end <= start:
                following = next(fields, None)
                if following is None:
                    return cut
                current = following
            start = max(start, current.start)
            end = min(span.end, current.end)
            if start >= end:
                break
            cut.append(Span(start, end, span.type, span.cls, span.source, span.score))
            start = end
    return cut


def pack(spans: Iterable[Span]) -> bytes:
    """Offsets and types as bytes; types of plug-ins that are not listed are packed as MISC."""
    types = {name: index for index, name in enumerate(CLASS_OF_TYPE)}
    return b"".join(_PACKED.pack(span.start, span.end, types.get(span.type, types["MISC"])) for span in spans)


def unpack(packed: bytes) -> list[Span]:
    """The spans that `pack` took; source and score are gone."""
    names = list(CLASS_OF_TYPE)
    return [
        Span(start, end, names[index], class_of(names[index]), "survey", 1.0)
        for start, end, index in _PACKED.iter_unpack(packed)
    ]


def _vote(text: str, spans: Iterable[Span], votes: dict[str, Counter[Kind]]) -> None:
    for span in spans:
        if span.type == "PERSON":
            words = [fold(token.text) for token in tokens_of(text, span.start, span.end)]
            words = [word for word in words if word not in PARTICLES and word not in HONORIFICS]
            for position, word in enumerate(words):
                weight = _FULL_NAME_WEIGHT if len(words) > 1 else 1
                votes.setdefault(word, Counter())[_role(word, position, len(words))] += weight
        elif span.type in _KIND_OF_TYPE:
            for token in tokens_of(text, span.start, span.end):
                word = fold(token.text)
                if is_name_like(token.text) and word not in GENERIC and word not in PARTICLES:
                    votes.setdefault(word, Counter())[_KIND_OF_TYPE[span.type]] += 1


def _role(word: str, position: int, count: int) -> Kind:
    if count == 1:
        return "given" if word in given_names() else "family"
    return "family" if position == count - 1 else "given"


def _elected(counter: Counter[Kind]) -> Kind:
    """The majority; equal counts are decided by the order of the kinds, so that the result never depends on chance."""
    person: list[Kind] = [kind for kind in ("given", "family") if counter[kind]]
    candidates: list[Kind] = person or ["org", "place", "nationality"]
    return max(candidates, key=lambda kind: counter[kind])


def _count(text: str, taken: set[str], small: Counter[str], large: Counter[str]) -> None:
    for token in all_tokens(text):
        folded = fold(token.text)
        if is_name_like(token.text):
            large[folded] += 1
            taken.add(folded)
        elif not may_be_name(text, token):
            small[folded] += 1
    for chunk in text.split():
        if any(map(str.isdigit, chunk)) or "@" in chunk:
            taken.add(code_of(chunk))
