"""Another language than the declared one is noticed, and nothing is said where it cannot be told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kubepipe.passages.model import Passage
from kubepipe.privacy import Detector, assess
from kubepipe.privacy.language import UNKNOWN, other_language
from kubepipe.records import validate
from kubepipe.settings.privacy import PrivacySettings

TEXTS = {
    "en": "The ward was quiet when the doctor came in, and for a while nobody said what they had all been thinking "
    "since the letter arrived in the morning.",
    "de": "Als die Ärztin auf die Station kam, war es still, und eine Weile sagte niemand, was alle seit dem Morgen "
    "gedacht hatten, nachdem der Brief gekommen war.",
    "fr": "Quand la docteure est entrée dans le service, il n'y avait pas un bruit, et pendant un moment personne n'a "
    "dit ce que tous pensaient depuis que la lettre était arrivée.",
    "es": "Cuando la doctora entró en la sala no se oía nada, y durante un rato nadie dijo lo que todos pensaban desde "
    "que llegó la carta por la mañana.",
    "it": "Quando la dottoressa entrò nel reparto non si sentiva nulla, e per un po' nessuno disse quello che tutti "
    "pensavano da quando era arrivata la lettera.",
    "nl": "Toen de dokter op de afdeling kwam was het stil, en een tijdje zei niemand wat ze allemaal al sinds de "
    "ochtend hadden gedacht toen de brief kwam.",
}
RUSSIAN = "Когда врач вошла в палату, было тихо, и некоторое время никто не говорил. " * 2


@pytest.mark.parametrize("declared", TEXTS)
@pytest.mark.parametrize("written", TEXTS)
def test_the_language_of_running_text_is_told(declared: str, written: str) -> None:
    """Of six languages each is told from each other; one's own is no warning."""
    assert other_language(TEXTS[written], declared) == (None if written == declared else written)


def test_nothing_is_said_where_it_cannot_be_told() -> None:
    """Few words, words that no language shares, and a declared language without a profile; another script is told."""
    assert other_language(" ".join(TEXTS["de"].split()[:9]), "en") is None
    assert other_language("Ada Lind, Bo Falk, Cem Aydin, " * 10, "en") is None
    assert other_language(TEXTS["de"], "sv") is None
    assert other_language(RUSSIAN, "en") == UNKNOWN


def test_the_report_counts_passages_and_documents(
    knows: Callable[..., Detector], passage: Callable[..., Passage]
) -> None:
    """By language, in the report; no value."""
    made = [
        passage(TEXTS["en"], ("Who came?", "the doctor"), id="a"),
        passage(TEXTS["de"], ("Who came?", "die Ärztin"), id="b", document="two"),
        passage(TEXTS["de"], ("Who came?", "die Ärztin"), id="c", document="two"),
        passage(TEXTS["fr"], ("Who came?", "la docteure"), id="d", document="three"),
    ]
    report = assess({"train": made}, PrivacySettings(), knows({})).document()
    validate(report, "risk-report", place="the report")
    assert report["other_language"] == {"passages": 3, "documents": 2, "languages": {"de": 2, "fr": 1}}


def test_no_passage_of_a_real_english_data_set_is_called_foreign(shared_data: Path) -> None:
    """XQuAD's English contexts: declared English none is warned of, declared German nearly all."""
    document = json.loads((shared_data / "xquad" / "xquad.en.json").read_text(encoding="utf-8"))
    contexts = [paragraph["context"] for article in document["data"] for paragraph in article["paragraphs"]]
    assert not [context for context in contexts if other_language(context, "en")]
    assert sum(other_language(context, "de") == "en" for context in contexts) >= 0.97 * len(contexts)
