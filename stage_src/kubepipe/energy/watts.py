"""What a busy processor draws, where no counter tells.

Source of the table and of the generic figure: codecarbon. Its own estimate charges the power of the whole chip to the
machine it sees, which for a virtual machine with 2 of 128 threads is 64 times too much; here the power of the chip is
divided by its threads, and only where the machine sees all of them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kubepipe.energy.reference import GENERIC_WATTS_PER_CPU, processor_watts
from kubepipe.settings.model import EnergySettings

_NOISE: Final = re.compile(r"\((?:r|tm|c)\)|\bcpu\b|\bprocessor\b|@.*$|\b\d+-core\b|\bwith radeon.*$", re.IGNORECASE)
_CPUINFO: Final = Path("/proc/cpuinfo")

_KNOWN_UNCERTAINTY: Final = 0.3
_TABLE_UNCERTAINTY: Final = 0.5
_GENERIC_UNCERTAINTY: Final = 0.7


@dataclass(frozen=True, slots=True)
class CpuWatts:
    """Power of one busy logical processor.

    Attributes:
        watts: Watts per busy logical processor.
        method: Where the figure comes from, in words.
        uncertainty: Relative half-width of the figure.
    """

    watts: float
    method: str
    uncertainty: float


@dataclass(frozen=True, slots=True)
class Processor:
    """The processor as the kernel tells it.

    Attributes:
        model: Model name.
        sockets: Chips.
        threads: Logical processors of the machine.
        virtual: A hypervisor stands between; sockets and threads are then not those of the chips.
    """

    model: str
    sockets: int
    threads: int
    virtual: bool


def cpu_watts(settings: EnergySettings, processor: Processor | None = None) -> CpuWatts:
    """Watts of a busy logical processor: the setting, else the table, else the generic figure.

    Args:
        settings: The energy settings.
        processor: The processor; read from the machine when left out.
    """
    if settings.cpu_watts_per_core is not None:
        return CpuWatts(
            settings.cpu_watts_per_core,
            f"{settings.cpu_watts_per_core:g} W per busy core from the settings",
            _KNOWN_UNCERTAINTY,
        )
    chip = processor or read_processor()
    design_power = None if chip.virtual else processor_watts().get(plain_name(chip.model))
    if design_power is None:
        return CpuWatts(
            GENERIC_WATTS_PER_CPU,
            f"{GENERIC_WATTS_PER_CPU:g} W per busy core, codecarbon's figure for a processor that is not known in full",
            _GENERIC_UNCERTAINTY,
        )
    watts = design_power * chip.sockets / chip.threads
    return CpuWatts(
        watts,
        f"{watts:.1f} W per busy core: {design_power:g} W design power of a {chip.model}, codecarbon's table",
        _TABLE_UNCERTAINTY,
    )


def plain_name(model: str) -> str:
    """A processor's name without trade marks, clock and core count, in lower case."""
    return " ".join(_NOISE.sub(" ", model).split()).casefold()


def read_processor(cpuinfo: Path = _CPUINFO) -> Processor:
    """The processor of this machine; on systems without /proc an unknown one."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return Processor(model="unknown", sockets=1, threads=os.cpu_count() or 1, virtual=False)
    values = [(key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in lines)]
    model = next((value for key, value in values if key == "model name"), "unknown")
    flags = next((value for key, value in values if key == "flags"), "")
    return Processor(
        model=model,
        sockets=len({value for key, value in values if key == "physical id"}) or 1,
        threads=sum(key == "processor" for key, _ in values) or os.cpu_count() or 1,
        virtual="hypervisor" in flags.split(),
    )
