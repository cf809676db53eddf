"""Energy counters of the hardware, read through codecarbon where they exist.

Its modules are imported only on a machine that has such a counter: elsewhere the import would cost more than the step's
bookkeeping itself.
"""

from __future__ import annotations

import logging
import os
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

_RAPL: Final = Path("/sys/class/powercap/intel-rapl/subsystem")
_GPU_DEVICES: Final = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))


class Counter(Protocol):
    """Something that counts energy between two moments."""

    def start(self) -> None:
        """Begin to count."""

    def sample(self) -> None:
        """Take a look in between, for devices that tell power and no energy."""

    def stop(self) -> float:
        """Energy since the start in kWh."""


class PackageCounter:
    """The processor packages of the whole machine, by RAPL."""

    def __init__(self, interface: Any) -> None:
        self._interface = interface
        self._started = 0.0

    def start(self) -> None:
        """Begin to count."""
        self._started = time.monotonic()
        self._interface.start()

    def sample(self) -> None:
        """Nothing to do: the counter runs by itself."""

    def stop(self) -> float:
        """Energy of all packages since the start in kWh."""
        from codecarbon.core.units import Time

        details = self._interface.get_cpu_details(Time.from_seconds(time.monotonic() - self._started))
        return float(sum(value for name, value in details.items() if "Energy" in name))


class GpuCounter:
    """All visible graphics processors, by NVML or AMD SMI; whole devices, even where they are shared."""

    def __init__(self, hardware: Any) -> None:
        self._hardware = hardware
        self._started = 0.0

    def start(self) -> None:
        """Begin to count."""
        self._started = time.monotonic()
        self._hardware.start()

    def sample(self) -> None:
        """Note the power of devices without an energy counter."""
        self._hardware.monitor_power()

    def stop(self) -> float:
        """Energy of the devices since the start in kWh."""
        _power, energy = self._hardware.measure_power_and_energy(time.monotonic() - self._started)
        return float(energy.kWh)


def package_counter(folder: Path = _RAPL) -> Counter | None:
    """The machine's RAPL counter, or None where there is none that may be read (most pods and virtual machines)."""
    if not any(os.access(file, os.R_OK) for file in folder.glob("*/energy_uj")):
        return None
    _silence()
    from codecarbon.core.cpu import IntelRAPL

    try:
        return PackageCounter(IntelRAPL(rapl_dir=str(folder)))
    except (OSError, ValueError):
        return None


def gpu_counter() -> Counter | None:
    """A counter of the visible graphics processors, or None where there are none."""
    if not any(device.exists() for device in _GPU_DEVICES):
        return None
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in {"", "-1", "none", "void"}:
        return None
    _silence()
    from codecarbon.core.gpu import is_gpu_details_available
    from codecarbon.external.hardware import GPU

    if not is_gpu_details_available():
        return None
    try:
        return GpuCounter(GPU.from_utils([part.strip() for part in visible.split(",")] if visible else None))
    except Exception:  # noqa: BLE001 - drivers fail in ways of their own; a step never fails for want of a counter
        return None


def _silence() -> None:
    """Keep codecarbon's notes out of the step's log: what they say stands in the record's method."""
    # The import itself sets a level, so it comes first.
    import_module("codecarbon.external.logger")
    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
