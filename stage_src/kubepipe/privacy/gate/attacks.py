"""Attacks on the protected data: who stands alone, who can be linked, what a second detector still sees.

Each looks at all passages or at a sample, evenly spaced, and says how far the share may be from what was seen.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from kubepipe.passages.model import Passage
from kubepipe.privacy.assess.singling import SinglingOut, ValueSets
from kubepipe.privacy.entities.model import Span
from kubepipe.privacy.entities.tokens import fold, is_name_like
from kubepipe.privacy.entities.words import common_words
from kubepipe.privacy.gate.casing import Casing
from kubepipe.privacy.gate.linkage import Linkage, link, parts_of, words_of
from kubepipe.privacy.gate.second import Second, build_second
from kubepipe.privacy.intervals import finite_bounds
from kubepipe.privacy.pseudonymise.fields import join
from kubepipe.privacy.pseudonymise.keyed import is_opaque, opaque_id
from kubepipe.privacy.pseudonymise.survey import Survey
from kubepipe.privacy.pseudonymise.vault import LONGEST_VALUE, value_of
from kubepipe.settings.privacy import PrivacySettings

SAMPLE: Final = 1000
"""Passages that are attacked, and that a second detector reads; more only narrow the intervals."""

_YEAR: Final = 4
"""Digits from which a number tells something."""

Passages = Callable[[], Iterable[Passage]]
"""Reads all passages anew."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What a second detector sees in the protected data that stood in the original.

    Attributes:
        detector: Its name; None when the policy names none, and then nothing was looked at.
        examined: Passages that it read.
        findings: Places where it sees a direct identifier whose words stood in the original of the passage.
        passages: Passages with such a place.
        share: Their share.
        interval: 95 % interval of the share in the whole data set.
    """

    detector: str | None
    examined: int
    findings: int
    passages: int
    share: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Attacks:
    """All attacks.

    Attributes:
        singled_out: Passages that the quasi-identifiers *of the original that still stand* single out.
        linkage: Passages that can be linked by what the original says of people, beyond a control.
        disagreement: What the second detector sees.
    """

    singled_out: SinglingOut
    linkage: Linkage
    disagreement: Disagreement

    def document(self) -> dict[str, Any]:
        """The figures as JSON values."""
        linkage, disagreement = asdict(self.linkage), asdict(self.disagreement)
        return {
            "singled_out": self.singled_out.document(),
            "linkage": {**linkage, "beyond_interval": list(self.linkage.beyond_interval)},
            "disagreement": {**disagreement, "interval": list(self.disagreement.interval)},
        }


class _Pair(NamedTuple):
    before: Passage
    after: Passage


def attack(before: Passages, after: Passages, settings: PrivacySettings, key: bytes, found: Survey) -> Attacks:
    """Attack protected data.

    Args:
        before: The original.
        after: The protected data.
        settings: The policy.
        key: Pseudonym key: telling ids were replaced with it, so it finds the original of a passage.
        found: The first pass over the original.

    Raises:
        ModelNotFoundError: The policy names a second detector that is not on this machine.
    """
    total = sum(1 for _ in after())
    pairs = list(_pairs(before(), after(), key, total))
    casing = Casing(join(passage).text for passage in before())
    telling = _Telling(casing, common_words(settings.language))
    second = build_second(settings, casing)
    originals = [join(pair.before).text for pair in pairs]
    protected = [join(pair.after).text for pair in pairs]
    known = [
        telling.words(text, _replaced(found, pair.before, settings))
        for text, pair in zip(originals, pairs, strict=True)
    ]
    if second is not None:
        for number, (text, places) in enumerate(zip(originals, second.identifiers(originals), strict=True)):
            known[number] |= telling.words(text, places)
    return Attacks(
        _still_standing(before(), after(), key, found, telling),
        link(known, protected, originals, is_all=len(pairs) == total),
        _disagreement(second, originals, protected, telling, total),
    )


def _pairs(before: Iterable[Passage], after: Iterable[Passage], key: bytes, total: int) -> Iterator[_Pair]:
    """Protected passages, evenly spaced, with their originals; in the order of the originals."""
    count = min(SAMPLE, total)
    wanted = {number * total // count for number in range(count)}
    chosen = {passage.id: passage for number, passage in enumerate(after) if number in wanted}
    for passage in before:
        match = chosen.get(_id(passage, key)) or chosen.get(passage.id)
        if match is not None:
            yield _Pair(passage, match)


def _id(passage: Passage, key: bytes) -> str:
    return passage.id if is_opaque(passage.id) else opaque_id(key, passage.id)


def _replaced(found: Survey, passage: Passage, settings: PrivacySettings) -> list[tuple[int, int]]:
    """Places in the original of what the policy replaces."""
    spans: list[Span] = found.spans_of(passage.id) or []
    return [(span.start, span.end) for span in spans if span.cls in settings.classes]


class _Telling:
    """Tells words that point at somebody from ordinary ones."""

    def __init__(self, casing: Casing, ordinary: frozenset[str]) -> None:
        self._casing, self._ordinary = casing, ordinary

    def words(self, text: str, places: Iterable[tuple[int, int]]) -> frozenset[str]:
        """Telling words and numbers of places, in one spelling."""
        return frozenset(
            fold(word) for start, end in places for word in parts_of(text[start:end]) if self._is_telling(word)
        )

    def _is_telling(self, word: str) -> bool:
        if any(map(str.isdigit, word)):
            return sum(map(str.isdigit, word)) >= _YEAR
        is_ordinary = fold(word) in self._ordinary or not self._casing.is_name_like(word)
        return len(word) > 1 and is_name_like(word) and not is_ordinary


def _still_standing(
    before: Iterable[Passage], after: Iterable[Passage], key: bytes, found: Survey, telling: _Telling
) -> SinglingOut:
    """Who the quasi-identifiers of the original single out that still stand in the passage they were said in."""
    said: dict[str, array[int]] = {}
    for passage in before:
        text = join(passage).text
        values = {
            hash(value_of(text[span.start : span.end]))
            for span in found.spans_of(passage.id) or ()
            if span.cls == "QUASI" and telling.words(text, [(span.start, span.end)])
        }
        if values:
            said[passage.id] = said[_id(passage, key)] = array("q", values)
    sets = ValueSets()
    for passage in after:
        values = set(said.get(passage.id, ()))
        words = value_of(join(passage).text, None) if values else ()
        parts = (words[at : at + size] for size in range(1, LONGEST_VALUE + 1) for at in range(len(words) - size + 1))
        sets.add(values & {hash(part) for part in parts})
    return sets.singled_out()


def _disagreement(
    second: Second | None, originals: list[str], protected: list[str], telling: _Telling, total: int
) -> Disagreement:
    if second is None:
        return Disagreement(None, 0, 0, 0, 0.0, (0.0, 1.0))
    counts = []
    for original, text, places in zip(originals, protected, second.identifiers(protected), strict=True):
        stood = frozenset(words_of(original))
        # No surrogate equals a word of the data set: what stood there was not replaced.
        counts.append(sum(1 for place in places if telling.words(text, [place]) & stood))
    hit = sum(1 for count in counts if count)
    share = hit / len(counts) if counts else 0.0
    bounds = finite_bounds(hit, len(counts), total) if total else (0.0, 0.0)
    return Disagreement(second.name, len(counts), sum(counts), hit, share, bounds)
