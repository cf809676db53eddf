"""Intervals."""

from __future__ import annotations

import pytest

from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.scoring import Scores, difference, intervals, score


def _scores(right: list[bool]) -> Scores:
    questions = tuple(Question(str(number), "?", (Answer("x", 0),)) for number in range(len(right)))
    predictions = {str(number): "x" if good else "y" for number, good in enumerate(right)}
    return score(predictions, [Passage("p", "d", "x", questions)])


def test_an_interval_holds_the_score_and_has_the_width_of_theory() -> None:
    """For 400 questions half right, the interval of exact match is close to 50 +- 4.9 of the normal approximation."""
    found = intervals(_scores([True, False] * 200), resamples=4000, seed=1)
    assert found is not None
    assert found.exact_match.low == pytest.approx(45.1, abs=0.8)
    assert found.exact_match.high == pytest.approx(54.9, abs=0.8)


def test_intervals_are_the_same_for_the_same_seed() -> None:
    """The seed decides the resamples."""
    scores = _scores([True, False, True] * 20)
    assert intervals(scores, resamples=100, seed=3) == intervals(scores, resamples=100, seed=3)
    assert intervals(scores, resamples=100, seed=3) != intervals(scores, resamples=100, seed=4)


def test_without_resamples_there_is_no_interval() -> None:
    """Zero resamples leave the intervals out."""
    assert intervals(_scores([True]), resamples=0, seed=0) is None
    assert difference(_scores([True]), _scores([True]), resamples=0, seed=0) is None


def test_the_paired_difference_is_narrower_than_two_intervals() -> None:
    """Questions right on both sides cancel out: a small gain excludes 0 though the two intervals overlap."""
    before = [number % 2 == 0 for number in range(300)]
    after = [good or number % 15 == 0 for number, good in enumerate(before)]
    old, new = _scores(before), _scores(after)
    paired = difference(old, new, resamples=1000, seed=0)
    first, second = intervals(old, resamples=1000, seed=0), intervals(new, resamples=1000, seed=0)
    assert paired is not None
    assert first is not None
    assert second is not None
    assert paired.exact_match.low > 0
    assert first.exact_match.high > second.exact_match.low


def test_a_paired_difference_needs_the_same_questions() -> None:
    """Scores of different questions are not compared."""
    with pytest.raises(ValueError, match="same questions"):
        difference(_scores([True]), _scores([True, True]), resamples=10, seed=0)


def test_a_perfect_score_has_no_width() -> None:
    """All right gives [100, 100], also when the resamples come in several pieces."""
    found = intervals(_scores([True] * 5000), resamples=1000, seed=0)
    assert found is not None
    assert found.exact_match.document() == [100.0, 100.0]
