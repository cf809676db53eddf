"""Separates training from validation, deterministically and without leaks; and keeps no more than is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from kubepipe.errors import InputError
from kubepipe.passages.model import Passage, Split
from kubepipe.passages.tally import Tally


def context_key(passage: Passage) -> str:
    """The context without case and white space: contexts that differ only in these are the same to a model."""
    return " ".join(passage.context.split()).casefold()


def separate(
    passages: Sequence[Passage], *, share: float, seed: int, made_up: frozenset[str], place: str
) -> dict[Split, list[Passage]]:
    """Hold out a share of the documents; a data set of one document is split by context.

    Documents that share a context stay on one side. The choice depends on the seed and the names of the documents (on
    the context, where a document has no name of its own), not on their order.

    Args:
        passages: At least two different contexts.
        share: Share of the documents for validation, between 0 and 1.
        seed: Another seed gives another split.
        made_up: Names of documents that the source does not have.
        place: The source, for the error.

    Raises:
        InputError: All passages have the same context.
    """

    def by_document(passage: Passage) -> Iterable[str]:
        return (f"document {passage.document}", f"context {context_key(passage)}")

    def by_context(passage: Passage) -> Iterable[str]:
        return (f"context {context_key(passage)}",)

    def sort_key(passage: Passage) -> str:
        return context_key(passage) if passage.document in made_up else passage.document

    for keys, name in ((by_document, sort_key), (by_context, context_key)):
        groups = _connected(passages, keys)
        if len(groups) > 1:
            return _hold_out(passages, [[passages[index] for index in group] for group in groups], share, seed, name)
    raise InputError(
        "holds a single context, which cannot be on both sides of the split",
        place=place,
        remedy="Add a second context",
    )


def _connected(passages: Sequence[Passage], keys: Callable[[Passage], Iterable[str]]) -> list[list[int]]:
    """Indices of passages that share a key, directly or over others (union-find)."""
    parent = list(range(len(passages)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[str, int] = {}
    for index, passage in enumerate(passages):
        for key in keys(passage):
            parent[root(index)] = root(first.setdefault(key, index))
    groups: dict[int, list[int]] = {}
    for index in range(len(passages)):
        groups.setdefault(root(index), []).append(index)
    return list(groups.values())


def _hold_out(
    passages: Sequence[Passage],
    groups: list[list[Passage]],
    share: float,
    seed: int,
    name: Callable[[Passage], str],
) -> dict[Split, list[Passage]]:
    wanted = min(max(1, round(share * len(groups))), len(groups) - 1)
    ordered = sorted(groups, key=lambda group: min(_draw(seed, name(passage)) for passage in group))
    held_out = {passage.id for group in ordered[:wanted] for passage in group}
    return {
        "train": [passage for passage in passages if passage.id not in held_out],
        "validation": [passage for passage in passages if passage.id in held_out],
    }


def keep_apart(splits: Mapping[Split, list[Passage]], tally: Tally) -> dict[Split, list[Passage]]:
    """The source's own splits, without the training contexts that validation holds too."""
    held_out = {context_key(passage) for passage in splits["validation"]}
    documents = {passage.document for passage in splits["validation"]}
    train = [passage for passage in splits["train"] if context_key(passage) not in held_out]
    shared = [passage for passage in splits["train"] if context_key(passage) in held_out]
    tally["contexts_in_both_splits"] += len(shared)
    tally["questions_in_both_splits"] += sum(len(passage.questions) for passage in shared)
    tally["documents_in_both_splits"] += len(documents & {passage.document for passage in train})
    return {"train": train, "validation": splits["validation"]}


def keep_at_most(passages: list[Passage], limit: int | None, *, seed: int, tally: Tally) -> list[Passage]:
    """A deterministic choice of passages with at most so many questions; whole passages, only the last one is cut.

    Args:
        passages: The passages of one split.
        limit: Most questions; None keeps all.
        seed: Another seed gives another choice.
        tally: Questions left out are counted here.
    """
    if limit is None:
        return passages
    drawn = sorted(passages, key=lambda passage: _draw(seed, passage.context))
    kept = {passage.id: passage for passage in first_questions(drawn, limit)}
    chosen = [kept[passage.id] for passage in passages if passage.id in kept]
    tally["questions_over_limit"] += sum(len(p.questions) for p in passages) - sum(len(p.questions) for p in chosen)
    return chosen


def first_questions(passages: Iterable[Passage], limit: int) -> list[Passage]:
    """The first passages until the number of questions is reached; whole ones, only the last one is cut."""
    chosen: list[Passage] = []
    room = limit
    for passage in passages:
        if not room:
            break
        chosen.append(replace(passage, questions=passage.questions[:room]))
        room -= len(chosen[-1].questions)
    return chosen


def _draw(seed: int, name: str) -> bytes:
    """A number for a name that looks random and is the same on every machine."""
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
