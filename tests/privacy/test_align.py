"""Alignment: whatever is edited, an answer stands where it says."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kubepipe.passages.model import Answer, Question
from kubepipe.privacy.align import Edit, realign, rewrite, split_edits

# Emoji with modifiers, combining marks, CRLF, right-to-left text, a lone surrogate half.
PIECES = [
    "Ada",
    " ",
    "e\u0301",
    "\U0001f469\U0001f3fd\u200d\U0001f52c",
    "\r\n",
    "שָׁלוֹם",
    "مرحبا",
    "\u202e",
    "12",
    ".",
    "ß",
    "\ud800",
]
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit], list[Answer]]:
    """A text, edits of it that may touch each other, and answers anywhere in it."""
    text = draw(texts.filter(bool))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=12)))
    edits = [Edit(start, end, draw(texts)) for start, end in zip(cuts[::2], cuts[1::2], strict=False) if start < end]
    answers = []
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        answers.append(Answer(text[start:end], start))
    return text, edits, answers


@given(edited())
@example(("Tesla's car", [Edit(0, 5, "Ng")], [Answer("sla's", 2)]))
@example(("ab", [Edit(0, 1, ""), Edit(1, 2, "xyz")], [Answer("b", 1)]))
def test_every_answer_stands_where_it_says_or_the_question_is_gone(case: tuple[str, list[Edit], list[Answer]]) -> None:
    """For any text, edits and answers: `context[start:start + len(text)] == text`, or no question at all."""
    text, edits, answers = case
    rewritten = rewrite(text, edits)
    question = realign(text, rewritten, Question("1", "q", tuple(answers)), "q")
    if question is None:
        return
    assert len(question.answers) == len(answers)
    for answer in question.answers:
        assert answer.text
        assert rewritten.text[answer.start : answer.start + len(answer.text)] == answer.text


@given(edited())
def test_what_no_edit_touches_stays_as_it_was(case: tuple[str, list[Edit], list[Answer]]) -> None:
    """An answer that overlaps no edit keeps its text."""
    text, edits, answers = case
    rewritten = rewrite(text, edits)
    for answer in answers:
        end = answer.start + len(answer.text)
        if all(edit.end <= answer.start or edit.start >= end for edit in edits) and answer.text.strip():
            question = realign(text, rewritten, Question("1", "q", (answer,)), "q")
            assert question is not None
            assert question.answers[0].text == answer.text


@given(edited())
def test_offsets_never_run_backwards(case: tuple[str, list[Edit], list[Answer]]) -> None:
    """A later place of the old text is no earlier place of the new one."""
    text, edits, _ = case
    rewritten = rewrite(text, edits)
    starts = [rewritten.start_of(offset) for offset in range(len(text) + 1)]
    assert starts == sorted(starts)
    assert rewritten.end_of(len(text)) == len(rewritten.text)


def test_an_answer_that_cuts_an_edit_grows_to_the_whole_edit() -> None:
    """When the lengths differ there is no telling where the cut would be: the answer takes the whole surrogate."""
    rewritten = rewrite("born in Ulmen.", [Edit(8, 13, "Kronstadt")])
    question = realign("born in Ulmen.", rewritten, Question("1", "q", (Answer("in Ul", 5),)), "q")
    assert question is not None
    assert question.answers[0] == Answer("in Kronstadt", 5)


def test_an_answer_that_cuts_an_edit_of_the_same_length_keeps_its_place() -> None:
    """The last four digits of a number stay the last four digits of its surrogate."""
    rewritten = rewrite("no. 123456", [Edit(4, 10, "987654")])
    question = realign("no. 123456", rewritten, Question("1", "q", (Answer("3456", 6),)), "q")
    assert question is not None
    assert question.answers[0] == Answer("7654", 6)


def test_an_unanswerable_question_stays_unanswerable() -> None:
    """No answer is ever invented."""
    question = realign("Ada", rewrite("Ada", [Edit(0, 3, "Eve")]), Question("1", "Who is Ada?"), "Who is Eve?")
    assert question == Question("1", "Who is Eve?")


@pytest.mark.parametrize("answer", [Answer("Bob", 0), Answer("Ada", 1), Answer("Ada", -3), Answer("", 0)])
def test_a_misaligned_answer_takes_its_question_with_it(answer: Answer) -> None:
    """An answer that did not stand where it said before is never kept."""
    assert realign("Ada", rewrite("Ada", []), Question("1", "q", (answer,)), "q") is None


@pytest.mark.parametrize("edits", [[Edit(0, 2, "x"), Edit(1, 3, "y")], [Edit(2, 9, "x")], [Edit(3, 2, "x")]])
def test_overlapping_edits_are_refused(edits: list[Edit]) -> None:
    """Edits that overlap or leave the text are a fault and raise, they never guess."""
    with pytest.raises(ValueError, match="overlap"):
        rewrite("abc", edits)


def test_edits_are_handed_to_their_fields() -> None:
    """Of a joined text each field gets its own edits, with its own offsets."""
    edits = [Edit(0, 1, "x"), Edit(4, 6, "yy"), Edit(8, 9, "z")]
    assert split_edits(edits, 0, 3) == [Edit(0, 1, "x")]
    assert split_edits(edits, 4, 9) == [Edit(0, 2, "yy"), Edit(4, 5, "z")]
