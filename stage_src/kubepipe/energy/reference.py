"""The tables that codecarbon ships, read as files.

Importing codecarbon to reach them takes pandas, a network library and about a second; the tables take milliseconds.
"""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import MissingExtraError

GENERIC_WATTS_PER_CPU: Final = 4.0
"""codecarbon's watts per hardware thread of an unknown processor (codecarbon.core.cpu.DEFAULT_POWER_PER_CORE)."""

_NUMBER: Final = re.compile(r"\d+(\.\d+)?$")


@cache
def energy_mix() -> dict[str, dict[str, Any]]:
    """Yearly electricity mix and carbon intensity in gCO2e/kWh per ISO 3166-1 alpha-3 code.

    Raises:
        MissingExtraError: codecarbon is not installed.
    """
    text = _data_folder().joinpath("private_infra", "global_energy_mix.json").read_text(encoding="utf-8")
    mix: dict[str, dict[str, Any]] = json.loads(text)
    return mix


@cache
def processor_watts() -> dict[str, float]:
    """Thermal design power in watts of whole processors, by lower-case name.

    Raises:
        MissingExtraError: codecarbon is not installed.
    """
    path = _data_folder() / "hardware" / "cpu_power.csv"
    with path.open(encoding="utf-8", newline="") as file:
        # A few rows hold no number; such a processor counts as unknown.
        return {row["Name"].casefold(): float(row["TDP"]) for row in csv.DictReader(file) if _NUMBER.match(row["TDP"])}


def codecarbon_version() -> str:
    """Version of the installed codecarbon."""
    return version("codecarbon")


def _data_folder() -> Path:
    found = find_spec("codecarbon")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(
            "the energy ledger needs codecarbon", remedy="Install it with: pip install 'kubepipe[energy]'"
        )
    return Path(found.submodule_search_locations[0]) / "data"
