"""Measures what one step takes, and charges it no more than its own share of the machine."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self

from kubepipe.energy.counters import Counter, gpu_counter, package_counter
from kubepipe.energy.grid import grid
from kubepipe.energy.processes import MemoryUse, MemoryWatch, tree_cpu_seconds
from kubepipe.energy.record import EnergyParts, EnergyRecord, Source
from kubepipe.energy.watts import CpuWatts, cpu_watts
from kubepipe.settings.model import EnergySettings

_JOULES_PER_KWH: Final = 3_600_000.0
_GIB: Final = 2**30
_RAM_UNCERTAINTY: Final = 0.5
_PACKAGE_UNCERTAINTY: Final = 0.2
_GPU_UNCERTAINTY: Final = 0.05


class Meter:
    """Measures one step, from start to stop.

    Processor: the CPU seconds of this process tree times the watts of a busy core; where RAPL is readable, the energy
    of the packages times the tree's share of the machine's busy time. Memory: resident bytes over time times watts per
    GiB. Graphics: the devices' own counters. Two steps side by side share the machine instead of each paying for it.

    Args:
        settings: Grid, site and prices.

    Raises:
        SettingsError: The country code is unknown.
        MissingExtraError: codecarbon is not installed.

    Example:
        with Meter(settings.energy) as meter:
            work()
        record = meter.result()
    """

    def __init__(self, settings: EnergySettings) -> None:
        self._settings = settings
        self._grid = grid(settings.country)
        self._watts = cpu_watts(settings)
        self._packages = package_counter()
        self._gpus = gpu_counter()
        self._memory = MemoryWatch(self._gpus.sample if self._gpus is not None else None)
        self._started = 0.0
        self._cpu_seconds = 0.0
        self._busy_seconds = 0.0
        self._record: EnergyRecord | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to measure."""
        self._record = None
        for counter in self._counters():
            counter.start()
        self._memory.start()
        self._started = time.monotonic()
        self._busy_seconds = _machine_busy_seconds()
        self._cpu_seconds = tree_cpu_seconds()

    def stop(self) -> None:
        """End the measurement; a second stop changes nothing."""
        if self._record is not None:
            return
        cpu_seconds = max(0.0, tree_cpu_seconds() - self._cpu_seconds)
        busy_seconds = _machine_busy_seconds() - self._busy_seconds
        seconds = time.monotonic() - self._started
        packages_kwh = self._packages.stop() if self._packages is not None else 0.0
        gpu_kwh = self._gpus.stop() if self._gpus is not None else 0.0
        memory = self._memory.stop()
        cpu_kwh, cpu_source, cpu_method = _cpu_energy(self._watts, cpu_seconds, busy_seconds, packages_kwh)
        ram_kwh = memory.byte_seconds / _GIB * self._settings.ram_watts_per_gib / _JOULES_PER_KWH
        self._record = self._account(
            parts=EnergyParts(cpu_kwh=cpu_kwh, ram_kwh=ram_kwh, gpu_kwh=gpu_kwh),
            cpu_source=cpu_source,
            method=f"{cpu_method}; memory {self._settings.ram_watts_per_gib:g} W per GiB in use; {self._gpu_method()}",
            seconds=seconds,
            cpu_seconds=cpu_seconds,
            memory=memory,
        )

    def result(self) -> EnergyRecord:
        """What was measured.

        Raises:
            RuntimeError: The meter was not stopped yet.
        """
        if self._record is None:
            raise RuntimeError("the meter was not stopped yet")
        return self._record

    def _counters(self) -> list[Counter]:
        return [counter for counter in (self._packages, self._gpus) if counter is not None]

    def _gpu_method(self) -> str:
        return "graphics by the devices' counters, whole devices" if self._gpus is not None else "no graphics processor"

    def _account(
        self,
        *,
        parts: EnergyParts,
        cpu_source: Source,
        method: str,
        seconds: float,
        cpu_seconds: float,
        memory: MemoryUse,
    ) -> EnergyRecord:
        energy = parts.sum()
        # Overhead of the site concerns carbon and cost; WUE is defined per kWh of computing and must not see the PUE.
        at_site = energy * self._settings.pue
        cpu_uncertainty = _PACKAGE_UNCERTAINTY if cpu_source == "measured" else self._watts.uncertainty
        spread = parts.cpu_kwh * cpu_uncertainty + parts.ram_kwh * _RAM_UNCERTAINTY + parts.gpu_kwh * _GPU_UNCERTAINTY
        return EnergyRecord(
            energy_kwh=energy,
            gco2e=at_site * self._grid.gco2e_per_kwh,
            water_litres=energy * self._settings.wue,
            cost=at_site * self._settings.price_per_kwh,
            currency=self._settings.currency,
            seconds=seconds,
            cpu_seconds=cpu_seconds,
            peak_rss_bytes=memory.peak_bytes,
            parts=parts,
            sources={
                "energy_kwh": "modelled",
                "cpu_kwh": cpu_source,
                "ram_kwh": "modelled",
                "gpu_kwh": "measured",
                "gco2e": "modelled",
                "water_litres": "assumed",
                "cost": "assumed",
                "pue": "assumed",
                "seconds": "measured",
                "cpu_seconds": "measured",
                "peak_rss_bytes": "measured",
            },
            uncertainty=round(spread / energy, 3) if energy else 0.0,
            method=method,
            grid=self._grid,
            pue=self._settings.pue,
        )


def _cpu_energy(
    watts: CpuWatts, cpu_seconds: float, busy_seconds: float, packages_kwh: float
) -> tuple[float, Source, str]:
    """Energy of the processor in kWh, its source, and the method in words."""
    if packages_kwh > 0.0 and busy_seconds > 0.0:
        share = min(1.0, cpu_seconds / busy_seconds)
        return packages_kwh * share, "measured", "processor by RAPL, shared by busy time"
    return cpu_seconds * watts.watts / _JOULES_PER_KWH, "modelled", f"processor {watts.method}, times own CPU seconds"


def _machine_busy_seconds() -> float:
    """CPU seconds that all processes of the machine have used since it started."""
    import psutil

    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0) + times.nice)
