"""What a step drew, as one frozen record that adds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from kubepipe.energy.grid import GridIntensity

Source = Literal["measured", "modelled", "assumed"]
"""How a value came about: read from a counter, computed from a model, or taken from the settings."""

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class EnergyParts:
    """Electricity of the parts of a machine that is charged to a step, in kWh.

    Attributes:
        cpu_kwh: Processors.
        ram_kwh: Memory.
        gpu_kwh: Graphics processors.
    """

    cpu_kwh: float
    ram_kwh: float
    gpu_kwh: float

    def sum(self) -> float:
        """All parts together, in kWh."""
        return self.cpu_kwh + self.ram_kwh + self.gpu_kwh


@dataclass(frozen=True, slots=True)
class EnergyRecord:
    """What one step took.

    Attributes:
        energy_kwh: Electricity of the computing itself: the sum of the parts, without the site's overhead.
        gco2e: Grams of CO2 equivalent: energy_kwh times PUE times the grid's intensity.
        water_litres: Litres of water on site: energy_kwh times WUE, which is defined per kWh of computing.
        cost: Price of energy_kwh times PUE.
        currency: Currency of the cost.
        seconds: Wall time.
        cpu_seconds: CPU time of the process tree.
        peak_rss_bytes: Highest resident memory of the process tree.
        parts: The electricity by part.
        sources: How each value came about, by its name.
        uncertainty: Relative half-width of energy_kwh: 0.5 means plus or minus 50 %.
        method: How the electricity was found, in words.
        grid: Carbon intensity of the grid.
        pue: Power usage effectiveness of the site.
    """

    energy_kwh: float
    gco2e: float
    water_litres: float
    cost: float
    currency: str
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    parts: EnergyParts
    sources: Mapping[str, Source]
    uncertainty: float
    method: str
    grid: GridIntensity
    pue: float

    def document(self) -> dict[str, Any]:
        """The record as JSON document (schema energy)."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "sources": dict(self.sources)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> EnergyRecord:
        """The record of a checked document."""
        values = {name: value for name, value in document.items() if name != "schema_version"}
        values["parts"] = EnergyParts(**values["parts"])
        values["grid"] = GridIntensity(**values["grid"])
        return cls(**values)
