"""Detection over a stream of texts: order kept, memory bounded by a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from kubepipe.privacy.detect.detector import Detector
from kubepipe.privacy.detect.ner import BATCH
from kubepipe.privacy.entities.model import Span

MOST_CHARACTERS: Final = 1_000_000
"""A batch ends when its texts have so many code points, so that long texts do not add up."""


class Text(NamedTuple):
    """A text and the name it goes by; the name comes back with its spans."""

    id: object
    text: str


def detect_stream(texts: Iterable[Text], detector: Detector) -> Iterator[tuple[Text, list[Span]]]:
    """Each text with its spans, in the order given; a text is asked for only when its batch is read."""
    batch: list[Text] = []
    characters = 0
    for item in texts:
        batch.append(item)
        characters += len(item.text)
        if len(batch) == BATCH or characters >= MOST_CHARACTERS:
            yield from _read(batch, detector)
            batch, characters = [], 0
    yield from _read(batch, detector)


def _read(batch: list[Text], detector: Detector) -> Iterator[tuple[Text, list[Span]]]:
    yield from zip(batch, detector.detect([item.text for item in batch]), strict=True)
