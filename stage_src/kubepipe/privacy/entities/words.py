"""Words that are part of names without naming anybody, and words too common to betray a name."""

from __future__ import annotations

from functools import cache
from typing import Final

PARTICLES: Final = frozenset(
    ["a", "al", "am", "an", "and", "as", "at", "au", "aux", "bei", "bin", "by", "da", "dal", "das", "de", "degli", "dei", "del", "della", "den", "der", "des", "di", "do", "dos", "du", "e", "el", "et", "for", "from", "i", "ibn", "im", "in", "la", "las", "le", "les", "lo", "los", "no", "of", "on", "or", "os", "the", "ten", "ter", "to", "und", "van", "vom", "von", "y", "zu", "zum", "zur", "à", "în", "på"]
)
"""Function words inside names: they stay as they are."""

HONORIFICS: Final = frozenset(
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "lord", "lady", "rev", "reverend", "hon", "judge", "justice", "captain", "capt", "colonel", "col", "general", "gen", "lieutenant", "lt", "sergeant", "sgt", "major", "president", "chancellor", "minister", "prime", "king", "queen", "prince", "princess", "duke", "duchess", "earl", "count", "countess", "baron", "baroness", "emperor", "empress", "pope", "bishop", "archbishop", "cardinal", "saint", "st", "father", "sister", "brother", "governor", "senator", "mayor", "ambassador", "secretary", "chief", "chairman", "director", "coach", "sheikh", "sultan", "khan", "tsar", "imam", "rabbi", "herr", "frau", "fräulein", "doktor", "monsieur", "madame", "mademoiselle", "mme", "mlle", "docteur", "maître", "me", "jr", "sr", "ii", "iii", "iv", "vi", "vii", "viii", "ix", "xi", "xii", "xiii", "xiv", "xv", "xvi", "phd", "md", "esq"]
)
"""Titles and suffixes of persons."""

GENERIC: Final = frozenset(
    ["academy", "administration", "agency", "air", "airport", "alliance", "army", "association", "authority", "avenue", "bank", "bay", "beach", "board", "boulevard", "bridge", "broadcasting", "brothers", "building", "bureau", "canal", "castle", "cathedral", "center", "central", "centre", "chamber", "channel", "church", "city", "clinic", "club", "co", "coast", "college", "commission", "committee", "community", "company", "congress", "conference", "conservatory", "corp", "corporation", "council", "county", "court", "department", "district", "division", "east", "eastern", "federal", "federation", "field", "force", "forces", "forest", "foundation", "gallery", "gmbh", "government", "group", "hall", "high", "hill", "hills", "holding", "holdings", "hospital", "hotel", "house", "inc", "industries", "institute", "international", "island", "islands", "isle", "kingdom", "lake", "land", "league", "library", "limited", "line", "llc", "ltd", "mall", "market", "medical", "memorial", "ministry", "mission", "mount", "mountain", "mountains", "museum", "national", "navy", "network", "new", "news", "north", "northeast", "northern", "northwest", "ocean", "office", "orchestra", "organisation", "organization", "palace", "park", "parliament", "party", "peninsula", "place", "plaza", "point", "police", "port", "press", "province", "public", "railway", "region", "republic", "research", "river", "road", "royal", "school", "science", "sciences", "sea", "senate", "services", "society", "south", "southeast", "southern", "southwest", "square", "stadium", "state", "states", "station", "street", "studios", "supreme", "system", "systems", "team", "technologies", "technology", "theatre", "theater", "tower", "town", "treaty", "trust", "union", "united", "university", "upper", "valley", "village", "west", "western", "world", "straße", "strasse", "platz", "stadt", "schule", "universität", "klinik", "krankenhaus", "bezirk", "kreis", "verein", "gesellschaft", "rue", "ville", "école", "université", "hôpital", "société", "département", "région"]
)
"""Words that say what kind of organisation or place it is: they stay, so that a question still makes sense."""

CALENDAR: Final = frozenset(
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "spring", "summer", "autumn", "fall", "winter", "januar", "februar", "märz", "mai", "juni", "juli", "oktober", "dezember", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag", "janvier", "février", "mars", "avril", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]
)

_LIST_OF_LANGUAGE: Final = {"en": "en_US", "de": "de_DE", "fr": "fr_FR"}


@cache
def common_words(language: str) -> frozenset[str]:
    """Words, in lower case, whose presence in a text says nothing about a person.

    spaCy's stop words, Faker's word list of the language, the calendar, titles and generic words. What else is common
    in a given data set is learnt from the data set itself (see `survey`).
    """
    import importlib

    words = set(PARTICLES | HONORIFICS | GENERIC | CALENDAR)
    try:
        stop = importlib.import_module(f"spacy.lang.{language}.stop_words")
        words.update(word.casefold() for word in stop.STOP_WORDS)
    except ImportError:
        pass
    locale = _LIST_OF_LANGUAGE.get(language)
    if locale is not None:
        lorem = importlib.import_module(f"faker.providers.lorem.{locale}")
        words.update(word.casefold() for word in lorem.Provider.word_list)
    return frozenset(words)
