"""Counts for Prometheus. No label holds anything of a request."""

from __future__ import annotations

import threading
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from kubepipe.energy import Meter
from kubepipe.settings import EnergySettings

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        # When a counter was made is when the server started; a line more for each of them tells nothing.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "kubepipe_requests", "Requests for answers by HTTP status.", ["status"], registry=self.registry
        )
        self.questions = Counter("kubepipe_questions", "Questions answered.", registry=self.registry)
        self.no_answers = Counter("kubepipe_no_answers", "Of them, without an answer.", registry=self.registry)
        self.seconds = Histogram(
            "kubepipe_request_seconds", "Time of answered requests.", buckets=_SECONDS, registry=self.registry
        )
        self.batch_seconds = Histogram(
            "kubepipe_batch_seconds", "Time of batches.", buckets=_SECONDS, registry=self.registry
        )
        self.batch_requests = Histogram(
            "kubepipe_batch_requests", "Requests in a batch.", buckets=(1, 2, 4, 8, 16, 32), registry=self.registry
        )
        self.contexts = Counter(
            "kubepipe_contexts",
            "Contexts of batches, by whether they were read before; loading a release reads one.",
            ["known"],
            registry=self.registry,
        )  # fmt: skip
        self.context_bytes = Gauge(
            "kubepipe_context_cache_bytes", "Memory of contexts that are kept.", registry=self.registry
        )
        self.waiting = Gauge("kubepipe_waiting_questions", "Questions that wait.", registry=self.registry)
        self.ready = Gauge("kubepipe_ready", "1 when a release is loaded.", registry=self.registry)
        self.swaps = Counter("kubepipe_release_swaps", "Releases taken over.", registry=self.registry)
        self.refusals = Counter("kubepipe_release_refusals", "Releases refused.", registry=self.registry)
        self.release = Gauge("kubepipe_release_info", "The release that answers.", ["release"], registry=self.registry)
        self.energy = Counter("kubepipe_energy_kwh", "Electricity of this server, modelled.", registry=self.registry)
        self.carbon = Counter("kubepipe_gco2e", "Grams of CO2 equivalent of it.", registry=self.registry)

    def batch(self, questions: int, requests: int, seconds: float) -> None:
        """Count a batch."""
        self.questions.inc(questions)
        self.batch_requests.observe(requests)
        self.batch_seconds.observe(seconds)

    def context(self, known: bool) -> None:
        """Count a context of a batch."""
        self.contexts.labels("true" if known else "false").inc()

    def swapped(self, taken: bool) -> None:
        """Count a swap or a refusal."""
        (self.swaps if taken else self.refusals).inc()

    def text(self, *, release: str | None, waiting: int, context_bytes: int) -> bytes:
        """All of them in Prometheus' text form."""
        self.waiting.set(waiting)
        self.context_bytes.set(context_bytes)
        self.ready.set(release is not None)
        self.release.clear()
        if release is not None:
            self.release.labels(release).set(1)
        return generate_latest(self.registry)


class EnergyWatch:
    """Adds up what this process takes, a span of time after the other.

    Args:
        settings: Grid, site and watts.
        metrics: Where it is counted.
        seconds: Length of a span.
    """

    def __init__(self, settings: EnergySettings, metrics: Metrics, seconds: float = 15.0) -> None:
        self._settings, self._metrics, self._seconds = settings, metrics, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="energy", daemon=True)

    def start(self) -> None:
        """Begin to measure."""
        self._thread.start()

    def stop(self) -> None:
        """End with the present span."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            with Meter(self._settings) as meter:
                self._stop.wait(self._seconds)
            record = meter.result()
            self._metrics.energy.inc(record.energy_kwh)
            self._metrics.carbon.inc(record.gco2e)
