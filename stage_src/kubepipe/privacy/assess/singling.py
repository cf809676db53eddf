"""Who can be singled out by what is said about them: sets of quasi-identifiers, and their smallest unique parts.

A record is unique when no other record has all its values. A combination of its values is a minimal unique one when no
other record has it and every smaller part of it is shared (special uniques, Elliot et al., SUDA, 2002): who knows these
one, two or three things about a person finds the record. Counted exactly, by what a record shares with each other one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from kubepipe.privacy.intervals import finite_bounds

EXAMINED: Final = 2000
"""Records that are compared with all others, evenly spaced; more only narrow the interval."""

WIDEST: Final = 96
"""Shared values of a record up to which combinations of three are looked for; a record with more counts as `wide`."""

_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class SinglingOut:
    """Records that stand alone.

    Attributes:
        records: All records.
        with_values: Records with a quasi-identifier.
        examined: Of these, the records that were compared with all others.
        unique: Examined records whose values no other record has together.
        unique_interval: 95 % interval of the share of all records that is unique; a point when all were examined.
        smallest: Examined records whose smallest unique combination has one, two, three values.
        combinations: Minimal unique combinations of one, two, three values in all examined records.
        wide: Examined records with too many shared values to look for combinations of three.
    """

    records: int
    with_values: int
    examined: int
    unique: int
    unique_interval: tuple[float, float]
    smallest: tuple[int, int, int]
    combinations: tuple[int, int, int]
    wide: int

    def document(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            **asdict(self),
            "unique_interval": list(self.unique_interval),
            "smallest": list(self.smallest),
            "combinations": list(self.combinations),
        }


@dataclass(slots=True)
class ValueSets:
    """Sets of values, one a record; a value is any number that stands for it."""

    records: int = 0
    _values: array[int] = field(default_factory=lambda: array("Q"))
    _ends: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, values: Iterable[int]) -> None:
        """Take in a record; one without values only counts."""
        self.records += 1
        unsigned = sorted({value & 0xFFFF_FFFF_FFFF_FFFF for value in values})
        if unsigned:
            self._values.extend(unsigned)
            self._ends.append(len(self._values))

    def singled_out(self, examined: int = EXAMINED) -> SinglingOut:
        """Compare records with all others.

        Args:
            examined: At most so many records are compared.
        """
        import numpy as np

        total = len(self._ends)
        ends = np.frombuffer(self._ends, dtype=np.uint64).astype(np.int64) if total else np.zeros(0, dtype=np.int64)
        starts = np.concatenate([np.zeros(1, dtype=np.int64), ends])[:-1] if total else ends
        raw = np.frombuffer(self._values, dtype=np.uint64) if total else np.zeros(0, dtype=np.uint64)
        _, codes = np.unique(raw, return_inverse=True)
        owners: Any = np.repeat(np.arange(total), ends - starts)
        order = np.argsort(codes, kind="stable")
        holders, counts = owners[order], np.bincount(codes)
        first = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
        number = min(total, examined)
        unique = wide = 0
        smallest, combinations = [0, 0, 0], [0, 0, 0]
        for each in range(number):
            record = each * total // number
            mine = codes[starts[record] : ends[record]]
            found = _Record(record, total, [holders[first[code] : first[code + 1]] for code in mine])
            unique += found.is_unique
            wide += found.is_wide
            for size, count in enumerate(found.combinations):
                combinations[size] += count
            least = next((size for size, count in enumerate(found.combinations) if count), None)
            if least is not None:
                smallest[least] += 1
        low, high = finite_bounds(unique, number, total) if total else (0.0, 0.0)
        share = total / self.records if self.records else 0.0
        return SinglingOut(
            self.records, total, number, unique, (low * share, high * share),
            (smallest[0], smallest[1], smallest[2]), (combinations[0], combinations[1], combinations[2]), wide,
        )  # fmt: skip


class _Record:
    """A record against all others.

    Args:
        record: Its number.
        total: How many records there are.
        holders: For each of its values, the numbers of the records that have it.
    """

    def __init__(self, record: int, total: int, holders: list[Any]) -> None:
        import numpy as np

        shared = [some for some in holders if len(some) > 1]
        ones = len(holders) - len(shared)
        has = _shares(record, shared, total)
        pairs = has.T @ has > 0
        upper = np.triu(np.ones_like(pairs, dtype=bool), 1)
        twos = int((~pairs & upper).sum())
        self.is_unique = bool(ones or not (has.sum(axis=1) == len(holders)).any())
        self.is_wide = len(shared) > WIDEST
        threes = 0 if self.is_wide else sum(_threes(has, pairs, upper, index) for index in range(len(shared)))
        self.combinations = (ones, twos, threes)


def _shares(record: int, shared: list[Any], total: int) -> Any:
    """What a record shares with the others: a row for each different set of its shared values, 1 where it is in it."""
    import numpy as np

    words = []
    for first in range(0, len(shared), _BITS):
        word: Any = np.zeros(total, dtype=np.uint64)
        for bit, some in enumerate(shared[first : first + _BITS]):
            word[some] |= np.uint64(1 << bit)
        word[record] = 0
        words.append(word)
    if not words:
        return np.zeros((0, 0), dtype=np.float32)
    different = np.unique(words[0])[:, None] if len(words) == 1 else np.unique(np.stack(words, axis=1), axis=0)
    bits = (different[:, :, None] >> np.arange(_BITS, dtype=np.uint64)) & np.uint64(1)
    return bits.reshape(len(different), -1)[:, : len(shared)].astype(np.float32)


def _threes(has: Any, pairs: Any, upper: Any, index: int) -> int:
    """Minimal unique threes whose first value is `index`: no record has the three, and each two of them are shared."""
    some = has[has[:, index] > 0]
    beside = pairs[index].copy()
    beside[: index + 1] = False
    possible = pairs & upper & beside[:, None] & beside[None, :]
    return int((possible & ~(some.T @ some > 0)).sum()) if possible.any() else 0
