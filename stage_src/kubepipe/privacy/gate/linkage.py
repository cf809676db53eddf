"""Linkage attack: an outsider who knows the original identifiers of a record looks for it among the protected ones.

Prose is kept by design, so who holds the original text finds its protected form in any case; that says nothing about
protection. What an outsider has is what names the person: names, places, dates, numbers. The attack takes these words
of one original passage as a question, and the protected passages as documents: tf-idf over pieces of four to six
letters of each word, cosine, the nearest passage wins. The control asks the same questions of the originals from which
just these words were taken out: what it links hangs on the prose alone. Surrogates resemble real names now and then,
and then any passage may be the nearest: how often that hits the right one is told by how often it hits wrong ones. What
the attack links beyond the control and beyond chance is what protection left over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from zlib import crc32

from kubepipe.privacy.entities.tokens import fold
from kubepipe.privacy.intervals import clopper_pearson

_BUCKETS: Final = 1 << 20
_SHORTEST: Final = 4
_LONGEST: Final = 6
_EQUAL: Final = 1e-9
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Linkage:
    """What the attack came to.

    Attributes:
        examined: Passages whose identifiers were used as questions.
        pool: Protected passages among which each was looked for.
        linked: Attacks that found the right passage, and no other as near.
        linked_control: The same on originals without the words of the question.
        beyond: Attacks that succeeded where the control did not.
        by_chance: How many attacks are to be expected to succeed by chance: wrong ones over wrong passages.
        beyond_share: Share of `beyond` less `by_chance` of the passages that the control did not link; 0 when no
            question had a word.
        beyond_interval: The share itself when every passage was attacked; else the 95 % Clopper-Pearson interval of the
            share of `beyond`, from which chance is not taken off.
    """

    examined: int
    pool: int
    linked: int
    linked_control: int
    beyond: int
    by_chance: float
    beyond_share: float
    beyond_interval: tuple[float, float]


def parts_of(text: str) -> list[str]:
    """Words and numbers of a text, as they are written."""
    return _WORD.findall(text)


def words_of(text: str) -> list[str]:
    """Words and numbers of a text, in one spelling."""
    return [fold(word) for word in parts_of(text)]


def link(
    questions: Sequence[frozenset[str]], protected: Sequence[str], originals: Sequence[str], *, is_all: bool
) -> Linkage:
    """Attack every passage.

    Args:
        questions: Telling words of each original, in one spelling; a passage without any is not attacked.
        protected: The protected texts, in the same order.
        originals: The original texts, in the same order.
        is_all: Whether these are all passages of the data set, so that nothing is left to estimate.
    """
    asked = [number for number, question in enumerate(questions) if question]
    attacked = _Index([words_of(text) for text in protected])
    bare = [
        [word for word in words_of(text) if word not in question]
        for text, question in zip(originals, questions, strict=True)
    ]
    control = _Index(bare)
    nearest = {number: attacked.nearest(questions[number]) for number in asked}
    by_attack = {number for number, found in nearest.items() if found == number}
    wrong = sum(1 for number, found in nearest.items() if found not in (None, number))
    by_chance = wrong / (len(protected) - 1) if wrong else 0.0
    by_control = {number for number in asked if control.nearest(questions[number]) == number}
    beyond, open_to = len(by_attack - by_control), len(asked) - len(by_control)
    # Where the control links everything the attack tells nothing, and what tells nothing must not pass.
    share = max(0.0, beyond - by_chance) / open_to if open_to else float(bool(asked))
    interval = (share, share) if is_all or not asked else clopper_pearson(beyond, open_to)
    return Linkage(len(asked), len(protected), len(by_attack), len(by_control), beyond, by_chance, share, interval)


class _Index:
    """Documents by the pieces of their words, weighted by tf-idf and of length one."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        import numpy as np

        self._count = len(documents)
        rows: list[Any] = []
        pieces: list[Any] = []
        weights: list[Any] = []
        for number, words in enumerate(documents):
            found, counts = _pieces(words)
            rows.append(np.full(len(found), number, dtype=np.int32))
            pieces.append(found)
            weights.append(1.0 + np.log(counts))
        row, piece, weight = (np.concatenate([*some, np.zeros(0)]) for some in (rows, pieces, weights))
        row, piece = row.astype(np.int64), piece.astype(np.int64)
        held = np.bincount(piece, minlength=_BUCKETS)
        self._idf = np.log((1 + self._count) / (1 + held)) + 1.0
        weight *= self._idf[piece]
        length = np.sqrt(np.bincount(row, weights=weight * weight, minlength=max(1, self._count)))
        weight /= np.where(length > 0, length, 1.0)[row]
        order = np.argsort(piece, kind="stable")
        self._rows, self._weights = row[order], weight[order]
        self._first = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(held)])

    def nearest(self, words: Iterable[str]) -> int | None:
        """Number of the nearest document; None when none is near or two are equally near."""
        import numpy as np

        found, counts = _pieces(sorted(words))
        if self._count == 0 or len(found) == 0:
            return None
        scores = np.zeros(self._count)
        for piece, count in zip(found, counts, strict=True):
            some = slice(self._first[piece], self._first[piece + 1])
            scores[self._rows[some]] += self._weights[some] * self._idf[piece] * (1.0 + np.log(count))
        best = int(scores.argmax())
        is_alone = scores[best] > 0 and (np.abs(scores - scores[best]) <= _EQUAL * scores[best]).sum() == 1
        return best if is_alone else None


def _pieces(words: Iterable[str]) -> tuple[Any, Any]:
    """Numbers of the pieces of words, and how often each occurs."""
    import numpy as np

    found = [_pieces_of(word) for word in words]
    return np.unique(np.concatenate(found) if found else np.zeros(0, dtype=np.int64), return_counts=True)


@lru_cache(maxsize=1 << 16)
def _pieces_of(word: str) -> Any:
    import numpy as np

    framed = f" {word} "
    return np.array(
        [
            crc32(framed[start : start + size].encode()) % _BUCKETS
            for size in range(_SHORTEST, _LONGEST + 1)
            for start in range(len(framed) - size + 1)
        ]
        or [crc32(framed.encode()) % _BUCKETS],
        dtype=np.int64,
    )
