"""Figures as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

MISSING: Final = "\N{EN DASH}"
"""Stands where a value is not known."""

_MINUS: Final = "\N{MINUS SIGN}"
_SPACE: Final = "\N{NO-BREAK SPACE}"
_MINUTE: Final = 60
_HOUR: Final = 3600
_WH: Final = 1e-3
_THOUSAND: Final = 1000


def number(value: Any) -> float | None:
    """The value as a finite number, or None when it is none (JSON knows no NaN, records of others may)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def score(value: float | None) -> str:
    """A score in percent with one decimal."""
    return MISSING if value is None else f"{value:.1f}"


def signed(value: float | None) -> str:
    """A difference with its sign and one decimal."""
    if value is None:
        return MISSING
    return f"{'+' if value >= 0 else _MINUS}{abs(value):.1f}"


def interval(value: Any) -> str | None:
    """A 95 % interval such as `41.0 to 47.5`, or None without one."""
    bounds = [number(bound) for bound in value] if isinstance(value, list | tuple) else []
    known = [bound for bound in bounds if bound is not None]
    return f"{known[0]:.1f} to {known[1]:.1f}" if len(known) == 2 else None  # noqa: PLR2004 - lower and upper


def count(value: float | None) -> str:
    """A whole number with thin groups of thousands."""
    return MISSING if value is None else f"{round(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def plain(value: float | None) -> str:
    """Any number: whole ones in full, others with three digits."""
    if value is None:
        return MISSING
    return count(value) if value == int(value) or abs(value) >= _THOUSAND else three_digits(value)


def duration(seconds: float | None) -> str:
    """Seconds as `0.4 s`, `42 s`, `3 min 07 s`, `2 h 05 min`."""
    if seconds is None:
        return MISSING
    if seconds < 10:  # noqa: PLR2004 - below this a decimal says something
        return f"{seconds:.1f}{_SPACE}s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}{_SPACE}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}{_SPACE}min {whole % _MINUTE:02d}{_SPACE}s"
    return f"{whole // _HOUR}{_SPACE}h {whole % _HOUR // _MINUTE:02d}{_SPACE}min"


def energy(kwh: float | None) -> str:
    """Electricity in mWh, Wh or kWh with about three digits."""
    if kwh is None:
        return MISSING
    factor, unit = _energy_unit(kwh)
    return f"{three_digits(kwh * factor)}{_SPACE}{unit}"


def energies(values: Sequence[float]) -> list[str]:
    """Electricity of several things in one unit, that of the largest, so that the figures can be compared."""
    factor, unit = _energy_unit(max(values, default=0.0))
    return [f"{rounded(value * factor)}{_SPACE}{unit}" for value in values]


def _energy_unit(kwh: float) -> tuple[float, str]:
    if kwh >= 1.0:
        return 1.0, "kWh"
    return (1e3, "Wh") if kwh >= _WH or kwh == 0 else (1e6, "mWh")


def rounded(value: float) -> str:
    """Three decimals, for columns of numbers; what is smaller says so."""
    return "under 0.001" if 0 < value < 0.0005 else f"{value:.3f}"  # noqa: PLR2004 - half of the last decimal


def money(value: float, currency: str) -> str:
    """A price with two decimals; what is smaller says so."""
    small = 0 < value < 0.005  # noqa: PLR2004 - half of the last decimal
    return f"{'under 0.01' if small else f'{value:.2f}'}{_SPACE}{currency}"


def grams(value: float | None) -> str:
    """CO2 equivalent in mg, g or kg."""
    if value is None:
        return MISSING
    for limit, factor, unit in ((1000.0, 1e-3, "kg"), (1.0, 1.0, "g"), (0.0, 1e3, "mg")):
        if value >= limit:
            return f"{three_digits(value * factor)}{_SPACE}{unit}"
    return MISSING


def memory(size: float | None) -> str:
    """Bytes in MiB or GiB."""
    if size is None:
        return MISSING
    gib = size / 2**30
    return f"{gib:.2f}{_SPACE}GiB" if gib >= 1 else f"{size / 2**20:.0f}{_SPACE}MiB"


def share(value: float | None) -> str:
    """A share as percent."""
    if value is None:
        return MISSING
    return f"{percent(value)}{_SPACE}%"


def percent(value: float) -> str:
    """A share in percent with at most one decimal, without the sign."""
    return f"{100.0 * value:.1f}".removesuffix(".0")


def three_digits(value: float) -> str:
    """A number with three significant digits, never in powers of ten."""
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(decimals, 6)}f}"


def digest(value: Any) -> str:
    """A digest shortened to twelve digits."""
    plain_digest = str(value or "").removeprefix("sha256:")
    return plain_digest[:12] if plain_digest else MISSING
