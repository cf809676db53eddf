"""Where the model errs."""

from __future__ import annotations

import pytest

from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.scoring import benchmark, score
from kubepipe.scoring.breakdown import answer_length, breakdowns, question_word
from kubepipe.settings import ScoringSettings


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("What is it?", "what"),
        ("In which city was he born?", "which"),
        ("Whose idea was it?", "who"),
        ("To whom?", "who"),
        ("How many are there?", "how"),
        ("What's that?", "what"),
        ("Name the river.", "other"),
        ("", "other"),
    ],
)
def test_question_word(text: str, word: str) -> None:
    """The first question word decides, also behind a preposition."""
    assert question_word(Question("q", text)) == word


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("one", "1 word"),
        ("one two", "2 words"),
        ("one two three", "3-4 words"),
        ("a b c d e", "5-9 words"),
        ("a b c d e f g h i j", "10 words or more"),
        (None, "no answer"),
    ],
)
def test_answer_length(text: str | None, kind: str) -> None:
    """The words of the first gold answer decide."""
    answers = (Answer(text, 0),) if text is not None else ()
    assert answer_length(Question("q", "?", answers)) == kind


def _passages() -> list[Passage]:
    questions = (
        Question("1", "Who?", (Answer("Ada", 0),)),
        Question("2", "Who else?", (Answer("Bo", 0),)),
        Question("3", "When?", (Answer("in May", 0),)),
    )
    return [Passage("p", "d", "Ada Bo in May", questions)]


def test_groups_add_up() -> None:
    """Every table holds each question once, largest group first, with the mean scores of its questions."""
    passages = _passages()
    untuned, tuned = score({"1": "Ada"}, passages), score({"1": "Ada", "2": "Bo", "3": "May"}, passages)
    tables = breakdowns(passages, untuned, tuned, touched={"2"})
    assert {name: sum(group.total for group in groups) for name, groups in tables.items()} == dict.fromkeys(
        ("question_word", "answer_length", "answer_touched"), 3
    )
    who, when = tables["question_word"]
    assert (who.name, who.total, who.untuned_exact_match, who.tuned_exact_match) == ("who", 2, 50.0, 100.0)
    assert (when.name, when.tuned_exact_match, when.tuned_f1) == ("when", 0.0, pytest.approx(200 / 3))


def test_the_document_of_a_benchmark_fits_its_schema() -> None:
    """The comparison is written as benchmark-metrics, with and without intervals."""
    from kubepipe.records import validate

    for resamples in (0, 50):
        found = benchmark(
            _passages(),
            untuned={"1": "x"},
            tuned={"1": "Ada", "2": "Bo", "3": "in May"},
            settings=ScoringSettings(bootstrap=resamples),
            seed=0,
        ).document()
        validate(found, "benchmark-metrics", place="test")
        assert found["difference"]["exact_match"] == 100.0
        assert (found["tuned"]["f1_interval"] is None) == (resamples == 0)
