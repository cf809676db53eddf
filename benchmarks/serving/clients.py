"""Clients that ask as soon as they have their answer, and what they saw."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

Ask = tuple[str, tuple[str, ...]]
"""A context and the questions of one request."""
_UNAVAILABLE = 503


class Askable(Protocol):
    """How a server is asked."""

    def ask(self, client: httpx.Client, ask: Ask) -> tuple[str, tuple[str, ...]]:
        """One request: the release that answered, and the answers."""
        ...


@dataclass
class Seen:
    """What clients saw."""

    seconds: list[float] = field(default_factory=list)
    questions: int = 0
    failed: list[str] = field(default_factory=list)
    refused_connections: int = 0
    broken_answers: int = 0
    not_ready: int = 0
    releases: list[str] = field(default_factory=list)
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    wall: float = 0.0

    def add(self, other: Seen) -> None:
        """Take in another span."""
        self.seconds += other.seconds
        self.questions += other.questions
        self.failed += other.failed
        self.wall += other.wall
        self.answers |= other.answers

    def document(self) -> dict[str, Any]:
        """Rates and quantiles."""
        cuts = statistics.quantiles(self.seconds, n=20) if len(self.seconds) > 1 else [0.0] * 19
        return {
            "requests": len(self.seconds),
            "questions": self.questions,
            "questions_per_second": round(self.questions / self.wall, 2) if self.wall else 0.0,
            "p50_ms": round(1000 * cuts[9]),
            "p95_ms": round(1000 * cuts[18]),
            "failed": len(self.failed),
        }

    def interruptions(self) -> dict[str, Any]:
        """What a swap or a crash did to them."""
        return {
            **self.document(),
            "failures": sorted(set(self.failed)),
            "connections_refused_and_tried_again": self.refused_connections,
            "answers_broken_off_and_asked_again": self.broken_answers,
            "told_not_ready_and_tried_again": self.not_ready,
            "releases_in_order": [name for name, _ in itertools.groupby(self.releases)],
        }


def drive(
    server: Askable,
    address: str,
    asks: Sequence[Ask],
    clients: int,
    until: Callable[[], bool],
    *,
    retry: bool = False,
    headers: dict[str, str] | None = None,
) -> Seen:
    """Ask with some clients at once.

    Args:
        server: How to ask.
        address: Where.
        asks: Asked in turn, by all clients together.
        clients: How many.
        until: Asked before each request.
        retry: Try again when the connection fails or the server is not ready yet; else that counts as failed.
        headers: Of each request.
    """
    seen, lock, rounds = Seen(), threading.Lock(), itertools.cycle(asks)

    def client() -> None:
        with httpx.Client(base_url=address, timeout=300, headers=headers) as http:
            while not until():
                with lock:
                    ask = next(rounds)
                started = time.monotonic()
                found = _asked(server, http, ask, seen, retry=retry)
                if found is None:
                    continue
                with lock:
                    seen.seconds.append(time.monotonic() - started)
                    seen.questions += len(ask[1])
                    seen.releases.append(found[0][7:19])
                    seen.answers |= {(ask[0], question): text for question, text in zip(ask[1], found[1], strict=True)}

    threads = [threading.Thread(target=client) for _ in range(clients)]
    started = time.monotonic()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    seen.wall = time.monotonic() - started
    return seen


def after(seconds: float) -> Callable[[], bool]:
    """Whether some time from now is over."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _asked(
    server: Askable, http: httpx.Client, ask: Ask, seen: Seen, *, retry: bool
) -> tuple[str, tuple[str, ...]] | None:
    while True:
        try:
            return server.ask(http, ask)
        except httpx.TransportError as error:
            if not retry:
                seen.failed.append(type(error).__name__)
                return None
            if isinstance(error, httpx.ConnectError):
                seen.refused_connections += 1
            else:
                seen.broken_answers += 1
        except httpx.HTTPStatusError as error:
            if not retry or error.response.status_code != _UNAVAILABLE:
                seen.failed.append(str(error.response.status_code))
                return None
            seen.not_ready += 1
        time.sleep(0.1)
