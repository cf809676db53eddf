"""Types of entities and the class each belongs to.

The classes follow the Text Anonymization Benchmark (Pilan et al., Computational Linguistics 48(4), 2022): direct
identifiers point at one person by themselves, quasi-identifiers do so together; special categories are those of
articles 9 and 10 of the GDPR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

EntityClass = Literal["DIRECT", "QUASI", "ART9", "OTHER"]

CLASS_OF_TYPE: Final[dict[str, EntityClass]] = {
    "PERSON": "DIRECT",
    "EMAIL": "DIRECT",
    "PHONE": "DIRECT",
    "IBAN": "DIRECT",
    "CARD": "DIRECT",
    "NATIONAL_ID": "DIRECT",
    "CODE": "DIRECT",
    "URL": "DIRECT",
    "HANDLE": "DIRECT",
    "IP": "DIRECT",
    "MAC": "DIRECT",
    "ADDRESS": "DIRECT",
    "ORG": "QUASI",
    "PLACE": "QUASI",
    "POSTCODE": "QUASI",
    "NATIONALITY": "QUASI",
    "DATE": "QUASI",
    "AGE": "QUASI",
    "JOB": "QUASI",
    "HEALTH": "ART9",
    "RELIGION": "ART9",
    "POLITICS": "ART9",
    "ETHNICITY": "ART9",
    "SEXUALITY": "ART9",
    "UNION": "ART9",
    "BIOMETRIC": "ART9",
    "OFFENCE": "ART9",
    "TITLE": "OTHER",
    "EVENT": "OTHER",
    "WORK": "OTHER",
    "PRODUCT": "OTHER",
    "MISC": "OTHER",
}
"""Every type that a detector may report. Religion, politics and the like are ART9 only beside a person."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A piece of a text that says something about a person.

    Attributes:
        start: First code point.
        end: One past the last code point.
        type: A key of `CLASS_OF_TYPE`.
        cls: Its class.
        source: The detector that found it, for example `ner`, `pattern:iban`, `propagated`.
        score: Confidence between 0 and 1; 1 means that a checksum or an unambiguous syntax agreed.
    """

    start: int
    end: int
    type: str
    cls: EntityClass
    source: str
    score: float


def class_of(type_: str) -> EntityClass:
    """Class of a type; a type of a plug-in that is not listed counts as OTHER."""
    return CLASS_OF_TYPE.get(type_, "OTHER")
