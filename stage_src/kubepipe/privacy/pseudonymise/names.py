"""Surrogates of words in names: drawn from Faker's lists by a key, one word for one word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Final, NamedTuple

from kubepipe.errors import SettingsError
from kubepipe.privacy.entities.tokens import fold
from kubepipe.privacy.entities.words import common_words
from kubepipe.privacy.pseudonymise.keyed import keyed_number
from kubepipe.privacy.pseudonymise.survey import Kind

# One list is short (1,000 surnames in en_US): neighbours of the same language join in, so that two people of a text
# seldom draw the same name.
_LOCALES: Final[dict[str, tuple[str, ...]]] = {
    "en": ("en_US", "en_GB", "en_IE", "en_NZ", "en"),
    "de": ("de_DE", "de_AT", "de_CH"),
    "fr": ("fr_FR", "fr_CH", "fr_BE", "fr_QC"),
}
_PLACE_ENDS: Final = ("ville", "ton", "burgh", "field", "mouth", "ford", "stead", "haven", "bury", "port")
_PEOPLE_END: Final = "ian"
_ONSETS: Final = (
    "B",
    "Br",
    "D",
    "Dr",
    "F",
    "G",
    "Gr",
    "H",
    "J",
    "K",
    "Kl",
    "L",
    "M",
    "N",
    "P",
    "Pr",
    "R",
    "S",
    "St",
    "T",
    "Tr",
    "V",
    "W",
    "Z",
)
_MIDDLES: Final = (
    "ab",
    "ad",
    "al",
    "an",
    "ar",
    "av",
    "eb",
    "el",
    "em",
    "en",
    "er",
    "ig",
    "il",
    "im",
    "in",
    "ob",
    "ol",
    "om",
    "on",
    "or",
    "ul",
    "um",
)
_CLOSES: Final = (
    "ack",
    "aro",
    "eck",
    "elo",
    "enko",
    "ett",
    "iak",
    "idge",
    "iku",
    "imo",
    "ira",
    "oba",
    "och",
    "olt",
    "ong",
    "ova",
    "uld",
    "unde",
    "ura",
    "yth",
)
_ATTEMPTS: Final = 60
_LONGEST_ACRONYM: Final[dict[Kind, int]] = {"org": 4, "place": 3, "nationality": 3}
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class NameLists(NamedTuple):
    """Names of a locale."""

    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]


@cache
def name_lists(language: str, locale: str | None) -> NameLists:
    """Faker's lists of a locale, or of the language's locales together: single plain words, sorted.

    Raises:
        SettingsError: Faker has no names for the locale.
    """
    locales = (locale,) if locale is not None else _LOCALES.get(language, _LOCALES["en"])
    female: set[str] = set()
    male: set[str] = set()
    family: set[str] = set()
    for name in locales:
        try:
            provider = import_module(f"faker.providers.person.{name}").Provider
        except ImportError as error:
            raise SettingsError(
                f"Faker has no names for the locale '{name}'",
                place="privacy.locale",
                remedy="Take one such as en_US, de_DE or fr_FR, or leave it out",
            ) from error
        female.update(getattr(provider, "first_names_female", ()))
        male.update(getattr(provider, "first_names_male", ()))
        family.update(getattr(provider, "last_names", ()))
    ordinary = common_words(language)
    return NameLists(
        *(tuple(sorted(filter(lambda word: _is_plain(word, ordinary), names))) for names in (female, male, family))
    )


def _is_plain(word: str, ordinary: frozenset[str]) -> bool:
    return word.isalpha() and word.istitle() and len(word) > 2 and fold(word) not in ordinary  # noqa: PLR2004


class NameSurrogates:
    """Draws the surrogate of a word.

    Args:
        key: Pseudonym key.
        language: ISO 639-1 code.
        locale: Faker locale, or None for the language's usual ones.
        taken: Words in folded case that no surrogate may equal.
    """

    def __init__(self, key: bytes, language: str, locale: str | None, taken: set[str]) -> None:
        self._key = key
        self._lists = name_lists(language, locale)
        self._female = frozenset(fold(name) for name in self._lists.female)
        self._male = frozenset(fold(name) for name in self._lists.male)
        self._taken = taken
        self._memo: dict[tuple[str, Kind, int], str] = {}

    def draw(self, word: str, kind: Kind, skip: int = 0) -> str:
        """Surrogate of a word, in the word's own case.

        Args:
            word: As it stands in the text.
            kind: What kind of name it is.
            skip: How many usable surrogates to pass over, for one that is already somebody else's in the passage.
        """
        if len(word) == 1:
            return self._letters(word, kind)
        if word.isupper() and len(word) <= _LONGEST_ACRONYM.get(kind, 1):
            return self._letters(word, kind, skip)
        folded = fold(word)
        plural = kind == "nationality" and folded.endswith("s") and len(folded) > 4  # noqa: PLR2004
        chosen = self._choose(folded.removesuffix("s") if plural else folded, kind, skip) + ("s" if plural else "")
        if word.isupper():
            return chosen.upper()
        return chosen.lower() if word.islower() else chosen

    def _choose(self, folded: str, kind: Kind, skip: int) -> str:
        found = self._memo.get((folded, kind, skip))
        if found is None:
            found = self._memo[folded, kind, skip] = self._search(folded, kind, skip)
        return found

    def _search(self, folded: str, kind: Kind, skip: int) -> str:
        left = skip
        for attempt in range(_ATTEMPTS):
            candidate = self._candidate(folded, kind, attempt)
            if self._is_free(candidate, folded):
                if left == 0:
                    return candidate
                left -= 1
        # The lists are used up by the names of the data set: syllables never end.
        attempt = 0
        while True:
            candidate = self._syllables(folded, kind, attempt)
            if self._is_free(candidate, folded):
                if left == 0:
                    return candidate
                left -= 1
            attempt += 1

    def _is_free(self, candidate: str, folded: str) -> bool:
        lowered = fold(candidate)
        return lowered != folded and lowered not in self._taken

    def _candidate(self, folded: str, kind: Kind, attempt: int) -> str:
        number = keyed_number(self._key, "name", kind, folded, str(attempt))
        if kind == "given":
            return _pick(self._given_list(folded), number)
        stem = _pick(self._lists.family, number)
        if kind == "place":
            return stem.rstrip("aeiouy") + _pick(_PLACE_ENDS, number // 100_003)
        if kind == "nationality":
            return stem.rstrip("aeiouy") + _PEOPLE_END
        return stem

    def _given_list(self, folded: str) -> Sequence[str]:
        if folded in self._female and folded not in self._male:
            return self._lists.female
        if folded in self._male and folded not in self._female:
            return self._lists.male
        return self._lists.female + self._lists.male

    def _syllables(self, folded: str, kind: Kind, attempt: int) -> str:
        number = keyed_number(self._key, "syllables", kind, folded, str(attempt))
        word = _pick(_ONSETS, number)
        for _ in range(1 + attempt // 20):
            number //= 997
            word += _pick(_MIDDLES, number)
        return word + _pick(_CLOSES, number // 997)

    def _letters(self, word: str, kind: Kind, skip: int = 0) -> str:
        """As many other letters: initials and acronyms."""
        for attempt in range(skip, skip + _ATTEMPTS):
            number = keyed_number(self._key, "letters", kind, fold(word), str(attempt))
            made = "".join(
                _ALPHABET[(ord(letter) - 65 + 1 + (number >> (8 * place)) % 25) % 26] if "A" <= letter <= "Z"
                else _ALPHABET[(number >> (8 * place)) % 26]
                for place, letter in enumerate(word.upper())
            )  # fmt: skip
            if len(word) == 1 or fold(made) not in self._taken:
                break
        return made.lower() if word.islower() else made


def _pick(items: Sequence[str], number: int) -> str:
    return items[number % len(items)]
