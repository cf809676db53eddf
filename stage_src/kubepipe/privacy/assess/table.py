"""Risk of a table: what its quasi-identifiers single out, and what its sensitive columns then tell.

k-anonymity (Sweeney 2002), l-diversity (Machanavajjhala et al. 2007), t-closeness (Li et al. 2007), prosecutor and
marketer risk (El Emam and Dankar 2008). Every record falls into the class of the records that share all its
quasi-identifiers; the figures follow from the sizes of the classes and from the values in them.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

AT_RISK: Final = 0.2
"""A record is at risk when its chance of being picked out is above this: its class has fewer than five records."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """What the classes tell about one sensitive column.

    Attributes:
        column: Its name.
        distinct: l: the least number of different values in a class.
        entropy: Entropy l: e to the least entropy of a class.
        closeness: t: the greatest distance of a class's values from those of the table, 0 to 1; ordered distance for
            numbers, equal distance for words.
    """

    column: str
    distinct: int
    entropy: float
    closeness: float


@dataclass(frozen=True, slots=True)
class TableRisk:
    """Risk of a table.

    Attributes:
        quasi_identifiers: Columns that the classes are made of.
        rows: Records.
        classes: Different classes.
        k: Records of the smallest class.
        unique: Records that are alone in their class.
        prosecutor: Highest chance of picking out a record that is known to be there: 1 / k.
        average: Average chance: classes / rows (marketer risk).
        at_risk: Share of records whose chance is above `AT_RISK`.
        diversity: For each sensitive column.
    """

    quasi_identifiers: tuple[str, ...]
    rows: int
    classes: int
    k: int
    unique: int
    prosecutor: float
    average: float
    at_risk: float
    diversity: tuple[Diversity, ...]

    def document(self) -> dict[str, Any]:
        """The risk as JSON values."""
        return {
            "quasi_identifiers": list(self.quasi_identifiers),
            "rows": self.rows,
            "classes": self.classes,
            "k": self.k,
            "unique": self.unique,
            "prosecutor_risk": self.prosecutor,
            "average_risk": self.average,
            "at_risk": self.at_risk,
            "sensitive": [
                {"name": each.column, "l": each.distinct, "entropy_l": each.entropy, "t": each.closeness}
                for each in self.diversity
            ],
        }


def table_risk(
    columns: dict[str, Sequence[Any]], quasi_identifiers: Sequence[str], sensitive: Sequence[str] = ()
) -> TableRisk | None:
    """Risk of a table, or None when it has no rows or no quasi-identifier.

    Args:
        columns: Values by column, all of the same length; numbers are numbers where they have an order.
        quasi_identifiers: Columns that an outsider may know.
        sensitive: Columns that nobody should learn.
    """
    rows = len(next(iter(columns.values()), ()))
    if rows == 0 or not quasi_identifiers:
        return None
    keys = list(zip(*(columns[name] for name in quasi_identifiers), strict=True))
    sizes = Counter(keys)
    least = min(sizes.values())
    return TableRisk(
        quasi_identifiers=tuple(quasi_identifiers),
        rows=rows,
        classes=len(sizes),
        k=least,
        unique=sum(1 for size in sizes.values() if size == 1),
        prosecutor=1 / least,
        average=len(sizes) / rows,
        at_risk=sum(size for size in sizes.values() if 1 / size > AT_RISK) / rows,
        diversity=tuple(_diversity(name, keys, columns[name], sizes) for name in sensitive),
    )


def _diversity(column: str, keys: Sequence[Any], values: Sequence[Any], sizes: Counter[Any]) -> Diversity:
    inside: dict[Any, list[tuple[Any, int]]] = {}
    for (key, value), count in Counter(zip(keys, values, strict=True)).items():
        inside.setdefault(key, []).append((value, count))
    entropy = min(
        -sum(count / sizes[key] * math.log(count / sizes[key]) for _, count in found) for key, found in inside.items()
    )
    total = Counter(values)
    is_ordered = all(isinstance(value, int | float) and not isinstance(value, bool) for value in total)
    distance = _Ordered(total) if is_ordered and len(total) > 1 else _Equal(total)
    return Diversity(
        column,
        min(map(len, inside.values())),
        math.exp(entropy),
        max(distance.of(found, sizes[key]) for key, found in inside.items()),
    )


class _Equal:
    """Distance of distributions over words: half the sum of the differences."""

    def __init__(self, total: Counter[Any]) -> None:
        rows = total.total()
        self._shares = {value: count / rows for value, count in total.items()}

    def of(self, found: Sequence[tuple[Any, int]], size: int) -> float:
        """Distance of a class with these values and counts."""
        inside = sum(abs(count / size - self._shares[value]) for value, count in found)
        outside = 1 - sum(self._shares[value] for value, _ in found)
        return (inside + outside) / 2


class _Ordered:
    """Distance of distributions over numbers: earth mover's, by the ranks of the values, scaled to at most 1."""

    def __init__(self, total: Counter[Any]) -> None:
        rows = total.total()
        self._values = sorted(total)
        self._below = list(accumulate(total[value] / rows for value in self._values))
        self._sums = [0.0, *accumulate(self._below)]

    def of(self, found: Sequence[tuple[Any, int]], size: int) -> float:
        """Distance of a class; between two of its values its own sum stands still, so a few steps suffice."""
        moved, own, position = 0.0, 0, 0
        for value, count in sorted(found):
            here = bisect_right(self._values, value) - 1
            moved += self._between(own / size, position, here)
            own, position = own + count, here
        moved += self._between(1.0, position, len(self._values))
        return moved / (len(self._values) - 1)

    def _between(self, level: float, start: int, end: int) -> float:
        """Sum over `[start, end)` of the distance between a level and the table's own running sum, which only rises."""
        middle = min(max(bisect_right(self._below, level), start), end)
        below = level * (middle - start) - (self._sums[middle] - self._sums[start])
        above = (self._sums[end] - self._sums[middle]) - level * (end - middle)
        return below + above
