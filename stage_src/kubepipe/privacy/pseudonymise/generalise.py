"""Coarser values: a date becomes its year, an age ten years, a place its country."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Final

from kubepipe.privacy.entities.tokens import fold

_YEAR: Final = re.compile(r"(?<!\d)(?:1\d{3}|20\d{2})(?!\d)")
_NUMBER: Final = re.compile(r"\d{1,3}")
_BAND: Final = 10
_COUNTRIES: Final = {"en": "en", "de": "de_DE", "fr": "fr_FR"}


def generalised(text: str, type_: str, language: str) -> str | None:
    """A coarser value of a piece of text, or None where there is none: then the tag of the type has to do.

    Args:
        text: The piece.
        type_: Its type; DATE, AGE and PLACE have coarser values.
        language: ISO 639-1 code of the text.
    """
    if type_ == "DATE":
        years = _YEAR.findall(text)
        return years[0] if len(years) == 1 else None
    if type_ == "AGE":
        number = _NUMBER.search(text)
        return None if number is None else _band(int(number.group()))
    if type_ == "PLACE":
        return _country_of(language).get(fold(text))
    return None


def _band(age: int) -> str:
    low = age // _BAND * _BAND
    return f"{low}-{low + _BAND - 1}"


@cache
def _country_of(language: str) -> dict[str, str]:
    """Countries of cities, capitals and states of the USA, and every country as itself, by folded names (Faker)."""
    provider = import_module(f"faker.providers.address.{_COUNTRIES.get(language, 'en')}").Provider
    countries = import_module("faker.providers.date_time").Provider.countries
    names = {country.alpha_2_code: country.name for country in countries}
    geo = import_module("faker.providers.geo").Provider
    found = {fold(place): names[code] for _, _, place, code, _ in geo.land_coords if code in names}
    found |= {fold(country.capital): country.name for country in countries}
    states = import_module("faker.providers.address.en_US").Provider.states
    found |= {fold(state): "United States" for state in states}
    return found | {fold(name): name for name in provider.countries}
