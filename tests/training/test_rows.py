"""Rows, windows and steps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.training import PromptEncoder
from kubepipe.training.plan import micro_batches, plan_steps
from kubepipe.training.rows import Branch, Row, encode, gold_answer
from kubepipe.training.windows import windows_of

MakePassages = Callable[..., list[Passage]]
_LIMITS = {"max_context": 1024, "max_row": 4096, "model_window": 8192}


def _rows(lengths: list[int]) -> list[Row]:
    return [Row(tuple(range(length - 2)), (Branch((number,), (1,)),)) for number, length in enumerate(lengths)]


def test_a_row_holds_a_context_once_with_all_its_questions(tokenizer: Any, make_passages: MakePassages) -> None:
    """Three questions on a context make one row with three branches; unshared, three rows with the same tokens."""
    encoder = PromptEncoder(tokenizer)
    passages = make_passages(2, 3)
    packed = encode(passages, encoder, **_LIMITS)
    single = encode(passages, encoder, **_LIMITS, max_branches=1)
    assert [len(row.branches) for row in packed.rows] == [3, 3]
    assert (packed.questions, packed.windowed, packed.left_out) == (6, 0, 0)
    assert single.rows == tuple(Row(row.prefix, (branch,)) for row in packed.rows for branch in row.branches)


def test_long_rows_are_split_between_questions(tokenizer: Any, make_passages: MakePassages) -> None:
    """No row passes the limit as long as one question fits; none is lost; the order is kept."""
    encoder = PromptEncoder(tokenizer)
    whole = encode(make_passages(1, 6), encoder, **_LIMITS).rows[0]
    limit = len(whole) - 1
    parts = encode(make_passages(1, 6), encoder, max_context=1024, max_row=limit, model_window=8192).rows
    assert len(parts) == 2
    assert all(len(part) <= limit for part in parts)
    assert tuple(branch for part in parts for branch in part.branches) == whole.branches
    alone = encode(make_passages(1, 6), encoder, max_context=1024, max_row=1, model_window=8192).rows
    assert [len(part.branches) for part in alone] == [1] * 6


@given(questions=st.integers(1, 13), bound=st.integers(1, 6))
def test_questions_of_a_context_are_spread_evenly_under_a_bound(
    tokenizer: Any, make_passages: MakePassages, questions: int, bound: int
) -> None:
    """As few rows as the bound allows, in their order, all of one size but the last."""
    encoder = PromptEncoder(tokenizer)
    whole = encode(make_passages(1, questions), encoder, **_LIMITS).rows[0]
    parts = encode(make_passages(1, questions), encoder, **_LIMITS, max_branches=bound).rows
    sizes = [len(part.branches) for part in parts]
    assert len(parts) == -(-questions // bound)
    assert max(sizes) <= bound
    assert len(set(sizes[:-1])) <= 1
    assert tuple(branch for part in parts for branch in part.branches) == whole.branches


_WORDS = st.lists(st.sampled_from(["Ada", "lives", "in", "London", "🙂", "naïve", "1815."]), min_size=1, max_size=120)


@settings(deadline=None, max_examples=60)
@given(words=_WORDS, limit=st.integers(8, 60), data=st.data())
def test_a_windowed_context_still_holds_its_answer(tokenizer: Any, words: list[str], limit: int, data: Any) -> None:
    """Whatever the answer, the context of its row holds it and is within the limit, or the question is counted out."""
    encoder = PromptEncoder(tokenizer)
    context = " ".join(words)
    start = data.draw(st.integers(0, len(context) - 1))
    text = context[start : data.draw(st.integers(start + 1, len(context)))].strip() or context[0]
    answer = Answer(text, context.index(text))
    passage = Passage("p", "d", context, (Question("q", "?", (answer,)),))
    found = encode([passage], encoder, max_context=limit, max_row=4096, model_window=8192)
    assert found.questions + found.left_out == 1
    assert found.windowed == (len(encoder.offsets(context)) > limit)
    if found.left_out:
        assert len(tokenizer(text, add_special_tokens=False)["input_ids"]) > limit / 2
        return
    shown = tokenizer.decode(found.rows[0].prefix[len(encoder.prefix("")) - 1 :])
    assert text in shown
    # A window cut inside a word may be tokenised into a few more tokens than it was cut at.
    assert len(found.rows[0].prefix) <= len(encoder.prefix("")) + limit + 8


@settings(deadline=None, max_examples=60)
@given(words=_WORDS, limit=st.integers(4, 60))
def test_windows_cover_the_context_and_overlap(tokenizer: Any, words: list[str], limit: int) -> None:
    """Windows begin at the start, end at the end, and each begins before the one before it ends."""
    context = " ".join(words)
    windows = windows_of(PromptEncoder(tokenizer), context, limit)
    assert windows[0].start == 0
    assert windows[-1].end == len(context)
    assert all(later.start <= earlier.end for earlier, later in pairwise(windows))


def test_a_question_longer_than_the_model_reads_is_counted_out(tokenizer: Any, make_passages: MakePassages) -> None:
    """A question that leaves no room for the context is left out, the others stay."""
    (passage,) = make_passages(1, 2)
    huge = Question("huge", "why " * 400, passage.questions[0].answers)
    passage = Passage(passage.id, passage.document, passage.context, (*passage.questions, huge))
    found = encode([passage], PromptEncoder(tokenizer), max_context=1024, max_row=4096, model_window=600)
    assert (found.questions, found.left_out) == (2, 1)
    assert all(len(row.prefix) + len(branch) <= 600 for row in found.rows for branch in row.branches)


@pytest.mark.parametrize(("texts", "gold"), [((), None), (("a",), "a"), (("a", "b", "b"), "b"), (("a", "b"), "a")])
def test_the_gold_answer_is_the_one_of_most_annotators(texts: tuple[str, ...], gold: str | None) -> None:
    """The most frequent answer is trained, the first on a tie, none for an unanswerable question."""
    assert gold_answer(Question("q", "?", tuple(Answer(text, 0) for text in texts))) == gold


_LENGTHS = st.lists(st.integers(3, 50), min_size=1, max_size=30)


@given(lengths=_LENGTHS, budget=st.integers(10, 120), epochs=st.sampled_from([1.0, 2.0, 3.0]), seed=st.integers(0, 9))
def test_a_plan_passes_over_all_rows_within_the_budget(
    lengths: list[int], budget: int, epochs: float, seed: int
) -> None:
    """Every row stands once in each pass, no step passes the budget unless one row does, and the seed decides."""
    rows = _rows(lengths)
    steps = plan_steps(rows, tokens_per_step=budget, epochs=epochs, seed=seed)
    assert sorted(map(id, [row for step in steps for row in step])) == sorted(list(map(id, rows)) * int(epochs))
    assert all(len(step) == 1 or sum(map(len, step)) <= budget for step in steps)
    assert steps == plan_steps(rows, tokens_per_step=budget, epochs=epochs, seed=seed)


def test_half_an_epoch_is_half_the_steps() -> None:
    """A fraction of an epoch ends within the pass, but never before the first step."""
    rows = _rows([10] * 20)
    assert len(plan_steps(rows, tokens_per_step=10, epochs=0.5, seed=0)) == 10
    assert len(plan_steps(rows, tokens_per_step=10, epochs=1.25, seed=0)) == 25
    assert len(plan_steps(rows, tokens_per_step=10, epochs=0.001, seed=0)) == 1


@given(lengths=_LENGTHS, budget=st.integers(10, 120))
def test_micro_batches_hold_every_row_once(lengths: list[int], budget: int) -> None:
    """All rows of a step are computed, and no batch of several passes the budget with its padding."""
    rows = _rows(lengths)
    batches = micro_batches(rows, budget)
    assert sorted(map(id, [row for batch in batches for row in batch])) == sorted(map(id, rows))
    assert all(len(batch) == 1 or len(batch) * max(map(len, batch)) <= budget for batch in batches)
