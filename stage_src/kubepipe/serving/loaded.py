"""A verified release in memory, ready to answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kubepipe.passages.model import Passage, Question
from kubepipe.releases import Verified
from kubepipe.scoring import Prediction, Predictor
from kubepipe.scoring.contexts import ContextCache
from kubepipe.settings import Settings
from kubepipe.training.loading import load_tokenizer
from kubepipe.training.models import BASE
from kubepipe.training.prompt import PromptEncoder
from kubepipe.training.windows import windows_of

_SAMPLE = Passage(
    "warm-up",
    "warm-up",
    "The sun rises in the east.",
    (Question("1", "Where does the sun rise?", ()), Question("2", "What rises?", ())),
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much a request is.

    Attributes:
        tokens: Of the context and all questions.
        windows: Pieces that the context is read in; 1 where it fits.
    """

    tokens: int
    windows: int


class Loaded:
    """A release with its model.

    Args:
        verified: The release; it was checked, and nothing of it is loaded before.
        settings: Hardware and batch size; lengths are those that the release was trained and scored with.
        looked: Told for each context of a batch whether it was read before.
    """

    def __init__(self, verified: Verified, settings: Settings, looked: Callable[[bool], None] = lambda _: None) -> None:
        self.verified = verified
        lengths = verified.record["inference"]
        self._max_tokens = int(lengths["max_tokens"])
        scoring = settings.scoring.model_copy(
            update={"max_new_tokens": int(lengths["max_new_tokens"]), "batch_size": settings.serving.batch_size}
        )
        training = settings.training.model_copy(update={"max_tokens": self._max_tokens})
        megabytes = settings.serving.context_cache_mb
        self._contexts = ContextCache(megabytes * 2**20, looked) if megabytes else None
        self._predictor = Predictor(verified.model, scoring, training, self._contexts)
        # Requests are measured while the predictor works in another thread, and tokenisers are not to be shared.
        self._encoder = PromptEncoder(load_tokenizer(verified.model / BASE))
        self._lock = threading.Lock()
        # Loads the weights and tries whether contexts can be shared, before the first request comes.
        list(self.answer([_SAMPLE]))

    @property
    def digest(self) -> str:
        """Digest of the release."""
        return self.verified.digest

    @property
    def context_bytes(self) -> int:
        """Bytes of the contexts that are kept."""
        return self._contexts.held_bytes if self._contexts is not None else 0

    @property
    def threads(self) -> int:
        """CPU threads of the model."""
        return self._predictor.hardware.threads

    def size(self, context: str, questions: Sequence[str]) -> Size:
        """How much a request is; may be called from any thread."""
        with self._lock:
            tokens = len(self._encoder.prefix(context)) + sum(len(self._encoder.prompt(each)) for each in questions)
            return Size(tokens, len(windows_of(self._encoder, context, self._max_tokens)))

    def answer(self, passages: Iterable[Passage], wanted: Callable[[], bool] = lambda: True) -> Iterator[Prediction]:
        """Answers as they are found; each context is computed once for all its questions.

        Args:
            passages: Contexts with questions.
            wanted: Asked between two batches; False ends the work.
        """
        return self._predictor.answer(passages, wanted=wanted)
