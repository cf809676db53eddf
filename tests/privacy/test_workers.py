"""Several processes: the same results in the same order, errors told, nothing left running."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from kubepipe.errors import KubePipeError, SettingsError
from kubepipe.passages import Passage
from kubepipe.privacy import Detector, Pseudonymiser, assess, measure
from kubepipe.privacy.workers import AHEAD, in_order
from kubepipe.settings.privacy import PrivacySettings

from .conftest import KEY, KnownEntities

Make = Callable[..., Passage]
WORDS = {"Ada Lovelace": "PERSON", "Babbage": "PERSON", "Turin": "PLACE"}


def data(passage: Make) -> list[Passage]:
    """More than three batches of passages, each with people of its own."""
    return [
        passage(
            f"Ada Lovelace of Turin met Babbage and Mr Quin{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10 % 10]}.",
            ("Who met Babbage?", "Ada Lovelace"),
            id=f"p{n}",
        )
        for n in range(200)
    ]


def test_the_results_are_those_of_one_process(passage: Make) -> None:
    """Surrogates, counts, measures and the assessment do not depend on how many processes work."""
    policy, before = PrivacySettings(), data(passage)
    found = []
    for processes in (1, 2):
        detector = Detector(KnownEntities(WORDS), "en", processes=processes)
        after = list(Pseudonymiser(policy, KEY, detector).protect(before))
        kept = [each.passage for each in after if each.passage is not None]
        measured = measure(before, kept, policy, KEY, detector)
        found.append((after, measured, assess({"train": before}, policy, detector).document()))
    assert found[0] == found[1]
    assert found[0][1].leaks == 0


def test_order_stays_and_items_are_taken_a_few_ahead() -> None:
    """A slow first item does not let later ones pass, and an endless stream is not read to its end."""
    taken = 0

    def items() -> Iterator[tuple[int, int]]:
        nonlocal taken
        for number in range(10_000):
            taken += 1
            yield number, number

    results = in_order(lambda number: number * 2, items(), 2)
    assert [next(results) for _ in range(20)] == [(number, 2 * number) for number in range(20)]
    assert taken <= 20 + 2 * AHEAD
    results.close()
    assert not multiprocessing.active_children()


def test_what_a_process_raises_is_raised_here() -> None:
    """With its words and its exit code."""

    def work(_: int) -> int:
        raise SettingsError("is broken", place="here", remedy="Mend it")

    with pytest.raises(SettingsError, match=r"here: is broken\. Mend it"):
        list(in_order(work, [(0, 0)], 2))
    assert not multiprocessing.active_children()


def test_a_killed_process_is_an_error() -> None:
    """As when memory runs out; nothing hangs."""

    def work(_: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(KubePipeError, match=r"one of 2 processes was killed"):
        list(in_order(work, [(n, n) for n in range(8)], 2))
