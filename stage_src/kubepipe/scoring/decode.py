"""Greedy decoding of many questions that share contexts.

The context is computed once, and so is its cache: all questions on it are branches of one row, as in training. A
decoding step feeds one token per branch, and the tree mask lets it see the context and its own branch.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubepipe.scoring.contexts import ContextCache, Layers, assembled, layers_of
from kubepipe.training.objective import head_of
from kubepipe.training.packing import CONTEXT, PADDING, collate, positions_of, segments_of
from kubepipe.training.plan import micro_batches
from kubepipe.training.rows import Branch, Row


@dataclass(slots=True)
class Generated:
    """Token ids of one answer so far, without the end token, and the log-probabilities of all its tokens."""

    ids: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Branch:
    """A question that is being answered: where it stands, and what is fed next."""

    row: int
    number: int
    position: int
    token: int
    answer: Generated


@dataclass(frozen=True, slots=True)
class _Read:
    """Contexts and questions that were read.

    Attributes:
        cache: Keys and values of all tokens.
        segments: (rows, tokens) The segment of every token in the cache.
        last: (branches, size) Hidden states of the last token of each question.
    """

    cache: Any
    segments: Any
    last: Any


def generate(
    model: Any,
    rows: Sequence[Row],
    *,
    end_token: int,
    max_new_tokens: int,
    device: str,
    contexts: ContextCache | None = None,
    tokens_at_once: int | None = None,
) -> list[list[Generated]]:
    """Answer all branches of some rows.

    A decoding step reads all weights, however few tokens it computes, so all rows are decoded together; contexts and
    questions may be read in smaller parts before.

    Args:
        model: A causal language model that shares contexts (`can_share_contexts`).
        rows: Contexts with prompts; the answers of their branches are empty.
        end_token: Ends an answer.
        max_new_tokens: Longest answer.
        device: cpu or cuda.
        contexts: Contexts that were read before; those that are read now are kept in it.
        tokens_at_once: Most tokens that are read at once, padding included; None reads all rows at once, and so does a
            call with `contexts`.

    Returns:
        Answers by row and branch.
    """
    import numpy as np
    import torch

    answers = [[Generated() for _ in row.branches] for row in rows]
    live = [
        _Branch(number, part, len(row.prefix) + len(branch), end_token, answers[number][part - 1])
        for number, row in enumerate(rows)
        for part, branch in enumerate(row.branches, start=1)
    ]
    with torch.inference_mode():
        if contexts is None:
            read = _read_in_parts(model, rows, end_token, device, tokens_at_once)
        else:
            read = _read_kept(model, rows, end_token, device, contexts)
        cache, segments = read.cache, read.segments
        _choose(model, read.last, live)
        for _ in range(max_new_tokens - 1):
            live = [branch for branch in live if branch.token != end_token]
            if not live:
                break
            ids, positions, fresh, slots = _next_tokens(live, len(rows), end_token)
            segments = np.concatenate([segments, fresh], axis=1)
            hidden = _forward(model, ids, _mask(segments, fresh), positions, cache, device)
            _choose(model, hidden.flatten(0, 1)[slots], live)
    for row_answers in answers:
        for answer in row_answers:
            if answer.ids and answer.ids[-1] == end_token:
                answer.ids.pop()
    return answers


def _read_in_parts(model: Any, rows: Sequence[Row], filler: int, device: str, tokens_at_once: int | None) -> _Read:
    """Read rows of like length together and put what was read side by side."""
    import numpy as np
    import torch

    parts = [rows] if tokens_at_once is None else micro_batches(rows, tokens_at_once)
    if len(parts) == 1:
        return _read_whole(model, rows, filler, device)
    found: dict[Row, tuple[Layers, Any]] = {}
    for part in parts:
        read = _read_whole(model, part, filler, device)
        branches = read.last.split([len(row.branches) for row in part])
        for number, (row, last) in enumerate(zip(part, branches, strict=True)):
            found[row] = layers_of(read.cache, number, len(row)), last
    length = max(map(len, rows))
    return _Read(
        assembled(model.config, [found[row][0] for row in rows]),
        np.asarray([segments_of(row, length) for row in rows]),
        torch.cat([found[row][1] for row in rows]),
    )


def _read_kept(model: Any, rows: Sequence[Row], filler: int, device: str, contexts: ContextCache) -> _Read:
    """Read contexts and questions; contexts that are kept already are not read again."""
    held = [contexts.find(row.prefix) for row in rows]
    if not any(held):
        read = _read_whole(model, rows, filler, device)
        for number, row in enumerate(rows):
            contexts.keep(row.prefix, layers_of(read.cache, number, len(row.prefix)))
        return read
    missing = [Row(row.prefix, ()) for row, layers in zip(rows, held, strict=True) if layers is None]
    fresh: Iterator[Layers] = iter(())
    if missing:
        cache = _read_whole(model, missing, filler, device).cache
        fresh = iter([layers_of(cache, number, len(row.prefix)) for number, row in enumerate(missing)])
    found = [next(fresh) if layers is None else layers for layers in held]
    for row, layers in zip(rows, found, strict=True):
        contexts.keep(row.prefix, layers)
    return _read_questions(model, rows, assembled(model.config, found), filler, device)


def _read_whole(model: Any, rows: Sequence[Row], filler: int, device: str) -> _Read:
    import numpy as np
    from transformers import DynamicCache

    batch = collate(rows, pad_token=filler)
    length = batch.input_ids.shape[1]
    cache = DynamicCache(config=model.config)
    hidden = _forward(model, batch.input_ids, batch.mask, batch.position_ids, cache, device)
    places = [_last_token(row, part) + number * length for number, row in enumerate(rows) for part in _parts(row)]
    segments = np.asarray([segments_of(row, length) for row in rows])
    return _Read(cache, segments, hidden.flatten(0, 1)[places])


def _read_questions(model: Any, rows: Sequence[Row], cache: Any, filler: int, device: str) -> _Read:
    """Read the questions behind contexts whose keys and values are there, padded to the longest."""
    import numpy as np

    before, length = max(len(row.prefix) for row in rows), max(len(row) - len(row.prefix) for row in rows)
    known: Any = np.full((len(rows), before), PADDING, dtype=np.int64)
    fresh: Any = np.full((len(rows), length), PADDING, dtype=np.int64)
    ids: Any = np.full((len(rows), length), filler, dtype=np.int64)
    positions: Any = np.zeros((len(rows), length), dtype=np.int64)
    places = []
    for number, row in enumerate(rows):
        start, size = len(row.prefix), len(row) - len(row.prefix)
        known[number, :start] = CONTEXT
        fresh[number, :size] = segments_of(row)[start:]
        ids[number, :size] = [token for branch in row.branches for token in (*branch.prompt, *branch.answer)]
        positions[number, :size] = positions_of(row)[start:]
        places += [number * length + _last_token(row, part) - start for part in _parts(row)]
    segments = np.concatenate([known, fresh], axis=1)
    hidden = _forward(model, ids, _mask(segments, fresh), positions, cache, device)
    return _Read(cache, segments, hidden.flatten(0, 1)[places])


def prompt_row(prefix: Sequence[int], prompts: Sequence[Sequence[int]], *, answer: tuple[int, ...] = ()) -> Row:
    """A row of questions without answers, or with one and the same."""
    return Row(tuple(prefix), tuple(Branch(tuple(prompt), answer) for prompt in prompts))


def _forward(model: Any, ids: Any, mask: Any, positions: Any, cache: Any, device: str) -> Any:
    """Last hidden states; the cache grows by the tokens."""
    import torch

    outputs = model(
        input_ids=torch.from_numpy(ids).to(device),
        attention_mask=torch.from_numpy(mask).to(device),
        position_ids=torch.from_numpy(positions).to(device),
        **{_name_of_cache(model): cache},
        use_cache=True,
        output_hidden_states=True,
        logits_to_keep=1,
    )
    return outputs.hidden_states[-1]


def _name_of_cache(model: Any) -> str:
    """The argument that takes the cache: transformers 5.24 renamed it, and warns of the old name."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "cache" if "cache" in inspect.signature(type(base).forward).parameters else "past_key_values"


def _choose(model: Any, hidden: Any, live: Sequence[_Branch]) -> None:
    """Give each branch its most probable next token."""
    logits = head_of(model)(hidden).float()
    best, chosen = logits.log_softmax(dim=-1).max(dim=-1)
    for branch, value, token in zip(live, best.tolist(), chosen.tolist(), strict=True):
        branch.token = token
        branch.answer.ids.append(token)
        branch.answer.log_probabilities.append(value)


def _next_tokens(live: Sequence[_Branch], rows: int, filler: int) -> tuple[Any, Any, Any, list[int]]:
    """Ids, positions and segments of the tokens to feed, each (rows, slots), and the flat slot of each branch."""
    import numpy as np

    taken = [0] * rows
    slots = []
    for branch in live:
        slots.append(taken[branch.row])
        taken[branch.row] += 1
    shape = (rows, max(taken))
    ids: Any = np.full(shape, filler, dtype=np.int64)
    positions: Any = np.zeros(shape, dtype=np.int64)
    segments: Any = np.full(shape, PADDING, dtype=np.int64)
    for branch, slot in zip(live, slots, strict=True):
        ids[branch.row, slot] = branch.token
        positions[branch.row, slot] = branch.position
        segments[branch.row, slot] = branch.number
        branch.position += 1
    return ids, positions, segments, [branch.row * shape[1] + slot for branch, slot in zip(live, slots, strict=True)]


def _mask(segments: Any, fresh: Any) -> Any:
    """(B, 1, S, K) bool: what the S new tokens of each row see of the K in the cache, themselves included."""
    import numpy as np

    key, query = segments[:, None, :], fresh[:, :, None]
    seen = ((key == CONTEXT) | (key == query)) & (key != PADDING)
    new = fresh.shape[1]
    seen[:, :, -new:] &= np.tri(new, dtype=bool)
    # An empty slot sees itself, so that no softmax runs over nothing.
    seen[:, :, -new:] |= np.eye(new, dtype=bool)
    return seen[:, None]


def _parts(row: Row) -> range:
    return range(1, len(row.branches) + 1)


def _last_token(row: Row, part: int) -> int:
    return len(row.prefix) + sum(map(len, row.branches[:part])) - 1
