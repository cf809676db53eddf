"""The detector: named entities and rules, merged, with found names carried to their other mentions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from kubepipe.privacy.detect.addresses import addresses
from kubepipe.privacy.detect.calendar import dates
from kubepipe.privacy.detect.foreign import foreign_names
from kubepipe.privacy.detect.invisible import visible
from kubepipe.privacy.detect.jobs import jobs
from kubepipe.privacy.detect.merge import merge
from kubepipe.privacy.detect.models import resolve_model
from kubepipe.privacy.detect.ner import EntityRecogniser
from kubepipe.privacy.detect.numbers import number_identifiers
from kubepipe.privacy.detect.parties import parties
from kubepipe.privacy.detect.patterns import network_identifiers, user_names
from kubepipe.privacy.detect.people import ages, listed_people, lone_first_names, titled_people
from kubepipe.privacy.detect.plugins import PlugIn, plug_ins
from kubepipe.privacy.detect.propagate import propagate
from kubepipe.privacy.detect.rosters import beside_people, shortened_people
from kubepipe.privacy.detect.special import special_categories
from kubepipe.privacy.detect.stretches import stretches
from kubepipe.privacy.detect.surroundings import surrounded
from kubepipe.privacy.entities.model import Span
from kubepipe.privacy.workers import in_order
from kubepipe.settings.privacy import PrivacySettings

K = TypeVar("K")
Telling = Callable[[str], Iterable[tuple[int, int]]]
"""Finds places in a text: starts and ends in code points, ascending."""


class Recogniser(Protocol):
    """What reads texts for named entities.

    Attributes:
        reach: How many words on either side what it says of a word may depend on; None: the whole text.
    """

    reach: int | None

    def recognise(self, texts: Sequence[str]) -> list[list[Span]]:
        """Entities of each text."""
        ...


class Detector:
    """Finds personal data in texts.

    Args:
        recogniser: Reads for named entities; None leaves only the rules (for tests and for quick looks).
        language: ISO 639-1 code.
        plug_ins: Further detectors.
        processes: How many read side by side in `detect_all`, and wherever else batches are worked on with it.
    """

    def __init__(
        self, recogniser: Recogniser | None, language: str, plug_ins: Sequence[PlugIn] = (), *, processes: int = 1
    ) -> None:
        self.processes = processes
        self._recogniser = recogniser
        self._language = language
        self._plug_ins = tuple(plug_ins)

    def detect(self, texts: Sequence[str], telling: Telling | None = None) -> list[list[Span]]:
        """Spans of each text: sorted, not overlapping, offsets in code points of the text as given.

        Args:
            texts: Texts of any length.
            telling: Places of the only words that the caller will look at. Named entities away from them are then left
                out, which saves reading what does not bear on them; the rules read everything all the same.
        """
        views = [visible(text) for text in texts]
        entities = self._entities([view.text for view in views], telling)
        return [view.restored(self._one(view.text, found)) for view, found in zip(views, entities, strict=True)]

    def detect_all(self, batches: Iterable[tuple[K, Sequence[str]]]) -> Iterator[tuple[K, list[list[Span]]]]:
        """Spans of the texts of each batch, with the batch's key and in order; the processes share the batches."""
        return in_order(self.detect, batches, self.processes)

    def _entities(self, texts: Sequence[str], telling: Telling | None) -> list[list[Span]]:
        if self._recogniser is None:
            return [[] for _ in texts]
        reach = self._recogniser.reach
        if telling is None or reach is None:
            return self._recogniser.recognise(texts)
        places = [stretches(text, telling(text), reach) for text in texts]
        pieces = [text[start:end] for text, parts in zip(texts, places, strict=True) for start, end in parts]
        found = iter(self._recogniser.recognise(pieces))
        return [
            [
                replace(span, start=start + span.start, end=start + span.end)
                for start, _ in parts
                for span in next(found)
            ]
            for parts in places
        ]

    def rules(self, text: str) -> Iterator[Span]:
        """What the rules find by themselves, overlaps included."""
        has_digit = any(map(str.isdigit, text))
        yield from network_identifiers(text)
        yield from user_names(text)
        yield from titled_people(text)
        yield from listed_people(text, self._language)
        yield from parties(text, self._language)
        yield from foreign_names(text, self._language)
        yield from lone_first_names(text)
        yield from shortened_people(text, self._language)
        if has_digit:
            yield from number_identifiers(text, self._language)
            yield from addresses(text)
            yield from ages(text)
            yield from dates(text)
        yield from surrounded(text, self._language)
        for plug_in in self._plug_ins:
            yield from plug_in(text, self._language)

    def _one(self, text: str, entities: list[Span]) -> list[Span]:
        found = merge(text, [*entities, *self.rules(text)])
        found = merge(text, [*found, *beside_people(text, found, self._language)])
        found = propagate(text, found, self._language)
        return merge(text, [*found, *jobs(text, found), *special_categories(text, found, self._language)])


def build_detector(settings: PrivacySettings, *, processes: int = 1) -> Detector:
    """The detector of a policy: the language's model, the rules, and plug-ins.

    Args:
        settings: The policy.
        processes: How many read side by side.

    Raises:
        ModelNotFoundError: The language's model is not on this machine.
        SettingsError: A plug-in is not installed or cannot be loaded.
        MissingExtraError: A plug-in's library is not installed.
    """
    recogniser = EntityRecogniser(resolve_model(settings.spacy_model, settings.language))
    further = plug_ins(settings.detectors, settings.language)
    return Detector(recogniser, settings.language, further, processes=processes)
