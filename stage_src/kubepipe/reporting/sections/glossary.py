"""The words of the page, for readers who do not train models or do not work on privacy."""

from __future__ import annotations

from typing import Final

from kubepipe.reporting.markup import Markup, element
from kubepipe.reporting.sections.parts import section

_WORDS: Final = {
    "Exact match": "Share of questions whose answer equals an expected one, apart from case, punctuation and articles.",
    "F1": "Overlap of the words of the answer with those of the expected one, from 0 to 100, mean over the questions.",
    "95 % interval": (
        "Found by drawing the questions again and again with replacement. It tells how far a score may move with other "
        "questions of the same kind; it does not cover other kinds of data."
    ),
    "Tuned, untuned": "The same language model after and before it was trained on the protected data.",
    "Direct identifier": "Names a person by itself: a name, an e-mail address, a telephone or card number.",
    "Quasi-identifier": "Tells little alone and much together: places, dates, ages, employers.",
    "Art. 9 data": "What Article 9 of the GDPR lists: health, religion, politics, origin, sexuality, union membership.",
    "Pseudonym": (
        "A made-up value that stands in for a real one, the same everywhere under the same secret key. Who holds the "
        "key and the original can link both; in law the data therefore stays personal data."
    ),
    "Residual risk": "What may still point to a person after protection, as far as it was measured. It is never zero.",
    "Privacy gate": (
        "The step that measures again, by itself. On a pass it signs a permit for exactly this data set; otherwise the "
        "data stays sealed and no later step can start."
    ),
    "Digest": "A fingerprint (SHA-256) of content. One changed letter gives another digest.",
    "Grid intensity": "Grams of CO\N{SUBSCRIPT TWO} equivalent per kWh of a country's electricity, mean of a year.",
    "PUE, WUE": "Overhead of a site: all its electricity by that of its computers, and litres of water per kWh.",
    "SCI": "Software carbon intensity (ISO/IEC 21031): carbon per unit of work, here without making the hardware.",
}


def glossary() -> Markup:
    """Terms and what they mean here."""
    terms = (element("div", element("dt", term), element("dd", meaning)) for term, meaning in _WORDS.items())
    return section("words", "How to read this page", element("dl", terms, class_="glossary"))
