"""Rows to train on: a context once, with all its questions and answers as branches."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kubepipe.passages.model import Passage, Question
from kubepipe.training.prompt import PromptEncoder
from kubepipe.training.windows import Window, window_around, windows_of


@dataclass(frozen=True, slots=True)
class Branch:
    """A question and its answer as token ids; the answer ends with the end token."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True, slots=True)
class Row:
    """A context as token ids, followed by branches that each continue it and do not see one another."""

    prefix: tuple[int, ...]
    branches: tuple[Branch, ...]

    def __len__(self) -> int:
        return len(self.prefix) + sum(map(len, self.branches))

    @property
    def labels(self) -> int:
        """Tokens that are trained: answers with their end tokens."""
        return sum(len(branch.answer) for branch in self.branches)


@dataclass(frozen=True, slots=True)
class Rows:
    """What became of the passages.

    Attributes:
        rows: Rows in the order of the passages.
        questions: Questions in the rows.
        windowed: Contexts that are longer than the limit and stand in the rows as windows.
        left_out: Questions that cannot be trained: question or answer alone are longer than the model can read.
    """

    rows: tuple[Row, ...]
    questions: int
    windowed: int
    left_out: int


def encode(
    passages: Sequence[Passage],
    encoder: PromptEncoder,
    *,
    max_context: int,
    max_row: int,
    model_window: int,
    max_branches: int | None = None,
) -> Rows:
    """Encode passages.

    Args:
        passages: What to train on.
        encoder: Of the model's tokeniser.
        max_context: Longest context in tokens; longer ones are windowed around the answers.
        max_row: Longest row in tokens. The questions of a context are spread over several rows rather than passing
            it; a single question may pass it.
        model_window: Most positions that the model reads.
        max_branches: Most questions of a row; those of a context are spread evenly. 1 shares no context, None sets no
            bound.
    """
    opening = len(encoder.prefix(""))
    rows: list[Row] = []
    windowed = left_out = questions = 0
    for passage in passages:
        branches = {question.id: _branch(encoder, question) for question in passage.questions}
        # Half of what the model reads belongs to the context at least.
        fitting = [question for question in passage.questions if len(branches[question.id]) <= model_window // 2]
        longest = max((len(branches[question.id]) for question in fitting), default=0)
        limit = max(1, min(max_context, model_window - opening - longest))
        groups = _by_window(encoder, passage.context, fitting, limit)
        windowed += len(windows_of(encoder, passage.context, limit)) > 1
        for window, members in groups.items():
            prefix = tuple(encoder.prefix(passage.context[window.start : window.end]))
            parts = _split([branches[question.id] for question in members], len(prefix), max_row, max_branches)
            rows.extend(Row(prefix, part) for part in parts)
        kept = sum(map(len, groups.values()))
        questions += kept
        left_out += len(passage.questions) - kept
    return Rows(tuple(rows), questions, windowed, left_out)


def gold_answer(question: Question) -> str | None:
    """The answer to train on: the one most annotators gave, the first of them on a tie; None without any."""
    if not question.answers:
        return None
    return Counter(answer.text for answer in question.answers).most_common(1)[0][0]


def _branch(encoder: PromptEncoder, question: Question) -> Branch:
    return Branch(tuple(encoder.prompt(question.text)), tuple(encoder.answer(gold_answer(question))))


def _by_window(
    encoder: PromptEncoder, context: str, questions: Sequence[Question], limit: int
) -> dict[Window, list[Question]]:
    windows = windows_of(encoder, context, limit)
    groups: dict[Window, list[Question]] = {}
    for question in questions:
        window: Window | None = windows[0]
        if len(windows) > 1 and question.answers:
            gold = gold_answer(question)
            answer = next(answer for answer in question.answers if answer.text == gold)
            window = window_around(encoder, context, answer, limit)
        if window is not None:
            groups.setdefault(window, []).append(question)
    return groups


def _split(
    branches: Sequence[Branch], prefix: int, max_row: int, max_branches: int | None
) -> Iterator[tuple[Branch, ...]]:
    most = math.ceil(len(branches) / math.ceil(len(branches) / max_branches)) if max_branches else len(branches)
    part: list[Branch] = []
    length = prefix
    for branch in branches:
        if part and (len(part) == most or length + len(branch) > max_row):
            yield tuple(part)
            part, length = [], prefix
        part.append(branch)
        length += len(branch)
    if part:
        yield tuple(part)
