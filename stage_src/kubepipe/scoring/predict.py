"""Answers of a language model to questions on their contexts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from kubepipe.errors import ModelNotFoundError, SettingsError
from kubepipe.passages.model import Passage
from kubepipe.scoring.asking import Asking, Prediction
from kubepipe.scoring.contexts import ContextCache
from kubepipe.settings import ScoringSettings, TrainingSettings
from kubepipe.training.hardware import choose_hardware
from kubepipe.training.loading import load_model, load_tokenizer
from kubepipe.training.models import ADAPTER, BASE, CONFIG, TUNED, resolve_model
from kubepipe.training.prompt import PromptEncoder


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
        self._contexts = contexts
        self.hardware = choose_hardware(training)
        self.is_tuned = (folder / BASE / CONFIG).is_file()
        if not self.is_tuned and not (folder / CONFIG).is_file():
            raise ModelNotFoundError("holds no language model", place=str(folder), remedy="Give a run's model folder")
        self._folder = folder
        self._base = folder / BASE if self.is_tuned else folder
        encoder = PromptEncoder(load_tokenizer(self._base))
        self._asking = Asking(encoder, self.hardware, settings, training.max_tokens, contexts)
        self._model: Any = None
        self._holds_adapter = False

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
        yield from self._asking.answer(model, passages, wanted)

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


def open_predictor(model: str, settings: ScoringSettings, training: TrainingSettings, *, online: bool) -> Predictor:
    """A predictor of a run's model folder, a folder with a causal language model, or the name of one.

    Raises:
        ModelNotFoundError: It names no model on this machine.
    """
    folder = Path(model).expanduser()
    if (folder / BASE / CONFIG).is_file():
        return Predictor(folder, settings, training)
    return Predictor(resolve_model(model, online=online).path, settings, training)
