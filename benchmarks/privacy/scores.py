"""Label-agnostic scores: was it covered at all, whatever it was called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from privacy.labelled import Labelled

from kubepipe.privacy.entities import tokens_of
from kubepipe.privacy.entities.words import PARTICLES
from kubepipe.privacy.intervals import wilson

BETA_SQUARE = 4.0
"""Recall counts twice as much as precision: F2, as presidio-research has it."""

DIRECT = frozenset(
    {"EMAIL", "EMAIL_ADDRESS", "PHONE_NUMBER", "IBAN_CODE", "CREDIT_CARD", "US_SSN", "IP_ADDRESS", "DOMAIN_NAME"}
    | {"US_DRIVER_LICENSE", "CODE"}
)
"""Gold types that are direct identifiers by their form; names of people are told apart."""


@dataclass
class Score:
    """Sums over texts."""

    hit: int = 0
    predicted: int = 0
    wanted: int = 0
    full: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    hidden: int = 0
    identities: int = 0

    def document(self) -> dict[str, Any]:
        """Character precision, recall and F2, and the share of spans that are covered in full, by type."""
        precision, recall = self.hit / max(1, self.predicted), self.hit / max(1, self.wanted)
        f2 = (1 + BETA_SQUARE) * precision * recall / max(1e-12, BETA_SQUARE * precision + recall)
        full, total = sum(self.full.values()), sum(self.total.values())
        direct = sum(self.full[name] for name in DIRECT), sum(self.total[name] for name in DIRECT)
        return {
            "char_precision": round(precision, 4),
            "char_recall": round(recall, 4),
            "f2": round(f2, 4),
            "full": round(full / max(1, total), 4),
            "full_interval": [round(value, 4) for value in wilson(full, total)],
            "spans": total,
            "direct_identifiers": {"full": round(direct[0] / direct[1], 4) if direct[1] else None, "spans": direct[1]},
            "every_mention": {
                "full": round(self.hidden / self.identities, 4) if self.identities else None,
                "interval": [round(value, 4) for value in wilson(self.hidden, self.identities)],
                "identities": self.identities,
            },
            "by_type": {
                name: {"full": round(self.full[name] / count, 4), "spans": count}
                for name, count in sorted(self.total.items())
            },
        }


Spans = Sequence[tuple[int, int]]


def score(items: Iterable[Labelled], predictions: Iterable[Spans]) -> tuple[Score, list[tuple[str, str, str]]]:
    """The sums, and the spans that were not covered in full as (type, value, text)."""
    total, misses = Score(), []
    for item, spans in zip(items, predictions, strict=True):
        ours, gold = _mask(item.text, spans), _mask(item.text, [(start, end) for start, end, _ in item.gold])
        left = set[str]()
        for (start, end, name), who in zip_longest(item.gold, item.whose, fillvalue=""):
            total.total[name] += 1
            if _is_full(item.text, start, end, ours):
                total.full[name] += 1
            else:
                left.add(who)
                misses.append((name, item.text[start:end], item.text))
        total.identities += len(set(item.whose))
        total.hidden += len(set(item.whose) - left)
        for position, character in enumerate(item.text):
            if character.isalnum():
                total.wanted += gold[position]
                total.predicted += ours[position]
                total.hit += gold[position] & ours[position]
    return total, misses


def _mask(text: str, spans: Spans) -> bytearray:
    mask = bytearray(len(text))
    for start, end in spans:
        mask[start:end] = b"\1" * (end - start)
    return mask


def _is_full(text: str, start: int, end: int, mask: bytearray) -> bool:
    function = bytearray(len(text))
    for token in tokens_of(text, start, end):
        if token.text.casefold() in PARTICLES or token.text.casefold() in {
            "mr",
            "mrs",
            "ms",
            "dr",
            "ing",
            "prof",
            "others",
        }:
            function[token.start : token.end] = b"\1" * (token.end - token.start)
    return all(mask[at] or function[at] or not text[at].isalnum() for at in range(start, end))
