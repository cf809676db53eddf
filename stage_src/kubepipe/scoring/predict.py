"""Answers of a language model to questions on their contexts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import ModelNotFoundError, SettingsError
from kubepipe.passages.model import Passage
from kubepipe.scoring.contexts import ContextCache
from kubepipe.scoring.decode import Generated, generate, prompt_row
from kubepipe.scoring.plain import generate_plain
from kubepipe.settings import ScoringSettings, TrainingSettings
from kubepipe.training.hardware import choose_hardware
from kubepipe.training.loading import load_model, load_tokenizer
from kubepipe.training.models import ADAPTER, BASE, CONFIG, TUNED, resolve_model
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


# A processor gains nothing from large batches (measured: 0.88 CPU seconds a question alone, 0.90 in a batch of six
# contexts) and computes padding like tokens; small ones end sooner when nobody waits for them any more.
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


class Predictor:
    """A model that answers questions; tuned and untuned share one copy in memory.

    Args:
        folder: What fine-tuning wrote, or any folder with a causal language model.
        settings: Length of the answers and how many questions are answered at once.
        training: Device, precision, threads, longest context.
        contexts: Keeps the contexts that were read; None reads each anew.

    Raises:
        ModelNotFoundError: The folder holds no model.
        SettingsError: A GPU is asked for and there is none.
    """

    def __init__(
        self,
        folder: Path,
        settings: ScoringSettings,
        training: TrainingSettings,
        contexts: ContextCache | None = None,
    ) -> None:
        self.settings, self._contexts = settings, contexts
        self.hardware = choose_hardware(training)
        self.is_tuned = (folder / BASE / CONFIG).is_file()
        if not self.is_tuned and not (folder / CONFIG).is_file():
            raise ModelNotFoundError("holds no language model", place=str(folder), remedy="Give a run's model folder")
        self._folder = folder
        self._base = folder / BASE if self.is_tuned else folder
        self._encoder = PromptEncoder(load_tokenizer(self._base))
        self._max_context = training.max_tokens
        self._model: Any = None
        self._holds_adapter = False
        self._shares: bool | None = None

    def answer(
        self,
        passages: Iterable[Passage],
        *,
        adapter: bool | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Iterator[Prediction]:
        """Answer all questions, each once, in an order of its own.

        Args:
            passages: Contexts with questions; gold answers are not looked at.
            adapter: Whether the fine-tuned model answers, or the model as it came; None takes the tuned one where there
                is one. Asking the untuned one first saves a load.
            wanted: Asked before each batch; False ends the work.

        Raises:
            SettingsError: The tuned model is asked for and there is none.
        """
        model = self._ready(adapter=self.is_tuned if adapter is None else adapter)
        tasks = [task for passage in passages for task in self._tasks(passage)]
        windows: dict[str, int] = {}
        for task in tasks:
            for question in task.ids:
                windows[question] = windows.get(question, 0) + 1
        best: dict[str, Prediction] = {}
        for batch in _batches(tasks, self.settings.batch_size, on_cpu=self.hardware.device == "cpu"):
            if not wanted():
                return
            for found in self._answered(model, batch):
                best[found.id] = _better(best.get(found.id), found)
                windows[found.id] -= 1
                if windows[found.id] == 0:
                    yield best.pop(found.id)

    def _ready(self, *, adapter: bool) -> Any:
        if adapter and not self.is_tuned:
            raise SettingsError("is a plain model, without a tuned one beside it", place=str(self._folder))
        if self._model is None or (self._holds_adapter and not adapter):
            self._model = load_model(self._base, dtype=self.hardware.dtype(), device=self.hardware.device)
            self._holds_adapter = False
            self._forget_contexts()
        if adapter and not self._holds_adapter:
            self._model = self._tuned()
            self._holds_adapter = True
            self._forget_contexts()
        return self._model

    def _forget_contexts(self) -> None:
        if self._contexts is not None:
            self._contexts.clear()

    def _tuned(self) -> Any:
        if (self._folder / TUNED / CONFIG).is_file():
            return load_model(self._folder / TUNED, dtype=self.hardware.dtype(), device=self.hardware.device)
        from peft import PeftModel
        from safetensors import SafetensorError

        try:
            # Merged, since adapters beside the weights double the time of a decoding step.
            return PeftModel.from_pretrained(self._model, str(self._folder / ADAPTER)).merge_and_unload().eval()
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ModelNotFoundError(
                f"holds no adapter that fits the model beside it ({type(error).__name__})",
                place=str(self._folder / ADAPTER),
                remedy="Fine-tune again",
            ) from error

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
            answers = generate(model, rows, contexts=self._contexts, **how)
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


def open_predictor(model: str, settings: ScoringSettings, training: TrainingSettings, *, online: bool) -> Predictor:
    """A predictor of a run's model folder, a folder with a causal language model, or the name of one.

    Raises:
        ModelNotFoundError: It names no model on this machine.
    """
    folder = Path(model).expanduser()
    if (folder / BASE / CONFIG).is_file():
        return Predictor(folder, settings, training)
    return Predictor(resolve_model(model, online=online).path, settings, training)


def _better(held: Prediction | None, found: Prediction) -> Prediction:
    """Of the answers from several windows of a context: an answer before none, then the more confident."""
    if held is None or (not found.no_answer, found.confidence) > (not held.no_answer, held.confidence):
        return found
    return held


def _batches(tasks: Sequence[_Task], size: int, *, on_cpu: bool) -> Iterator[list[_Task]]:
    """Tasks of like length together, with at most `size` questions; longest first, so that memory runs out early."""
    batch: list[_Task] = []
    for task in sorted(tasks, key=len, reverse=True):
        if batch and not _fits(batch, task, size, on_cpu=on_cpu):
            yield batch
            batch = []
        batch.append(task)
    if batch:
        yield batch


def _fits(batch: Sequence[_Task], task: _Task, size: int, *, on_cpu: bool) -> bool:
    longest = len(batch[0])
    if on_cpu and (len(task) < _SHORTEST_ON_CPU * longest or longest * (len(batch) + 1) > _TOKENS_ON_CPU):
        return False
    return sum(len(each.ids) for each in batch) + len(task.ids) <= size
