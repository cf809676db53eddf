"""What is told to Prometheus, and the pages /metrics, /healthz and /readyz."""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, make_wsgi_app

PHASES: Final = ("Pending", "Submitted", "Running", "Succeeded", "Failed", "Quarantined", "Skipped", "Capped")
_BUCKETS: Final = (0.5, 1, 2, 4, 6, 10, 30, 60, 300, 1800, 7200)


class Metrics:
    """The controller's metrics, each set in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.runs = Gauge("kubepipe_runs", "DatasetRuns by phase.", ["phase"], registry=self.registry)
        self.oldest = Gauge(
            "kubepipe_oldest_unprocessed_seconds", "Age of the oldest one that waits.", registry=self.registry
        )
        self.queue = Gauge("kubepipe_queue_length", "DatasetRuns that wait.", registry=self.registry)
        self.pipelines_up = Gauge("kubepipe_pipelines_up", "Whether the KFP API answers.", registry=self.registry)
        self.findings = Counter("kubepipe_sweep_findings", "Objects that only the sweep found.", registry=self.registry)
        self.sweep = Gauge("kubepipe_sweep_seconds", "How long the last sweep took.", registry=self.registry)
        self.submit = Histogram(
            "kubepipe_submit_seconds",
            "From the making of a DatasetRun to its submission.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.notifications = Counter(
            "kubepipe_notifications", "Notifications by result.", ["result"], registry=self.registry
        )
        self.rejected = Counter(
            "kubepipe_rejected", "Objects that are no data sets.", ["reason"], registry=self.registry
        )
        self.hints = Counter("kubepipe_hints", "Hints of the store by result.", ["result"], registry=self.registry)
        self.attempts = Counter("kubepipe_attempts", "Attempts after the first.", ["cause"], registry=self.registry)

    def show(self, *, phases: Sequence[str], queue: int, oldest_seconds: float, pipelines_up: bool) -> None:
        """Set what the loop knows."""
        tally = Tally(phases)
        for phase in PHASES:
            self.runs.labels(phase=phase).set(tally[phase])
        self.queue.set(queue)
        self.oldest.set(oldest_seconds)
        self.pipelines_up.set(1 if pipelines_up else 0)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing: probes come every few seconds."""


def serve(metrics: Metrics, port: int, healthy: Callable[[], bool], ready: Callable[[], bool]) -> int:
    """Serve the pages in a thread; the port (another than asked for when that is 0)."""
    pages = make_wsgi_app(metrics.registry)
    checks = {"/healthz": healthy, "/readyz": ready}

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        check = checks.get(environ["PATH_INFO"])
        if check is None:
            return pages(environ, start)  # type: ignore[no-any-return]
        good = check()
        start("200 OK" if good else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"ok\n" if good else b"not ready\n"]

    server = make_server("", port, answer, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_port)
