from __future__ import annotations

import pytest

from kubepipe.energy import grid
from kubepipe.errors import SettingsError


@pytest.mark.parametrize(
    ("country", "expected"), [("FRA", 56), ("DEU", 381), ("GBR", 238), ("USA", 369), ("POL", 662), ("CAN", 170)]
)
def test_known_country(country: str, expected: int) -> None:
    """A country's grid has the intensity, year and source of codecarbon's data."""
    found = grid(country)
    assert round(found.gco2e_per_kwh) == expected
    assert found.year == 2023
    assert "codecarbon" in found.source


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("FR", "FRA (France)"), ("GER", "DEU (Germany)"), ("Germany", "DEU (Germany)"), ("UK", "GBR (United Kingdom)"),
     ("usa", "USA (United States)"), ("", "("), ("XXX", "(")],
)  # fmt: skip
def test_unknown_country(wrong: str, meant: str) -> None:
    """An unknown code is an error that names near codes; a world average never stands in."""
    with pytest.raises(SettingsError) as caught:
        grid(wrong)
    assert caught.value.place == "energy.country"
    assert meant in str(caught.value.remedy)


@pytest.mark.parametrize("country", ["ARE", "BRA", "DEU", "FRA", "IND", "NOR", "ZAF"])
def test_agrees_with_codecarbon(country: str) -> None:
    """The carbon of a kWh is what codecarbon itself computes for the country."""
    from codecarbon.core.emissions import Emissions
    from codecarbon.core.units import Energy
    from codecarbon.external.geography import GeoMetadata
    from codecarbon.input import DataSource

    theirs = Emissions(DataSource()).get_country_emissions(
        Energy.from_energy(2.5), GeoMetadata(country_iso_code=country)
    )
    assert grid(country).gco2e_per_kwh * 2.5 == pytest.approx(theirs * 1000.0, rel=1e-9)
