"""codecarbon's own tracker beside the ledger, so that a reader can hold both figures together.

It runs in the one step that is long enough for it (its start costs 1.5 CPU seconds) and never enters a sum.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from kubepipe.errors import KubePipeError
from kubepipe.settings.model import EnergySettings

_SAMPLE_SECONDS: Final = 5


@dataclass(slots=True)
class TrackerFigures:
    """What codecarbon's OfflineEmissionsTracker says of the same work.

    Attributes:
        tool: Name and version.
        mode: How it attributes power: `process`.
        energy_kwh: Its electricity.
        gco2e: Its carbon, from the same grid.
        country: The grid it used, ISO 3166-1 alpha-3.
    """

    tool: str = ""
    mode: str = "process"
    energy_kwh: float = 0.0
    gco2e: float = 0.0
    country: str = ""

    def document(self) -> dict[str, Any]:
        """The figures as JSON object."""
        return asdict(self)


@contextmanager
def beside(settings: EnergySettings) -> Iterator[TrackerFigures]:
    """Run the tracker over the body; the figures are filled in when it ends well.

    Raises:
        KubePipeError: The tracker measured nothing or used another grid: it swallows its own errors, so both are
            looked at.
    """
    import codecarbon

    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
    figures = TrackerFigures(tool=f"codecarbon {codecarbon.__version__}")
    tracker = codecarbon.OfflineEmissionsTracker(
        country_iso_code=settings.country,
        tracking_mode="process",
        measure_power_secs=_SAMPLE_SECONDS,
        save_to_file=False,
        log_level="critical",
        allow_multiple_runs=True,
    )
    tracker.start()
    try:
        yield figures
    finally:
        tracker.stop()
    data = tracker.final_emissions_data
    if data.country_iso_code != settings.country or data.energy_consumed <= 0:
        raise KubePipeError("codecarbon's tracker did not measure", place="energy", remedy="See the step's log")
    figures.energy_kwh = float(data.energy_consumed)
    figures.gco2e = float(data.emissions) * 1000
    figures.country = str(data.country_iso_code)
