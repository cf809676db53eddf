"""Figures as people read them."""

from __future__ import annotations

import math
from typing import Any, Final

MISSING: Final = "\N{EN DASH}"
"""Stands where a value is not known."""

_MINUS: Final = "\N{MINUS SIGN}"
_SPACE: Final = "\N{NO-BREAK SPACE}"
_MINUTE: Final = 60
_HOUR: Final = 3600


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
    """Any number with at most three significant decimals."""
    if value is None:
        return MISSING
    if value == int(value):
        return count(value)
    digits = 3 if abs(value) >= 1 else max(3, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 9)}f}".rstrip("0").rstrip(".").replace(",", "\N{NARROW NO-BREAK SPACE}")


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
    for limit, factor, unit in ((1.0, 1.0, "kWh"), (1e-3, 1e3, "Wh"), (0.0, 1e6, "mWh")):
        if kwh >= limit:
            return f"{three_digits(kwh * factor)}{_SPACE}{unit}"
    return MISSING


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
    percent = 100.0 * value
    shown = f"{percent:.0f}" if percent >= 10 or percent == 0 else f"{percent:.1f}"  # noqa: PLR2004 - two digits
    return f"{shown}{_SPACE}%"


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
