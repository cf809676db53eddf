"""Context-once packing is exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubepipe.training import ResolvedModel
from kubepipe.training.hardware import Hardware
from kubepipe.training.loading import load_model
from kubepipe.training.objective import answer_loss, can_share_contexts, label_logits, tensors
from kubepipe.training.packing import collate, positions_of, segments_of, tree_mask
from kubepipe.training.prompt import PromptEncoder
from kubepipe.training.rows import Branch, Row, encode

_IDS = st.lists(st.integers(3, 99), min_size=1, max_size=6).map(tuple)
_BRANCHES = st.builds(Branch, prompt=_IDS, answer=_IDS)
_ROWS = st.builds(Row, prefix=_IDS, branches=st.lists(_BRANCHES, min_size=1, max_size=4).map(tuple))
_CPU = Hardware("cpu", "fp32", 1)


@given(_ROWS, st.integers(0, 5))
def test_a_token_sees_the_context_and_its_own_branch_up_to_itself(row: Row, padding: int) -> None:
    """What a token sees, in order, is exactly the sequence of one question per row up to it; padding sees itself."""
    mask = tree_mask(segments_of(row, len(row) + padding))
    place = len(row.prefix)
    for query in range(place):
        assert np.flatnonzero(mask[query]).tolist() == list(range(query + 1))
    for branch in row.branches:
        for offset in range(len(branch)):
            expected = [*range(len(row.prefix)), *range(place, place + offset + 1)]
            assert np.flatnonzero(mask[place + offset]).tolist() == expected
        place += len(branch)
    for query in range(len(row), len(row) + padding):
        assert np.flatnonzero(mask[query]).tolist() == [query]


@given(_ROWS)
def test_positions_are_those_of_one_question_per_row(row: Row) -> None:
    """Each branch continues the positions behind the context."""
    start = len(row.prefix)
    expected = [*range(start)]
    for branch in row.branches:
        expected += range(start, start + len(branch))
    assert positions_of(row) == expected


@given(st.lists(_ROWS, min_size=1, max_size=3))
def test_labels_are_the_answers_and_nothing_else(rows: list[Row]) -> None:
    """In order, the trained tokens are all answers, and each stands right behind its label position on its path."""
    batch = collate(rows, pad_token=2)
    assert batch.label_ids.tolist() == [token for row in rows for branch in row.branches for token in branch.answer]
    flat = batch.input_ids.reshape(-1)
    assert flat[batch.label_positions + 1].tolist() == batch.label_ids.tolist()
    assert batch.tokens == sum(map(len, rows)) == int(batch.real.sum())
    assert batch.questions == sum(len(row.branches) for row in rows)


@given(st.lists(_ROWS, min_size=2, max_size=3))
def test_every_softmax_runs_over_something(rows: list[Row]) -> None:
    """No query of a padded batch is without a key."""
    assert collate(rows, pad_token=2).mask.any(axis=-1).all()


@pytest.fixture
def tiny_model(tiny: ResolvedModel) -> Any:
    """The tiny model in memory."""
    import torch

    return load_model(tiny.path, dtype=torch.float32, device="cpu")


def _singles(rows: Sequence[Row]) -> list[Row]:
    return [Row(row.prefix, (branch,)) for row in rows for branch in row.branches]


def _largest_gap(model: Any, rows: Sequence[Row]) -> float:
    import torch

    with torch.no_grad():
        together = label_logits(model, tensors(collate(rows, pad_token=1)))
        apart = [label_logits(model, tensors(collate([row], pad_token=1), shared=False)) for row in _singles(rows)]
    return float((together - torch.cat(apart)).abs().max())


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_ROWS, min_size=1, max_size=3))
def test_packed_logits_equal_those_of_one_question_per_row(tiny_model: Any, rows: list[Row]) -> None:
    """On a tiny random Llama, logits of packed rows equal the model's own on single questions within 1e-4 (fp32)."""
    assert _largest_gap(tiny_model, rows) < 1e-4
    assert can_share_contexts(tiny_model, rows, _CPU, pad_token=1)


def test_packed_gradients_equal_those_of_one_question_per_row(tiny: ResolvedModel) -> None:
    """The gradient of the packed loss is the mean gradient over the label tokens of single questions."""
    import torch

    row = Row((5, 6, 7, 8), (Branch((9, 10), (11, 1)), Branch((12,), (13, 14, 1)), Branch((15, 16, 17), (18, 1))))
    gradients = []
    for rows in ([row], _singles([row])):
        model = load_model(tiny.path, dtype=torch.float32, device="cpu")
        for each in rows:
            share = each.labels / row.labels
            (answer_loss(model, tensors(collate([each], pad_token=1))) * share).backward()
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]))
    assert torch.allclose(*gradients, atol=1e-5)


def test_a_model_with_a_sliding_window_does_not_share_contexts(tiny_model: Any) -> None:
    """Where our mask would overrule a model's own, the trial says so."""
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=100, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=3, initializer_range=0.2,
    )  # fmt: skip
    model = MistralForCausalLM(config).eval()
    row = Row(tuple(range(5, 15)), (Branch((20, 21), (22,)), Branch((23, 24), (25,))))
    assert not can_share_contexts(model, [row], _CPU, pad_token=1)
    assert can_share_contexts(tiny_model, [row], _CPU, pad_token=1)


@pytest.mark.slow
def test_packed_logits_of_the_real_model(smollm: ResolvedModel, squad_train: list[Any]) -> None:
    """On SmolLM2 and real contexts, logits of packed rows equal the model's own within 1e-4 (fp32)."""
    import torch

    from kubepipe.training.loading import load_tokenizer

    model = load_model(smollm.path, dtype=torch.float32, device="cpu")
    encoder = PromptEncoder(load_tokenizer(smollm.path))
    rows = encode(squad_train[:1], encoder, max_context=1024, max_row=4096, model_window=8192).rows
    assert _largest_gap(model, rows) < 1e-4
