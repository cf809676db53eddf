"""Words that are part of names without naming anybody, and words too common to betray a name.

The lists lie beside this module, in `lists/`: words in lower case, `#` starts a comment.
"""

from __future__ import annotations

import importlib
from functools import cache
from importlib.resources import files
from typing import Final

from kubepipe.privacy.entities.tokens import fold


def word_list(name: str) -> frozenset[str]:
    """Words of the list `lists/NAME.txt`."""
    text = files("kubepipe.privacy.entities").joinpath("lists", f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(fold(word) for line in text.splitlines() if not line.startswith("#") for word in line.split())


PARTICLES: Final = word_list("particles")
"""Function words inside names: they stay as they are."""

HONORIFICS: Final = word_list("honorifics")
"""Titles and suffixes of persons: they stay, so that the gender stays."""

SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "phd", "md", "esq"})
"""Of these, the ones that stand behind a name; any other title at the end of a name is part of it (Genghis Khan)."""

GENERIC: Final = word_list("generic")
"""Words that say what kind of organisation or place it is: they stay, so that a question still makes sense."""

CALENDAR: Final = word_list("calendar")
"""Months, days of the week, seasons: no names."""

AMBIGUOUS: Final = word_list("ambiguous")
"""First names that are ordinary words, places or firms as well."""

NATIONALITIES: Final = word_list("nationalities")
"""Adjectives of nationality."""

ADDRESS: Final = word_list("address")
"""Words of postal addresses: they stay."""

JOBS: Final = word_list("jobs")
"""Last words of names of jobs."""

ABBREVIATIONS: Final = word_list("abbreviations")
"""Letters, without their stops, that are no initials of a person: U.S., p.m."""

_LIST_OF_LANGUAGE: Final = {"en": "en_US", "de": "de_DE", "fr": "fr_FR"}


@cache
def common_words(language: str) -> frozenset[str]:
    """Words, in lower case, whose presence in a text says nothing about a person.

    spaCy's stop words, Faker's word list of the language, the calendar, titles and generic words. What else is common
    in a given data set is learnt from the data set itself (see `survey`).
    """
    words = set(PARTICLES | HONORIFICS | GENERIC | CALENDAR)
    try:
        stop = importlib.import_module(f"spacy.lang.{language}.stop_words")
        words.update(fold(word) for word in stop.STOP_WORDS)
    except ImportError:
        pass
    locale = _LIST_OF_LANGUAGE.get(language)
    if locale is not None:
        lorem = importlib.import_module(f"faker.providers.lorem.{locale}")
        words.update(fold(word) for word in lorem.Provider.word_list)
    return frozenset(words)
