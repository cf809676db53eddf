"""How much carbon a kilowatt-hour of a country's grid stands for."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final

from kubepipe.energy.reference import codecarbon_version, energy_mix
from kubepipe.errors import SettingsError

_SUGGESTIONS: Final = 4


@dataclass(frozen=True, slots=True)
class GridIntensity:
    """Carbon intensity of a grid, averaged over a year and by location.

    Attributes:
        country: ISO 3166-1 alpha-3 code.
        gco2e_per_kwh: Grams of CO2 equivalent per kWh.
        year: Year of the data.
        source: Where the figure comes from.
    """

    country: str
    gco2e_per_kwh: float
    year: int
    source: str


def grid(country: str) -> GridIntensity:
    """The grid of a country.

    Args:
        country: ISO 3166-1 alpha-3 code, for example DEU.

    Raises:
        SettingsError: The code is unknown; the message names the nearest ones. There is no world average to fall back
            to: it is up to 19 times off, and nobody would notice.
        MissingExtraError: codecarbon, whose data this is, is not installed.
    """
    mix = energy_mix().get(country)
    if mix is None:
        raise SettingsError(
            f"no grid data for the country code '{country}'",
            place="energy.country",
            remedy=f"Use an ISO 3166-1 alpha-3 code; near it are {', '.join(_nearest(country))}",
        )
    return GridIntensity(
        country=country,
        gco2e_per_kwh=float(mix["carbon_intensity"]),
        year=int(mix["year"]),
        source=f"yearly average by location, codecarbon {codecarbon_version()} (Our World in Data)",
    )


def _nearest(country: str) -> list[str]:
    """Valid codes that a wrong one may have meant: by start of the code, start of the name, likeness."""
    wanted = country.strip().casefold()
    mix = energy_mix()
    starts = [code for code in mix if wanted and code.casefold().startswith(wanted[:2])]
    named = [code for code, row in mix.items() if wanted and _is_meant(row["country_name"].casefold(), wanted)]
    alike = difflib.get_close_matches(wanted.upper(), mix, n=_SUGGESTIONS, cutoff=0.0)
    ordered = dict.fromkeys([*named, *starts, *alike] if len(named) == 1 else [*starts, *named, *alike])
    return [f"{code} ({mix[code]['country_name']})" for code in list(ordered)[:_SUGGESTIONS]]


def _is_meant(name: str, wanted: str) -> bool:
    initials = "".join(word[0] for word in name.split())
    return name.startswith(wanted) or initials == wanted
