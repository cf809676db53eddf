from __future__ import annotations

from pathlib import Path

import pytest

from kubepipe.energy.reference import GENERIC_WATTS_PER_CPU
from kubepipe.energy.watts import Processor, cpu_watts, plain_name, read_processor
from kubepipe.settings.model import EnergySettings

_CPUINFO = """processor\t: 0
model name\t: {model}
physical id\t: 0
flags\t\t: fpu vme {flag}

processor\t: 1
model name\t: {model}
physical id\t: 1
flags\t\t: fpu vme {flag}
"""


@pytest.mark.parametrize(
    ("processor", "watts"),
    [
        (Processor("AMD EPYC 7763 64-Core Processor", sockets=1, threads=128, virtual=False), 280 / 128),
        (Processor("AMD EPYC 7763 64-Core Processor", sockets=2, threads=256, virtual=False), 280 / 128),
        (Processor("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", sockets=1, threads=48, virtual=False), 210 / 48),
        # A virtual machine with 2 threads of a big chip is not charged the chip.
        (Processor("AMD EPYC 7763 64-Core Processor", sockets=1, threads=2, virtual=True), 4.0),
        (Processor("Some Unheard-of Chip", sockets=1, threads=8, virtual=False), 4.0),
    ],
)
def test_watts_of_a_processor(processor: Processor, watts: float) -> None:
    """A known chip's design power is shared by its threads; anything else takes the generic 4 W."""
    assert cpu_watts(EnergySettings(), processor).watts == pytest.approx(watts)


def test_generic_watts_are_those_of_codecarbon() -> None:
    """The figure for an unknown processor is codecarbon's own."""
    from codecarbon.core.cpu import DEFAULT_POWER_PER_CORE

    assert GENERIC_WATTS_PER_CPU == DEFAULT_POWER_PER_CORE


def test_watts_of_the_settings() -> None:
    """Who knows the watts of a busy core has the last word."""
    chip = Processor("AMD EPYC 7763", sockets=1, threads=128, virtual=False)
    found = cpu_watts(EnergySettings(cpu_watts_per_core=7.5), chip)
    assert found.watts == 7.5
    assert "from the settings" in found.method


@pytest.mark.parametrize(
    ("model", "plain"),
    [
        ("Intel(R) Core(TM) i7-1185G7 @ 3.00GHz", "intel core i7-1185g7"),
        ("AMD EPYC 7763 64-Core Processor", "amd epyc 7763"),
        ("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", "intel xeon platinum 8259cl"),
    ],
)
def test_plain_name(model: str, plain: str) -> None:
    """A processor's name is found in the table whatever marks the kernel puts around it."""
    assert plain_name(model) == plain


@pytest.mark.parametrize(("flag", "virtual"), [("hypervisor", True), ("aes", False)])
def test_read_processor(tmp_path: Path, flag: str, *, virtual: bool) -> None:
    """Model, sockets, threads and the presence of a hypervisor are read from the kernel."""
    file = tmp_path / "cpuinfo"
    file.write_text(_CPUINFO.format(model="AMD EPYC 7763", flag=flag))
    assert read_processor(file) == Processor("AMD EPYC 7763", sockets=2, threads=2, virtual=virtual)


def test_read_processor_elsewhere(tmp_path: Path) -> None:
    """A system without /proc has an unknown processor, not an error."""
    assert read_processor(tmp_path / "none").model == "unknown"
