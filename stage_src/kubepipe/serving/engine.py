"""The queue before the model: bounded, batched over concurrent requests, and open to a swap between two batches."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from kubepipe.errors import KubePipeError
from kubepipe.passages.model import Passage, Question
from kubepipe.scoring import Prediction

_LOG = structlog.get_logger(__name__)


class QueueFullError(KubePipeError):
    """Too many questions wait already."""


class NotReadyError(KubePipeError):
    """No release is loaded."""


class Answerer(Protocol):
    """What the engine needs of a loaded release."""

    @property
    def digest(self) -> str:
        """Digest of the release."""
        ...

    @property
    def threads(self) -> int:
        """CPU threads of the model."""
        ...

    def answer(self, passages: Sequence[Passage], wanted: Callable[[], bool]) -> Iterable[Prediction]:
        """Answers as they are found; ends early when `wanted` says between two steps that nobody waits any more."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request came to.

    Attributes:
        release: Digest of the release that answered.
        predictions: In the order of the questions.
    """

    release: str
    predictions: tuple[Prediction, ...]


@dataclass(eq=False, slots=True)
class Job:
    """A request that waits or is computed."""

    context: str
    questions: tuple[str, ...]
    deadline: float
    future: Future[Answered] = field(default_factory=Future)
    _is_given_up: bool = False

    def give_up(self) -> None:
        """Nobody waits for it any more; one that is computed already cannot be cancelled, but it can be stopped."""
        self._is_given_up = True
        self.future.cancel()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits for it."""
        return not self._is_given_up and not self.future.done() and time.monotonic() < self.deadline


class Engine:
    """One thread that computes, and the queue before it.

    Args:
        batch_size: Most questions of a batch; a request with more makes a batch of its own.
        queue_questions: Most questions that wait.
        observe: Told of each batch: questions, requests, seconds.
    """

    def __init__(self, batch_size: int, queue_questions: int, observe: Any = None) -> None:
        self._batch_size, self._limit, self._observe = batch_size, queue_questions, observe
        self._condition = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._loaded: Answerer | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="answers", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch that is computed; what waits is refused."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def loaded(self) -> Answerer | None:
        """The release that answers."""
        return self._loaded

    def swap(self, loaded: Answerer) -> None:
        """Let another release answer from the next batch on."""
        with self._condition:
            self._loaded = loaded

    @property
    def waiting(self) -> int:
        """Questions that wait and that somebody waits for."""
        return sum(len(job.questions) for job in tuple(self._jobs) if job.is_wanted)

    def submit(self, job: Job) -> None:
        """Put a request into the queue.

        Raises:
            NotReadyError: No release is loaded, or the server is being stopped.
            QueueFullError: Too many questions wait. A request is always taken when nothing waits.
        """
        with self._condition:
            if self._loaded is None or self._stopping:
                raise NotReadyError("no release is loaded" if self._loaded is None else "the server is being stopped")
            self._drop_unwanted()
            waiting = self.waiting
            if waiting and waiting + len(job.questions) > self._limit:
                raise QueueFullError(f"{waiting} questions wait already")
            self._jobs.append(job)
            self._condition.notify()

    def _drop_unwanted(self) -> None:
        """Clients that have gone take no room from those that come."""
        unwanted = [job for job in self._jobs if not job.is_wanted]
        for job in unwanted:
            job.future.cancel()
            self._jobs.remove(job)

    def _work(self) -> None:
        threads = 0
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._jobs or self._stopping)
                if self._stopping:
                    break
                batch, loaded = self._next_batch(), self._loaded
            if not batch or loaded is None:
                # A release that is replaced meanwhile must not stay in memory until the next request.
                del batch, loaded
                continue
            if loaded.threads != threads:
                # OpenMP counts threads for each thread that computes.
                import torch

                threads = loaded.threads
                torch.set_num_threads(threads)
            self._compute(batch, loaded)
            del batch, loaded
        for job in self._jobs:
            job.future.cancel()

    def _next_batch(self) -> list[Job]:
        """Requests from the front of the queue, as many as fit; those that nobody waits for are dropped."""
        batch: list[Job] = []
        count = 0
        while self._jobs and (not batch or count + len(self._jobs[0].questions) <= self._batch_size):
            job = self._jobs.popleft()
            if not job.is_wanted:
                job.future.cancel()
            elif job.future.set_running_or_notify_cancel():
                batch.append(job)
                count += len(job.questions)
        return batch

    def _compute(self, batch: Sequence[Job], loaded: Answerer) -> None:
        started = time.monotonic()
        found: dict[str, Prediction] = {}
        try:
            for each in loaded.answer(_passages(batch), lambda: any(job.is_wanted for job in batch)):
                found[each.id] = each
                number = int(each.id.partition(".")[0])
                names = [_id(number, part) for part in range(len(batch[number].questions))]
                # A request does not wait for the others of its batch.
                if all(name in found for name in names):
                    answered = Answered(loaded.digest, tuple(found[name] for name in names))
                    batch[number].future.set_result(answered)
        except Exception as error:  # noqa: BLE001 - a request that fails must not end the server
            # The words of a foreign error may quote the request.
            _LOG.error("batch failed", error=type(error).__name__, requests=len(batch))
            for job in batch:
                if not job.future.done():
                    job.future.set_exception(KubePipeError(f"unexpected {type(error).__name__}"))
        if self._observe is not None:
            self._observe(len(found), len(batch), time.monotonic() - started)


def _passages(batch: Sequence[Job]) -> list[Passage]:
    """One passage per context: requests on the same context share its cache."""
    grouped: dict[str, list[Question]] = {}
    for number, job in enumerate(batch):
        questions = (Question(_id(number, part), text, ()) for part, text in enumerate(job.questions))
        grouped.setdefault(job.context, []).extend(questions)
    return [
        Passage(str(number), str(number), context, tuple(questions))
        for number, (context, questions) in enumerate(grouped.items())
    ]


def _id(job: int, question: int) -> str:
    return f"{job}.{question}"
