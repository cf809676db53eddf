"""Risk of a table: worked examples, and another computation of the same definitions."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepipe.privacy.assess.table import table_risk

_TABLE = {
    "age": ["30-39", "30-39", "30-39", "40-49", "40-49", "50-59"],
    "zip": ["791", "791", "791", "791", "791", "042"],
    "illness": ["flu", "flu", "gout", "gout", "gout", "flu"],
    "income": [10, 20, 30, 10, 10, 30],
}


def test_a_worked_example() -> None:
    """Classes of three, two and one record."""
    risk = table_risk(_TABLE, ["age", "zip"], ["illness"])
    assert risk is not None
    assert (risk.rows, risk.classes, risk.k, risk.unique) == (6, 3, 1, 1)
    assert (risk.prosecutor, risk.average, risk.at_risk) == (1.0, 0.5, 1.0)
    (illness,) = risk.diversity
    assert illness.distinct == 1
    assert illness.entropy == pytest.approx(1.0)
    assert illness.closeness == pytest.approx(0.5)


def test_an_empty_table_has_no_risk() -> None:
    """Without rows or without quasi-identifiers there is nothing to say."""
    assert table_risk({}, ["age"]) is None
    assert table_risk(_TABLE, []) is None


def _closeness(keys: list[Any], values: list[Any]) -> float:
    """Closeness straight from the definition: for each class the sum over all values."""
    total, rows = Counter(values), len(values)
    order, worst = sorted(total), 0.0
    for key in set(keys):
        inside = Counter(value for other, value in zip(keys, values, strict=True) if other == key)
        gaps = [inside[value] / inside.total() - total[value] / rows for value in order]
        if all(isinstance(value, int) for value in order) and len(order) > 1:
            running = [sum(gaps[: number + 1]) for number in range(len(gaps))]
            distance = sum(map(abs, running)) / (len(order) - 1)
        else:
            distance = sum(map(abs, gaps)) / 2
        worst = max(worst, distance)
    return worst


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), min_size=1, max_size=40),
    st.booleans(),
)
def test_closeness_and_diversity_follow_the_definitions(rows: list[tuple[int, int]], is_words: bool) -> None:
    """The fast computation gives what the definitions give, for numbers and for words."""
    keys = [key for key, _ in rows]
    values: list[Any] = [f"w{value}" if is_words else value for _, value in rows]
    risk = table_risk({"key": keys, "value": values}, ["key"], ["value"])
    assert risk is not None
    (found,) = risk.diversity
    assert found.closeness == pytest.approx(_closeness(keys, values), abs=1e-9)
    groups = [Counter(v for k, v in zip(keys, values, strict=True) if k == key) for key in set(keys)]
    assert found.distinct == min(map(len, groups))
    least = min(-sum(n / g.total() * math.log(n / g.total()) for n in g.values()) for g in groups)
    assert found.entropy == pytest.approx(math.exp(least))
