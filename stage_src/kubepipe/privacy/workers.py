"""The same work on many items by several processes, with the results in order."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Final, TypeVar

from kubepipe.errors import KubePipeError

AHEAD: Final = 3
"""Items under way for each process: enough that none waits, few enough that memory stays flat."""

K = TypeVar("K")
A = TypeVar("A")
R = TypeVar("R")
_work: Callable[[Any], Any] | None = None


def in_order(work: Callable[[A], R], items: Iterable[tuple[K, A]], processes: int) -> Iterator[tuple[K, R]]:
    """Each item's key with what `work` makes of its argument.

    The processes are forked: they share what `work` holds (a model, a vocabulary) with this one, and nothing of it is
    sent. Arguments and results are, so they must be picklable. Items are taken a few ahead.

    Args:
        work: What is done; it must not depend on what it did before.
        items: Keys, which stay here, and arguments.
        processes: How many; 1 works in this process, item by item.

    Raises:
        KubePipeError: A process was killed.
    """
    if processes == 1:
        yield from ((key, work(argument)) for key, argument in items)
        return
    waiting: deque[tuple[K, Future[R]]] = deque()
    pool = ProcessPoolExecutor(processes, mp_context=get_context("fork"), initializer=_begin, initargs=(work,))
    try:
        for key, argument in items:
            waiting.append((key, pool.submit(_do, argument)))
            if len(waiting) >= AHEAD * processes:
                yield _taken(waiting)
        while waiting:
            yield _taken(waiting)
    except BrokenProcessPool as error:
        raise KubePipeError(
            f"one of {processes} processes was killed, most likely for want of memory",
            place="processes",
            remedy="Set processes lower, or give the step more memory",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _taken(waiting: deque[tuple[K, Future[R]]]) -> tuple[K, R]:
    key, future = waiting.popleft()
    return key, future.result()


def _begin(work: Callable[[Any], Any]) -> None:
    # Whoever stops the step stops its first process, which ends these.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _work  # noqa: PLW0603 what this process does, for all of its life
    _work = work


def _do(argument: Any) -> Any:
    if _work is None:
        raise AssertionError("a process that was not begun")
    return _work(argument)
