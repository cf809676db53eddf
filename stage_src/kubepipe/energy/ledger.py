"""Sums over steps, and what a unit of work takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kubepipe.energy.record import EnergyParts, EnergyRecord, Source

_RANK: Final[Mapping[Source, int]] = {"measured": 0, "modelled": 1, "assumed": 2}


@dataclass(frozen=True, slots=True)
class EnergyTotal:
    """What several steps took together.

    Attributes:
        records: How many records were added.
        energy_kwh: Electricity of the computing; equals the sum of the parts.
        gco2e: Grams of CO2 equivalent.
        water_litres: Litres of water on site.
        cost: Price of the electricity.
        currency: Currency of the cost.
        seconds: Wall time of the steps, one after the other.
        cpu_seconds: CPU time.
        peak_rss_bytes: Highest resident memory of any step.
        parts: Electricity by part.
        sources: For each value the weakest source that went in.
        uncertainty: Relative half-width of energy_kwh; the steps share one model, so their errors do not cancel.
    """

    records: int
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

    def sci_per_1000_training_tokens(self, tokens: int) -> float | None:
        """Software carbon intensity in gCO2e per 1,000 training tokens; None without tokens."""
        return sci_per_1000(self.gco2e, tokens)

    def sci_per_1000_answers(self, answers: int) -> float | None:
        """Software carbon intensity in gCO2e per 1,000 answers; None without answers."""
        return sci_per_1000(self.gco2e, answers)


def total(records: Iterable[EnergyRecord]) -> EnergyTotal:
    """All records together."""
    rows = list(records)
    parts = EnergyParts(
        cpu_kwh=math.fsum(row.parts.cpu_kwh for row in rows),
        ram_kwh=math.fsum(row.parts.ram_kwh for row in rows),
        gpu_kwh=math.fsum(row.parts.gpu_kwh for row in rows),
    )
    energy = parts.sum()
    spread = math.fsum(row.energy_kwh * row.uncertainty for row in rows)
    return EnergyTotal(
        records=len(rows),
        energy_kwh=energy,
        gco2e=math.fsum(row.gco2e for row in rows),
        water_litres=math.fsum(row.water_litres for row in rows),
        cost=math.fsum(row.cost for row in rows),
        currency=rows[0].currency if rows else "",
        seconds=math.fsum(row.seconds for row in rows),
        cpu_seconds=math.fsum(row.cpu_seconds for row in rows),
        peak_rss_bytes=max((row.peak_rss_bytes for row in rows), default=0),
        parts=parts,
        sources=_weakest(rows),
        uncertainty=round(spread / energy, 3) if energy else 0.0,
    )


def sci_per_1000(gco2e: float, units: int) -> float | None:
    """Software carbon intensity of 1,000 units of work in gCO2e, or None without units.

    Source: ISO/IEC 21031 (SCI), its operational part E x I; the hardware's making (M) is not in it.
    """
    return gco2e / units * 1000.0 if units > 0 else None


def _weakest(rows: list[EnergyRecord]) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for row in rows:
        for name, source in row.sources.items():
            sources[name] = max(sources.get(name, source), source, key=_RANK.__getitem__)
    return sources
