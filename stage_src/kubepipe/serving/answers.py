"""One request for answers, from its checked body to its response."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.requests import Request

from kubepipe.serving.engine import Answered, Engine, Job, NotReadyError, QueueFullError
from kubepipe.serving.loaded import Loaded, Size
from kubepipe.serving.schema import Answer, Answers, Ask
from kubepipe.settings import ServingSettings


class RefusedError(Exception):
    """A request that is not answered.

    Args:
        status: HTTP status.
        code: Short name of the reason.
        message: One line, without anything of the request.
        retry_after: Seconds after which the client may try again.
    """

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after
        super().__init__(message)


async def answer(ask: Ask, request: Request, engine: Engine, limits: ServingSettings) -> Answers:
    """Answer the questions.

    Raises:
        RefusedError: Too much, too long, too many at once, or the client hung up.
    """
    if len(ask.questions) > limits.max_questions:
        raise RefusedError(422, "too-many-questions", f"more than {limits.max_questions} questions")
    loaded = engine.loaded
    if not isinstance(loaded, Loaded):
        raise RefusedError(503, "not-ready", "no release is loaded; /readyz says why", 5)
    deadline, context = time.monotonic() + limits.request_seconds, ask.context.strip()
    size = await _size(loaded, context, ask.questions, limits.request_seconds)
    if size.tokens > limits.max_request_tokens:
        raise RefusedError(413, "too-many-tokens", f"{size.tokens} tokens, more than {limits.max_request_tokens}")
    job = Job(context, tuple(ask.questions), deadline)
    try:
        engine.submit(job)
    except QueueFullError as error:
        raise RefusedError(429, "busy", "too many questions wait already; try again", 1) from error
    except NotReadyError as error:
        raise RefusedError(503, "not-ready", error.message, 5) from error
    answered = await _wait(job, request, limits.request_seconds)
    lead = ask.context.index(context)
    notes = [] if size.windows == 1 else [_windowed(size.windows)]
    return Answers(
        release=answered.release,
        windows=size.windows,
        notes=notes,
        answers=[_answer(each, context, lead) for each in answered.predictions],
    )


async def _size(loaded: Loaded, context: str, questions: list[str], seconds: float) -> Size:
    """How much a request is; counting goes on in its thread when time is up, but nobody waits for it."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(loaded.size, context, questions), seconds)
    except TimeoutError as error:
        raise _too_slow(seconds) from error


async def _wait(job: Job, request: Request, seconds: float) -> Answered:
    """The result, unless time is up or the client is gone first; nobody computes for a client that is gone."""
    result = asyncio.wrap_future(job.future)
    gone = asyncio.create_task(_gone(request))
    try:
        both: set[asyncio.Future[Any]] = {result, gone}
        left = max(0.0, job.deadline - time.monotonic())
        await asyncio.wait(both, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if result.done() and not result.cancelled():
            failure = result.exception()
            if failure is not None:
                raise RefusedError(500, "failed", "the model could not answer")
            return result.result()
        if gone.done():
            raise RefusedError(499, "client-gone", "the client hung up")
        if result.cancelled() and time.monotonic() < job.deadline:
            raise RefusedError(503, "not-ready", "the server is being stopped", 5)
        raise _too_slow(seconds)
    finally:
        job.give_up()
        result.cancel()
        gone.cancel()


def _too_slow(seconds: float) -> RefusedError:
    return RefusedError(504, "too-slow", f"not answered within {seconds:g} s", 1)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _answer(found: Any, context: str, lead: int) -> Answer:
    """An answer with its place in the caller's own text, in which `lead` characters stand before the context."""
    place = context.find(found.text) if found.text else -1
    stands, start = place >= 0, lead + place
    return Answer(
        answer=found.text,
        no_answer=found.no_answer,
        confidence=found.confidence,
        start=start if stands else None,
        end=start + len(found.text) if stands else None,
    )


def _windowed(windows: int) -> str:
    return (
        f"The context is longer than the model reads at once. It was read in {windows} overlapping windows, and the "
        "most confident answer of them was taken."
    )
