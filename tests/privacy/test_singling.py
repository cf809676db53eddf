"""Singling out: the same as trying every combination, and bounds that are exact."""

from __future__ import annotations

from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepipe.privacy.assess.singling import ValueSets
from kubepipe.privacy.intervals import clopper_pearson, finite_bounds


def by_trying(records: list[set[int]]) -> tuple[int, list[int], list[int]]:
    """Unique records, smallest sizes, and combinations, straight from the definition."""
    held = [record for record in records if record]
    unique, smallest, counts = 0, [0, 0, 0], [0, 0, 0]
    for number, record in enumerate(held):
        others = [other for at, other in enumerate(held) if at != number]

        def is_alone(part: tuple[int, ...], others: list[set[int]] = others) -> bool:
            return not any(set(part) <= other for other in others)

        unique += is_alone(tuple(record))
        found = [
            sum(
                is_alone(part) and not any(is_alone(less) for size in range(1, k) for less in combinations(part, size))
                for part in combinations(sorted(record), k)
            )
            for k in (1, 2, 3)
        ]
        counts = [one + other for one, other in zip(counts, found, strict=True)]
        least = next((size for size, count in enumerate(found) if count), None)
        if least is not None:
            smallest[least] += 1
    return unique, smallest, counts


@given(st.lists(st.sets(st.integers(0, 8), max_size=7), max_size=14))
def test_combinations_are_counted_as_by_trying_all(records: list[set[int]]) -> None:
    """Unique records and minimal unique combinations of one, two and three values, exactly."""
    sets = ValueSets()
    for record in records:
        sets.add(record)
    found = sets.singled_out()
    assert (found.unique, list(found.smallest), list(found.combinations)) == by_trying(records)
    assert (found.records, found.with_values) == (len(records), sum(1 for record in records if record))


def test_records_with_more_values_than_a_word_has_bits() -> None:
    """Ninety shared values: all are compared, and the pair that only one record has is found."""
    sets = ValueSets()
    many = set(range(90))
    for record in (many, many - {0}, many - {89}):
        sets.add(record)
    found = sets.singled_out()
    assert (found.unique, found.smallest, found.combinations, found.wide) == (1, (0, 1, 0), (0, 1, 0), 0)


def test_a_sample_says_how_far_it_may_be_from_the_whole() -> None:
    """Half of the records are examined: the interval holds the share of all of them."""
    sets = ValueSets()
    for number in range(400):
        sets.add({number} if number % 4 == 0 else {-1 - number % 4})
    found = sets.singled_out(examined=100)
    low, high = found.unique_interval
    assert low < high
    assert found.examined == 100
    assert sets.singled_out().unique == 100


def _tail(marked: int, total: int, drawn: int, least: int) -> float:
    return sum(comb(marked, n) * comb(total - marked, drawn - n) for n in range(least, drawn + 1)) / comb(total, drawn)


@given(st.integers(1, 30), st.data())
def test_bounds_of_a_finite_data_set_are_exact(total: int, data: st.DataObject) -> None:
    """No count within the bounds, and every count outside them, makes what was seen rarer than one in forty."""
    examined = data.draw(st.integers(1, total))
    hits = data.draw(st.integers(0, examined))
    low, high = (round(bound * total) for bound in finite_bounds(hits, examined, total))
    for marked in range(hits, total - (examined - hits) + 1):
        rarest = min(_tail(marked, total, examined, hits), _tail(total - marked, total, examined, examined - hits))
        # Exactly one in forty falls to either side by the last bit.
        assert (low <= marked <= high) == (rarest > 0.025) or rarest == pytest.approx(0.025)


def test_bounds_meet_when_all_was_seen_and_are_clopper_pearsons_in_a_large_data_set() -> None:
    """Nothing is left to estimate of what was seen whole; of a vast data set a sample says what it always says."""
    assert finite_bounds(3, 12, 12) == (0.25, 0.25)
    assert finite_bounds(5, 100, 10**7) == pytest.approx(clopper_pearson(5, 100), abs=1e-5)
    assert finite_bounds(0, 0, 5) == (0.0, 1.0)
