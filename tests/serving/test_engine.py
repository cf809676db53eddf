"""The queue before the model, with a model that answers when the test lets it."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from kubepipe.passages.model import Passage
from kubepipe.scoring import Prediction
from kubepipe.serving.engine import Engine, Job, NotReadyError, QueueFullError


class Model:
    """Answers each question with its own words, once it is let."""

    threads = 1

    def __init__(self, digest: str = "sha256:a") -> None:
        self.digest = digest
        self.go, self.entered = threading.Event(), threading.Event()
        self.contexts_left = threading.Semaphore(1000)
        self.batches: list[list[tuple[str, int]]] = []

    def answer(self, passages: Sequence[Passage], wanted: Callable[[], bool]) -> Iterator[Prediction]:
        """Wait, then answer unless nobody waits any more."""
        self.entered.set()
        assert self.go.wait(30)
        self.batches.append([(each.context, len(each.questions)) for each in passages])
        if any(each.context == "broken" for each in passages):
            raise ValueError("Anna Schmidt")
        for each in passages:
            assert self.contexts_left.acquire(timeout=30)
            if not wanted():
                return
            for question in each.questions:
                yield Prediction(question.id, question.text, 1.0, 0.0, no_answer=False)


def job(context: str = "c", *questions: str, seconds: float = 30.0) -> Job:
    """A request."""
    return Job(context, questions or ("q",), time.monotonic() + seconds)


@pytest.fixture
def model() -> Model:
    """The model."""
    return Model()


@pytest.fixture
def engine(model: Model) -> Iterator[Engine]:
    """An engine with batches of 4 and room for 6, whose first batch is held up."""
    made = Engine(4, 6)
    made.swap(model)
    made.start()
    yield made
    model.go.set()
    made.stop()


def held(engine: Engine, model: Model) -> Job:
    """A first request that is being computed."""
    first = job()
    engine.submit(first)
    assert model.entered.wait(30)
    return first


def test_requests_that_wait_make_one_batch_and_share_contexts(engine: Engine, model: Model) -> None:
    """As many as fit, in their order, one passage per context."""
    first = held(engine, model)
    jobs = [job("a", "1"), job("b", "2"), job("a", "3", "4"), job("a", "5")]
    for each in jobs:
        engine.submit(each)
    model.go.set()
    texts = [[each.text for each in job_.future.result(30).predictions] for job_ in jobs]
    assert texts == [["1"], ["2"], ["3", "4"], ["5"]]
    assert model.batches == [[("c", 1)], [("a", 3), ("b", 1)], [("a", 1)]]
    assert first.future.result(30).release == "sha256:a"


def test_a_full_queue_refuses(engine: Engine, model: Model) -> None:
    """Questions beyond the bound are refused at once; one that is larger than the queue is taken when nothing waits."""
    held(engine, model)
    engine.submit(job("c", *"1234567"))
    with pytest.raises(QueueFullError, match="7 questions wait"):
        engine.submit(job())
    model.go.set()


def test_who_is_gone_takes_no_room_from_who_comes(engine: Engine, model: Model) -> None:
    """The places of clients that have gone or are past their time are free."""
    held(engine, model)
    gone, late = job("gone", *"123"), job("late", *"456", seconds=-1.0)
    engine.submit(gone)
    engine.submit(late)
    gone.give_up()
    wanted = job("wanted", *"123456")
    engine.submit(wanted)
    assert engine.waiting == 6
    model.go.set()
    assert wanted.future.result(30).release


def test_a_release_that_was_replaced_leaves_memory(waits: Callable[..., None]) -> None:
    """Also when the last request that it could have answered was given up."""
    engine, old = Engine(4, 6), Model()
    known = weakref.ref(old)
    engine.swap(old)
    given_up = job()
    engine.submit(given_up)
    given_up.give_up()
    engine.start()
    waits(lambda: not engine._jobs)
    engine.swap(Model("sha256:b"))
    del old
    waits(lambda: known() is None)
    engine.stop()


def test_nobody_computes_for_a_client_that_is_gone_or_too_late(engine: Engine, model: Model) -> None:
    """What was cancelled or is past its time leaves the queue."""
    held(engine, model)
    gone, late, wanted = job("gone"), job("late", seconds=-1.0), job("wanted")
    for each in (gone, late, wanted):
        engine.submit(each)
    gone.future.cancel()
    model.go.set()
    assert wanted.future.result(30).release
    assert [context for batch in model.batches for context, _ in batch] == ["c", "wanted"]
    assert late.future.cancelled()


def test_a_request_does_not_wait_for_the_others_of_its_batch(engine: Engine, model: Model) -> None:
    """It is answered once its own context was computed."""
    held(engine, model)
    quick, slow = job("a"), job("b")
    engine.submit(quick)
    engine.submit(slow)
    model.contexts_left = threading.Semaphore(2)
    model.go.set()
    assert quick.future.result(30).release
    assert not slow.future.done()
    model.contexts_left.release()
    assert slow.future.result(30).release
    assert model.batches[-1] == [("a", 1), ("b", 1)]


def test_a_batch_that_nobody_waits_for_is_stopped(engine: Engine, model: Model) -> None:
    """What is computed already is told so, and the requests behind it come to their turn."""
    first = held(engine, model)
    first.give_up()
    second = job("wanted")
    engine.submit(second)
    model.go.set()
    assert second.future.result(30).release
    assert not first.future.done()


def test_a_batch_goes_on_while_somebody_waits(engine: Engine, model: Model) -> None:
    """One client that is gone stops nobody else's request."""
    held(engine, model)
    gone, wanted = job("gone"), job("wanted")
    engine.submit(gone)
    engine.submit(wanted)
    gone.give_up()
    model.go.set()
    assert wanted.future.result(30).release


def test_a_swap_takes_place_between_two_batches(engine: Engine, model: Model) -> None:
    """What is being computed is answered by the old release, what waits by the new one; none fails."""
    first = held(engine, model)
    second = job()
    engine.submit(second)
    newer = Model("sha256:b")
    newer.go.set()
    engine.swap(newer)
    model.go.set()
    assert (first.future.result(30).release, second.future.result(30).release) == ("sha256:a", "sha256:b")


def test_a_batch_that_fails_ends_its_requests_only(engine: Engine, model: Model, capfd: Any) -> None:
    """The words of the error stay out of log and answer, and the next batch is computed."""
    model.go.set()
    broken, whole = job("broken"), job()
    engine.submit(broken)
    error = broken.future.exception(30)
    engine.submit(whole)
    assert whole.future.result(30)
    assert "Schmidt" not in str(error) + "".join(capfd.readouterr())


def test_without_a_release_nothing_is_taken() -> None:
    """The client is told to come back."""
    with pytest.raises(NotReadyError):
        Engine(4, 6).submit(job())
