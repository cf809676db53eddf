from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kubepipe.energy import EnergyRecord, Meter
from kubepipe.energy.meter import _cpu_energy
from kubepipe.energy.watts import CpuWatts
from kubepipe.errors import SettingsError
from kubepipe.records import validate
from kubepipe.settings.model import EnergySettings

_RUN = """
import json, time
from kubepipe.energy import Meter
from kubepipe.settings.model import EnergySettings
with Meter(EnergySettings(cpu_watts_per_core=10.0)) as meter:
    while time.process_time() < 0.8: pass
print(json.dumps(meter.result().document()))
"""


def _burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


@pytest.fixture(scope="module")
def record() -> EnergyRecord:
    """A step of 0.3 CPU seconds on a site with overhead and water."""
    settings = EnergySettings(
        country="FRA", pue=1.5, wue=2.0, cpu_watts_per_core=9.0, price_per_kwh=0.4, currency="CHF"
    )
    with Meter(settings) as meter:
        _burn(0.3)
    return meter.result()


def test_parts_add_up(record: EnergyRecord) -> None:
    """The electricity of a step is the sum of its parts."""
    assert record.energy_kwh == pytest.approx(record.parts.sum(), rel=1e-12)
    assert record.parts.cpu_kwh == pytest.approx(record.cpu_seconds * 9.0 / 3_600_000)
    assert record.parts.ram_kwh > 0


def test_overhead_concerns_carbon_and_cost_but_not_water(record: EnergyRecord) -> None:
    """PUE multiplies carbon and cost; water is counted per kWh of computing."""
    assert record.gco2e == pytest.approx(record.energy_kwh * 1.5 * record.grid.gco2e_per_kwh)
    assert record.cost == pytest.approx(record.energy_kwh * 1.5 * 0.4)
    assert record.water_litres == pytest.approx(record.energy_kwh * 2.0)


def test_document_fits_its_schema_and_comes_back(record: EnergyRecord) -> None:
    """A record written and read is the same record, and fits its schema."""
    document = json.loads(json.dumps(record.document()))
    validate(document, "energy", place="test")
    assert EnergyRecord.from_document(document) == record


def test_each_value_tells_its_source(record: EnergyRecord) -> None:
    """Every figure of a record says whether it was measured, modelled or assumed."""
    figures = {"energy_kwh", "gco2e", "water_litres", "cost", "seconds", "cpu_seconds", "peak_rss_bytes", "pue"}
    assert figures | {"cpu_kwh", "ram_kwh", "gpu_kwh"} == set(record.sources)
    assert record.uncertainty > 0
    assert "own CPU seconds" in record.method


def test_unknown_country_fails_before_the_work() -> None:
    """A wrong country code stops the step before it begins."""
    with pytest.raises(SettingsError):
        Meter(EnergySettings(country="QQQ"))


def test_result_before_the_end() -> None:
    """A meter that still runs has no result."""
    with pytest.raises(RuntimeError):
        Meter(EnergySettings()).result()


def test_a_failed_step_is_measured_too() -> None:
    """A step that raises leaves a record of what it took."""
    meter = Meter(EnergySettings())
    with contextlib.suppress(ZeroDivisionError), meter:
        _burn(0.1)
        _burn(1 / 0)
    assert meter.result().cpu_seconds >= 0.05


def test_no_network_and_no_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Metering opens no socket, writes no file and prints nothing."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.chdir(tmp_path)
    with Meter(EnergySettings()) as meter:
        _burn(0.05)
    assert meter.result().energy_kwh > 0
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_two_runs_at_once_share_the_machine() -> None:
    """Two steps side by side are charged their own CPU seconds each, together never more than the machine gave."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    started = time.monotonic()
    runs = [
        subprocess.Popen([sys.executable, "-c", _RUN], stdout=subprocess.PIPE, env=environment, text=True)
        for _ in range(2)
    ]
    documents = [json.loads(run.communicate(timeout=60)[0]) for run in runs]
    elapsed = time.monotonic() - started
    charged = sum(document["parts"]["cpu_kwh"] for document in documents) * 3_600_000 / 10.0
    assert charged <= elapsed * (os.cpu_count() or 1)
    for document in documents:
        assert document["cpu_seconds"] <= 1.0


@pytest.mark.slow
def test_steps_and_the_time_between_them_are_the_whole() -> None:
    """What the steps took and what the process took between them is what a meter around all of it says, within 2 %."""
    settings = EnergySettings(cpu_watts_per_core=10.0)
    around, pieces = Meter(settings), []
    with around:
        # A step, idle, a step, idle: each with a meter of its own, whose own start and end is in nobody's share.
        for burn, rest in ((4.0, 0.0), (0.0, 0.4), (6.0, 0.0), (0.0, 0.2)):
            with Meter(settings) as meter:
                _burn(burn)
                time.sleep(rest)
            pieces.append(meter.result())
    whole = around.result()
    assert sum(piece.energy_kwh for piece in pieces) == pytest.approx(whole.energy_kwh, rel=0.02)
    assert sum(piece.parts.ram_kwh for piece in pieces) == pytest.approx(whole.parts.ram_kwh, rel=0.05)
    assert pieces[1].parts.cpu_kwh < 0.1 * pieces[0].parts.cpu_kwh


@pytest.mark.parametrize(
    ("cpu_seconds", "busy_seconds", "packages_kwh", "expected_kwh", "source"),
    [
        (10.0, 40.0, 0.02, 0.005, "measured"),  # a quarter of the busy time, a quarter of the packages
        (10.0, 5.0, 0.02, 0.02, "measured"),  # clocks of different grain never charge more than the machine
        (36.0, 40.0, 0.0, 36.0 * 5 / 3_600_000, "modelled"),  # no counter: watts of a busy core
    ],
)
def test_processor_energy(
    cpu_seconds: float, busy_seconds: float, packages_kwh: float, expected_kwh: float, source: str
) -> None:
    """The packages' counter is shared by busy time; without one the model stands in and says so."""
    watts = CpuWatts(5.0, "5 W per busy core", 0.5)
    kwh, found, _method = _cpu_energy(watts, cpu_seconds, busy_seconds, packages_kwh)
    assert kwh == pytest.approx(expected_kwh)
    assert found == source
