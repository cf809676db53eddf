"""What a step draws: time, memory, electricity, carbon, water and cost, each with the kind of its source."""

from kubepipe.energy.grid import GridIntensity, grid
from kubepipe.energy.ledger import EnergyTotal, sci_per_1000, total
from kubepipe.energy.meter import Meter
from kubepipe.energy.record import EnergyParts, EnergyRecord, Source
from kubepipe.energy.tracker import TrackerFigures, beside

__all__ = [
    "EnergyParts",
    "EnergyRecord",
    "EnergyTotal",
    "GridIntensity",
    "Meter",
    "Source",
    "TrackerFigures",
    "beside",
    "grid",
    "sci_per_1000",
    "total",
]
