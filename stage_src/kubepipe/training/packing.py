"""Context-once packing: rows of a context and its branches as one batch of arrays.

In a causal model the hidden states of a context do not depend on what follows, so all questions on it can share them.
A row holds the context once and then every question with its answer; a tree mask lets a token see the context and its
own branch only, and positions restart behind the context for every branch. Losses and gradients are those of one
question per row (property tests, and a test of the logits), for 2.5 to 4 times fewer tokens on SQuAD.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubepipe.training.rows import Row

PADDING = -1
CONTEXT = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrays of one batch of B rows padded to L tokens.

    Attributes:
        input_ids: (B, L) int64.
        position_ids: (B, L) int64, restarting behind the context for each branch; 0 on padding.
        mask: (B, 1, L, L) bool; True where the query (third axis) may see the key (fourth axis).
        real: (B, L) bool; False on padding.
        label_positions: (N,) int64, positions in the flattened (B * L) tokens whose next token is trained.
        label_ids: (N,) int64, those next tokens.
        tokens: Tokens without padding.
        questions: Branches.
    """

    input_ids: Any
    position_ids: Any
    mask: Any
    real: Any
    label_positions: Any
    label_ids: Any
    tokens: int
    questions: int


def tree_mask(segments: Any) -> Any:
    """Who sees whom.

    Args:
        segments: (L,) integers: 0 for the context, k > 0 for the k-th branch, -1 for padding.

    Returns:
        (L, L) bool. A token sees itself and, of the tokens before it, the context and its own branch. Padding sees
        itself only, so that no softmax runs over nothing.
    """
    import numpy as np

    segments = np.asarray(segments)
    key, query = segments[None, :], segments[:, None]
    earlier: Any = np.tri(len(segments), dtype=bool)
    same_path = (key == query) | (key == CONTEXT)
    real = (key != PADDING) & (query != PADDING)
    return (earlier & same_path & real) | np.eye(len(segments), dtype=bool)


def segments_of(row: Row, length: int | None = None) -> list[int]:
    """The segment of each token of a row, padded to a length."""
    segments = [CONTEXT] * len(row.prefix)
    for number, branch in enumerate(row.branches, start=1):
        segments += [number] * len(branch)
    return segments + [PADDING] * ((length or len(row)) - len(row))


def positions_of(row: Row) -> list[int]:
    """The position of each token of a row: every branch continues behind the context."""
    start = len(row.prefix)
    positions = list(range(start))
    for branch in row.branches:
        positions += range(start, start + len(branch))
    return positions


def collate(rows: Sequence[Row], *, pad_token: int) -> Batch:
    """Make a batch of rows, padded on the right to the longest.

    Args:
        rows: At least one.
        pad_token: Filler; never seen and never trained, so it may equal the end token.
    """
    import numpy as np

    length = max(map(len, rows))
    input_ids: Any = np.full((len(rows), length), pad_token, dtype=np.int64)
    position_ids: Any = np.zeros((len(rows), length), dtype=np.int64)
    mask: Any = np.zeros((len(rows), 1, length, length), dtype=bool)
    label_positions: list[int] = []
    label_ids: list[int] = []
    for number, row in enumerate(rows):
        tokens = list(row.prefix)
        for branch in row.branches:
            tokens += branch.prompt
            # The last token of the prompt predicts the first of the answer.
            first = number * length + len(tokens) - 1
            label_positions += range(first, first + len(branch.answer))
            label_ids += branch.answer
            tokens += branch.answer
        input_ids[number, : len(tokens)] = tokens
        position_ids[number, : len(tokens)] = positions_of(row)
        mask[number, 0] = tree_mask(segments_of(row, length))
    return Batch(
        input_ids=input_ids,
        position_ids=position_ids,
        mask=mask,
        real=np.arange(length)[None, :] < np.asarray([[len(row)] for row in rows]),
        label_positions=np.asarray(label_positions, dtype=np.int64),
        label_ids=np.asarray(label_ids, dtype=np.int64),
        tokens=sum(map(len, rows)),
        questions=sum(len(row.branches) for row in rows),
    )
