"""Types of personal data, the class of each, and what may be done with them: the words of a privacy policy.

The classes follow the Text Anonymization Benchmark (Pilan et al., Computational Linguistics 48(4), 2022): direct
identifiers point at one person by themselves, quasi-identifiers do so together; special categories are those of
articles 9 and 10 of the GDPR.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

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

Action = Literal["pseudonymise", "mask", "generalise", "drop"]
"""A surrogate; the tag of the type; a coarser value (date: year, age: ten years, place: country); nothing at all."""

CLASSES: Final[tuple[str, ...]] = get_args(EntityClass)
ENTITY_NAMES: Final[tuple[str, ...]] = (*CLASSES, *CLASS_OF_TYPE)
"""What a policy may name: classes, and types."""
