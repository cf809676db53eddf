"""The server: starts its parts, serves until it is told to stop, then lets running requests end."""

from __future__ import annotations

import contextlib
import socket

import uvicorn

from kubepipe.errors import UserError
from kubepipe.serving.app import Parts, make_app
from kubepipe.serving.engine import Engine
from kubepipe.serving.loaded import Loaded
from kubepipe.serving.metrics import EnergyWatch, Metrics
from kubepipe.serving.source import Source
from kubepipe.serving.watch import Watcher
from kubepipe.settings import Settings


def make_parts(source: Source, settings: Settings, token: str | None) -> Parts:
    """The parts of a server, not yet started."""
    limits, metrics = settings.serving, Metrics()
    engine = Engine(limits.batch_size, limits.queue_questions, metrics.batch)
    watcher = Watcher(
        source,
        engine,
        lambda verified: Loaded(verified, settings, metrics.context),
        limits.watch_seconds,
        metrics.swapped,
    )
    return Parts(engine, watcher, metrics, limits, token)


def serve(source: Source, settings: Settings, *, host: str, token: str | None, wait: bool) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        source: Where the release comes from.
        settings: Limits, hardware, grid.
        host: Address to listen on.
        token: Bearer token; None lets everybody in.
        wait: Start even when the release is refused, say so at /readyz, and go on looking; otherwise end.

    Raises:
        IntegrityError: The release does not hold, and `wait` is off.
        UserError: The address cannot be listened on.
    """
    parts = make_parts(source, settings, token)
    listener = _listen(host, settings.serving.port)
    with contextlib.closing(listener):
        if not wait:
            parts.watcher.look()
            parts.watcher.require()
        energy = EnergyWatch(settings.energy, parts.metrics)
        parts.engine.start()
        parts.watcher.start()
        energy.start()
        config = uvicorn.Config(
            make_app(parts),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=settings.serving.drain_seconds,
        )
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            parts.watcher.stop()
            energy.stop()
            parts.engine.stop()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=host == "::")
    except OSError as error:
        raise UserError(
            f"cannot be listened on ({error.strerror})", place=f"{host}:{port}", remedy="Choose another by --port"
        ) from error
