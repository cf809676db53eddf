from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from kubepipe.energy import beside
from kubepipe.settings import EnergySettings


def test_the_tracker_measures_with_our_grid_without_network_or_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its figures are positive, of the country asked for, and it neither calls out nor leaves a file."""
    monkeypatch.chdir(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with beside(EnergySettings(country="FRA")) as figures:
        end = time.process_time() + 0.5
        while time.process_time() < end:
            pass
    assert figures.energy_kwh > 0
    assert figures.gco2e == pytest.approx(figures.energy_kwh * 56, rel=0.02)
    assert figures.country == "FRA"
    assert list(tmp_path.iterdir()) == []
