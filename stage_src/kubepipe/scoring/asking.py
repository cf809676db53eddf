"""Questions put to a causal language model in memory, in batches that share their contexts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kubepipe.passages.model import Passage
from kubepipe.scoring.contexts import ContextCache
from kubepipe.scoring.decode import Generated, generate, prompt_row
from kubepipe.scoring.plain import generate_plain
from kubepipe.settings import ScoringSettings
from kubepipe.training.hardware import Hardware
from kubepipe.training.objective import can_share_contexts
from kubepipe.training.prompt import PromptEncoder
from kubepipe.training.windows import windows_of


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer.

    Attributes:
        id: Of the question.
        text: The answer; "" where the model says that there is none.
        confidence: Geometric mean of the probabilities of its tokens, end token included, from 0 to 1.
        log_probability: Logarithm of the probability of the whole answer, in nats.
        no_answer: Whether the model says that the context holds no answer.
    """

    id: str
    text: str
    confidence: float
    log_probability: float
    no_answer: bool


# A processor gains nothing from reading many contexts at once and computes padding like tokens. Where somebody waits
# for each answer, few are decoded together as well: small batches end sooner when nobody waits for them any more.
_TOKENS_ON_CPU: Final = 1024
_SHORTEST_ON_CPU: Final = 0.75


@dataclass(frozen=True, slots=True)
class _Task:
    """Questions on one window of a context."""

    prefix: tuple[int, ...]
    prompts: tuple[tuple[int, ...], ...]
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.prefix) + sum(map(len, self.prompts))


class Asking:
    """How questions are put to a model, whichever it is.

    Args:
        encoder: Of the model's tokeniser.
        hardware: Device and precision of the model.
        settings: Length of the answers and how many questions are answered at once.
        max_context: Longest context in tokens; a longer one is read in windows.
        contexts: Keeps the contexts that one model read; None reads each anew.
    """

    def __init__(
        self,
        encoder: PromptEncoder,
        hardware: Hardware,
        settings: ScoringSettings,
        max_context: int,
        contexts: ContextCache | None = None,
    ) -> None:
        self.settings, self.hardware = settings, hardware
        self._encoder, self._max_context, self._contexts = encoder, max_context, contexts
        self._shares: bool | None = None

    def answer(
        self, model: Any, passages: Iterable[Passage], wanted: Callable[[], bool] = lambda: True
    ) -> Iterator[Prediction]:
        """Answer all questions, each once, in an order of its own.

        Args:
            model: As it stands.
            passages: Contexts with questions; gold answers are not looked at.
            wanted: Asked before each batch; False ends the work.
        """
        tasks = [task for passage in passages for task in self._tasks(passage)]
        windows: dict[str, int] = {}
        for task in tasks:
            for question in task.ids:
                windows[question] = windows.get(question, 0) + 1
        best: dict[str, Prediction] = {}
        served = self._contexts is not None
        for batch in _batches(tasks, self.settings.batch_size, small=served and self.hardware.device == "cpu"):
            if not wanted():
                return
            for found in self._answered(model, batch):
                best[found.id] = _better(best.get(found.id), found)
                windows[found.id] -= 1
                if windows[found.id] == 0:
                    yield best.pop(found.id)

    def _tasks(self, passage: Passage) -> Iterator[_Task]:
        prompts = tuple(tuple(self._encoder.prompt(question.text)) for question in passage.questions)
        ids = tuple(question.id for question in passage.questions)
        size = self.settings.batch_size
        for window in windows_of(self._encoder, passage.context, self._max_context):
            prefix = tuple(self._encoder.prefix(passage.context[window.start : window.end]))
            for first in range(0, len(ids), size):
                yield _Task(prefix, prompts[first : first + size], ids[first : first + size])

    def _answered(self, model: Any, tasks: Sequence[_Task]) -> Iterator[Prediction]:
        rows = [prompt_row(task.prefix, task.prompts) for task in tasks]
        how: dict[str, Any] = {
            "end_token": self._encoder.end_token,
            "max_new_tokens": self.settings.max_new_tokens,
            "device": self.hardware.device,
        }
        if self._shares is None:
            trial = [prompt_row(task.prefix, task.prompts, answer=(self._encoder.end_token,)) for task in tasks]
            self._shares = can_share_contexts(model, trial, self.hardware, pad_token=self._encoder.end_token)
        if self._shares:
            at_once = _TOKENS_ON_CPU if self.hardware.device == "cpu" else None
            answers = generate(model, rows, contexts=self._contexts, tokens_at_once=at_once, **how)
        else:
            answers = [
                generate_plain(model, [[*task.prefix, *prompt] for prompt in task.prompts], **how) for task in tasks
            ]
        for task, found in zip(tasks, answers, strict=True):
            for question, answer in zip(task.ids, found, strict=True):
                yield self._prediction(question, answer)

    def _prediction(self, question: str, answer: Generated) -> Prediction:
        text = self._encoder.decode(answer.ids)
        total = sum(answer.log_probabilities)
        confidence = math.exp(total / len(answer.log_probabilities))
        return Prediction(question, text, round(confidence, 6), round(total, 6), not text)


def _better(held: Prediction | None, found: Prediction) -> Prediction:
    """Of the answers from several windows of a context: an answer before none, then the more confident."""
    if held is None or (not found.no_answer, found.confidence) > (not held.no_answer, held.confidence):
        return found
    return held


def _batches(tasks: Sequence[_Task], size: int, *, small: bool) -> Iterator[list[_Task]]:
    """Tasks of like length together, with at most `size` questions; longest first, so that memory runs out early."""
    batch: list[_Task] = []
    for task in sorted(tasks, key=len, reverse=True):
        if batch and not _fits(batch, task, size, small=small):
            yield batch
            batch = []
        batch.append(task)
    if batch:
        yield batch


def _fits(batch: Sequence[_Task], task: _Task, size: int, *, small: bool) -> bool:
    longest = len(batch[0])
    if small and (len(task) < _SHORTEST_ON_CPU * longest or longest * (len(batch) + 1) > _TOKENS_ON_CPU):
        return False
    return sum(len(each.ids) for each in batch) + len(task.ids) <= size
