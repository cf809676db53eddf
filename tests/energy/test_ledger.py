from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepipe.energy import EnergyParts, EnergyRecord, GridIntensity, sci_per_1000, total
from kubepipe.energy.record import Source

_GRID = GridIntensity("DEU", 381.0, 2023, "test")
_AMOUNT = st.floats(min_value=0.0, max_value=10.0, allow_nan=False)


def _record(cpu: float, ram: float, gpu: float, source: Source = "modelled") -> EnergyRecord:
    parts = EnergyParts(cpu, ram, gpu)
    return EnergyRecord(
        energy_kwh=parts.sum(), gco2e=parts.sum() * 381.0, water_litres=0.0, cost=parts.sum() * 0.3, currency="EUR",
        seconds=2.0, cpu_seconds=3.0, peak_rss_bytes=int(cpu * 1000), parts=parts, sources={"cpu_kwh": source},
        uncertainty=0.5, method="test", grid=_GRID, pue=1.0,
    )  # fmt: skip


@given(st.lists(st.tuples(_AMOUNT, _AMOUNT, _AMOUNT), max_size=8))
def test_the_ledger_adds_up(rows: list[tuple[float, float, float]]) -> None:
    """The sum of the steps is the sum of the parts, to the last digits."""
    records = [_record(*row) for row in rows]
    found = total(records)
    assert found.energy_kwh == pytest.approx(sum(record.energy_kwh for record in records))
    assert found.energy_kwh == found.parts.sum()
    assert found.gco2e == pytest.approx(found.energy_kwh * 381.0)
    assert found.records == len(rows)


def test_the_weakest_source_stands_for_the_sum() -> None:
    """A sum of measured and modelled values is modelled."""
    found = total([_record(1, 0, 0, "measured"), _record(1, 0, 0, "modelled"), _record(1, 0, 0, "measured")])
    assert found.sources == {"cpu_kwh": "modelled"}
    assert found.uncertainty == 0.5


def test_memory_is_a_maximum() -> None:
    """Steps run one after the other, so their peaks do not add."""
    assert total([_record(1, 0, 0), _record(3, 0, 0)]).peak_rss_bytes == 3000


@pytest.mark.parametrize(("gco2e", "units", "expected"), [(5.0, 10_000, 0.5), (5.0, 100, 50.0), (5.0, 0, None)])
def test_carbon_intensity_of_work(gco2e: float, units: int, expected: float | None) -> None:
    """The intensity is told per 1,000 units of work, and not at all without work."""
    assert sci_per_1000(gco2e, units) == expected
    parts = total([_record(gco2e / 381.0, 0, 0)])
    assert parts.sci_per_1000_answers(units) == (expected if expected is None else pytest.approx(expected))
    assert parts.sci_per_1000_training_tokens(units) == (expected if expected is None else pytest.approx(expected))
