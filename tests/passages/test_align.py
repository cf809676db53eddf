"""Answers are put where they stand, or their question is dropped: nothing is guessed."""

from __future__ import annotations

import pytest

from kubepipe.passages.align import align_answers
from kubepipe.passages.raw import RawAnswer
from kubepipe.passages.tally import Tally

CONTEXT = "Ann met Bo. Bo left Ann 🎈 in Kiel."

CASES: list[tuple[str, list[tuple[str, int | None]], object, dict[str, int]]] = [
    ("right offset", [("Kiel", 29)], [("Kiel", 29)], {}),
    ("right second occurrence", [("Bo", 12)], [("Bo", 12)], {}),
    ("wrong offset, one occurrence", [("Kiel", 3)], [("Kiel", 29)], {"answers_realigned": 1}),
    ("offset in bytes", [("Kiel", 32)], [("Kiel", 29)], {"answers_realigned": 1}),
    ("no offset, one occurrence", [("left", None)], [("left", 15)], {"answers_located": 1}),
    ("wrong offset, two occurrences", [("Bo", 9)], "questions_dropped_misaligned", {}),
    ("no offset, two occurrences", [("Ann", None)], "questions_dropped_misaligned", {}),
    ("offset that counts from the end", [("Bo", -26)], "questions_dropped_misaligned", {}),
    ("offset beyond the end", [("Kiel", 10**12)], [("Kiel", 29)], {"answers_realigned": 1}),
    ("no occurrence", [("Berlin", 0)], "questions_dropped_answer_absent", {}),
    ("other case", [("kiel", 29)], "questions_dropped_answer_absent", {}),
    ("outer white space", [(" Kiel\n", 29)], [("Kiel", 29)], {"answers_trimmed": 1}),
    ("outer white space, twice", [("Bo ", 12), ("Bo\n", 8)], [("Bo ", 12), ("Bo", 8)], {"answers_trimmed": 1}),
    ("repeated golds keep their order", [("Kiel", 29), ("in Kiel", 26), ("Kiel", 29)], None, {}),
    ("empty answer", [("", 0)], [], {"answers_empty": 1}),
    ("empty among others", [("", None), ("Kiel", 29)], [("Kiel", 29)], {"answers_empty": 1}),
    ("one bad among good", [("Kiel", 0), ("Berlin", 0)], "questions_dropped_answer_absent", {}),
    ("no answers", [], [], {}),
]


@pytest.mark.parametrize(("name", "answers", "expected", "counts"), CASES, ids=[case[0] for case in CASES])
def test_alignment(name: str, answers: list[tuple[str, int | None]], expected: object, counts: dict[str, int]) -> None:
    """An answer stays where it stands, moves to its only occurrence, or drops its question; repairs are counted."""
    tally = Tally()
    aligned = align_answers(CONTEXT, tuple(RawAnswer(text, start) for text, start in answers), tally)
    if isinstance(aligned, tuple):
        assert [(answer.text, answer.start) for answer in aligned] == (answers if expected is None else expected), name
        assert all(CONTEXT[answer.start :].startswith(answer.text) for answer in aligned)
    else:
        assert aligned == expected, name
    assert dict(tally) == counts


def test_overlapping_occurrences_are_several() -> None:
    """An answer that overlaps itself occurs more than once."""
    assert align_answers("banana", (RawAnswer("ana", None),), Tally()) == "questions_dropped_misaligned"
