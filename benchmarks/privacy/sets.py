"""The labelled sets that are measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from privacy.generated import read_templates
from privacy.labelled import Labelled, read_conll, read_marked, read_notes, read_presidio

_TESTS = Path(__file__).resolve().parents[2] / "tests" / "privacy" / "texts"
SETS: tuple[tuple[str, str, str, Callable[[Path], list[Labelled]]], ...] = (
    ("synth_dataset_v2", "en", "presidio_research/synth_dataset_v2.json", read_presidio),
    ("generated_large", "en", "presidio_research/generated_large.json", read_presidio),
    ("wikigold", "en", "wikigold/wikigold.conll.txt", read_conll),
    ("safe_synth notes", "en", "safe_synth/fake_people_dataset.csv", read_notes),
    ("judgments", "en", str(_TESTS / "judgments.txt"), read_marked),
    ("judgments unseen", "en", str(_TESTS / "judgments_unseen.txt"), read_marked),
    ("judgments third", "en", str(_TESTS / "judgments_third.txt"), read_marked),
    ("judgments generated", "en", str(_TESTS / "judgment_templates.txt"), read_templates),
    ("letters de", "de", str(_TESTS / "letters_de.txt"), read_marked),
    ("letters fr", "fr", str(_TESTS / "letters_fr.txt"), read_marked),
)
"""Name, language, place below the data folder (or in this repository), reader."""
