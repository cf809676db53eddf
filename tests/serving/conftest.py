"""A server on a release of the tiny model, as a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from kubepipe.serving import Source
from kubepipe.serving.app import Parts, make_app
from kubepipe.serving.server import make_parts
from kubepipe.settings import load_settings

TOKEN = "secret-token"
# A random model's choices are close: only in full precision are they the same in a batch and alone.
_QUICK = ("training.threads=1", "training.precision=fp32", "serving.watch_seconds=0.05")


@dataclass
class Served:
    """A running server and a client for it."""

    client: httpx.Client
    parts: Parts
    server: uvicorn.Server

    def ask(self, context: str = "Ada was born in London.", *questions: str, **options: Any) -> httpx.Response:
        """Post questions."""
        body = {"context": context, "questions": list(questions or ("Where?",))}
        return self.client.post("/v1/answers", json=body, **options)


@pytest.fixture
def serve_source() -> Callable[..., Any]:
    """Serves a source while the context lasts."""

    @contextmanager
    def run(source: Source, *overrides: str, watch: bool = True, token: str | None = TOKEN) -> Iterator[Served]:
        settings = load_settings(overrides=[*_QUICK, *overrides])
        parts = make_parts(source, settings, token)
        parts.watcher.look()
        parts.engine.start()
        if watch:
            parts.watcher.start()
        server = uvicorn.Server(
            uvicorn.Config(
                make_app(parts),
                port=0,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=120,
            )
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        wait_for(lambda: server.started)
        address = server.servers[0].sockets[0].getsockname()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{address[1]}", headers=headers, timeout=60) as client:
                yield Served(client, parts, server)
        finally:
            server.should_exit = True
            thread.join()
            parts.watcher.stop()
            parts.engine.stop()

    return run


def wait_for(done: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "did not come to hold in time"
        time.sleep(0.01)


@pytest.fixture
def source(ledger: Any, tmp_path: Path) -> Source:
    """The store of a run with one published release."""
    ledger.publish("one")
    return Source(ledger.store, (ledger.public_key,), tmp_path / "cache")


@pytest.fixture
def waits() -> Callable[..., None]:
    """Waits until something holds."""
    return wait_for
