"""People and numbers of court judgments, in invented passages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubepipe.errors import ModelNotFoundError
from kubepipe.privacy import Detector, build_detector
from kubepipe.privacy.entities import tokens_of
from kubepipe.settings.privacy import PrivacySettings

TEXTS = Path(__file__).parent / "texts"
_UNTELLING = {"ms", "mr", "mrs", "dr", "ing", "prof", "and", "others", "de"}


def marked(name: str) -> list[tuple[str, list[tuple[int, int]]]]:
    """Texts of a file, and where the marked pieces of each stand."""
    found = []
    for line in (TEXTS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        text, places = "", []
        for number, piece in enumerate(re.split("[⟦⟧]", line.replace("¶", "\n"))):
            if number % 2:
                places.append((len(text), len(text) + len(piece)))
            text += piece
        found.append((text, places))
    return found


def left_over(detector: Detector, name: str) -> tuple[list[str], int]:
    """Marked pieces with a telling word that no span covers, and how many there are in all."""
    texts = marked(name)
    missed, total = [], 0
    for (text, places), spans in zip(texts, detector.detect([text for text, _ in texts]), strict=True):
        covered = bytearray(len(text))
        for span in spans:
            covered[span.start : span.end] = b"\1" * (span.end - span.start)
        for start, end in places:
            total += 1
            function = bytearray(len(text))
            for token in tokens_of(text, start, end):
                if token.text.casefold() in _UNTELLING:
                    function[token.start : token.end] = b"\1" * (token.end - token.start)
            if not all(covered[at] or function[at] or not text[at].isalnum() for at in range(start, end)):
                missed.append(text[start:end])
    return missed, total


def test_identifiers_of_judgments(detector: Detector) -> None:
    """At least 98 of 100 mentions of people and of application numbers are found whole."""
    missed, total = left_over(detector, "judgments")
    assert total > 100
    assert len(missed) <= 0.02 * total, missed


def test_identifiers_of_unseen_judgments(detector: Detector) -> None:
    """The same holds for passages that the rules were not written against."""
    missed, total = left_over(detector, "judgments_unseen")
    assert total > 100
    assert len(missed) <= 0.02 * total, missed


@pytest.mark.parametrize("language", ["de", "fr"])
def test_identifiers_of_letters(language: str) -> None:
    """German and French letters and notes, with the language's own model: at least 95 of 100 are found whole."""
    try:
        detector = build_detector(PrivacySettings(language=language))
    except ModelNotFoundError as error:
        pytest.skip(error.one_line())
    missed, total = left_over(detector, f"letters_{language}")
    assert total > 20
    assert len(missed) <= 0.05 * total, missed
