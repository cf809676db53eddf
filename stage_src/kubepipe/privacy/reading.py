"""Passages in batches, as they are read for personal data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeVar

from kubepipe.passages.model import Passage
from kubepipe.privacy.detect.detector import Detector
from kubepipe.privacy.entities.model import Span
from kubepipe.privacy.pseudonymise.fields import Joined, join

BATCH: Final = 64
"""Passages that are read at once."""

T = TypeVar("T")


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Consecutive items, `size` at a time."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def read_passages(passages: Iterable[Passage], detector: Detector) -> Iterator[tuple[Passage, Joined, list[Span]]]:
    """Each passage with its joined text and the spans found in it, in order, by the processes of the detector."""

    def to_read() -> Iterator[tuple[list[tuple[Passage, Joined]], list[str]]]:
        for batch in batches(passages):
            joined = [join(passage) for passage in batch]
            yield list(zip(batch, joined, strict=True)), [item.text for item in joined]

    for batch, found in detector.detect_all(to_read()):
        for (passage, joined), spans in zip(batch, found, strict=True):
            yield passage, joined, spans
