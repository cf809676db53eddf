from __future__ import annotations

import pytest

from kubepipe.reporting import numbers as say


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.04, "0.0 s"),
        (2.14, "2.1 s"),
        (42.4, "42 s"),
        (59.7, "1 min 00 s"),
        (187.3, "3 min 07 s"),
        (7512, "2 h 05 min"),
    ],
)
def test_duration(seconds: float, told: str) -> None:
    """Times are told in the units people use."""
    assert say.duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == told


@pytest.mark.parametrize(
    ("kwh", "told"),
    [(0.0, "0 Wh"), (2.27e-6, "2.27 mWh"), (0.0016797, "1.68 Wh"), (0.999, "999 Wh"), (12.3456, "12.3 kWh")],
)
def test_energy(kwh: float, told: str) -> None:
    """Electricity has three digits and a unit that fits."""
    assert say.energy(kwh).replace("\N{NO-BREAK SPACE}", " ") == told


@pytest.mark.parametrize(("value", "told"), [(0.0, "0 %"), (0.0066, "0.7 %"), (0.707, "70.7 %"), (1.0, "100 %")])
def test_share(value: float, told: str) -> None:
    """Shares are per cent with at most one decimal."""
    assert say.share(value).replace("\N{NO-BREAK SPACE}", " ") == told


@pytest.mark.parametrize(
    ("value", "told"), [(0.623, "0.623"), (381.4, "381"), (2.0, "2"), (1e-7, "0.000000"), (None, say.MISSING)]
)
def test_plain(value: float | None, told: str) -> None:
    """Numbers never come in powers of ten."""
    assert say.plain(value) == told


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "3", None, True, [1]])
def test_no_number(value: object) -> None:
    """Only finite numbers are numbers."""
    assert say.number(value) is None
