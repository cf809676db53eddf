"""The controller: kopf watches the DatasetRuns, the engine visits them, and beside it sweep, hint and outbox work."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import kopf
import structlog

from kubepipe.pipeline.cluster.connection import connect
from kubepipe.pipeline.kfp_api import KfpApi
from kubepipe.pipeline.remote.failures import explain, record_failures
from kubepipe.storage import Store, open_store
from kubepipe.storage.s3 import s3_client
from kubepipe_events.arrivals import Arrivals
from kubepipe_events.config import EventsConfig
from kubepipe_events.engine import Engine
from kubepipe_events.hint import Hints, read_token
from kubepipe_events.metrics import Metrics, serve
from kubepipe_events.notices import Outbox, read_urls, sinks_of
from kubepipe_events.reconcile import Reconciler
from kubepipe_events.resources import GROUP, PLURAL, VERSION, DatasetRuns, Resource
from kubepipe_events.retention import remove_old
from kubepipe_events.sweep import sweep
from kubepipe_events.world import World, words_of

_LOG = structlog.get_logger(__name__)
_EXIT_SECONDS: Final = 20


class Controller:
    """All parts of the controller, in one process.

    Args:
        config: Its configuration.
    """

    def __init__(self, config: EventsConfig) -> None:
        from kubernetes import client

        namespace = os.environ.get("POD_NAMESPACE") or connect()
        connect()
        self.namespace = namespace
        self.config = config
        self.metrics = Metrics()
        self.stop = threading.Event()
        store = open_store(os.environ["KUBEPIPE_STORE"])
        urls = read_urls(config.notifications.urls_file)
        self.outbox = Outbox(store, config.notifications, sinks_of(urls), self.metrics)
        self.world = World(
            store=store,
            quarantine=open_store(os.environ["KUBEPIPE_QUARANTINE"]),
            arrivals=Arrivals(s3_client()),
            kfp=KfpApi(config.kfp_endpoint, patient=False),
            runs=DatasetRuns(namespace, client.ApiClient()),
            settle=lambda run: _settle(namespace, store, run),
            post=self.outbox.post,
        )
        self.engine = Engine(Reconciler(config, self.world), self.metrics)
        self.hints = self._hints()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads."""
        works: list[Callable[[], None]] = [
            functools.partial(self.engine.run, self.stop),
            functools.partial(self.outbox.run, self.stop),
            self._sweeps,
        ]
        if self.hints and self.config.hint:
            self.hints.serve(self.config.hint.port)
            works.append(functools.partial(self.hints.run, self.stop))
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()
        # Ready means that it works, not that all is there: the chart's hook makes the store's users after this pod.
        serve(self.metrics, self.config.port, self.is_healthy, self.is_healthy)

    def _hints(self) -> Hints | None:
        config = self.config
        if config.hint is None:
            return None
        return Hints(self.world, config.bucket, config.rules, read_token(config.hint.token_file), self.metrics)

    def is_healthy(self) -> bool:
        """Whether every thread lives."""
        return all(thread.is_alive() for thread in self._threads)

    def end(self) -> None:
        """Stop after the visit at hand; what is half done is taken up by the next controller."""
        self.stop.set()
        self._threads[0].join(_EXIT_SECONDS)

    def _sweeps(self) -> None:
        self.engine.ready.wait()
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                self.metrics.findings.inc(sweep(self.world, self.config.bucket, self.config.rules, self.engine.names()))
                self.metrics.sweep.set(time.monotonic() - began)
                remove_old(self.world, self.engine.resources(), self.config)
                self.engine.relist()
            except Exception as error:  # noqa: BLE001 - the next sweep finds what this one did not
                _LOG.warning("sweep failed", error=words_of(error))
            self.stop.wait(self.config.sweep.interval_seconds)


def _settle(namespace: str, store: Store, run: str) -> None:
    record_failures(store, run, explain(namespace, run))


def run(config: EventsConfig) -> None:
    """Work until the pod is stopped."""
    registry = kopf.OperatorRegistry()
    controller = Controller(config)

    @kopf.on.startup(registry=registry)  # type: ignore[untyped-decorator]
    def _start(settings: kopf.OperatorSettings, **_: Any) -> None:
        # Namespaced: the controller may neither list definitions nor namespaces, and has no peers.
        settings.scanning.disabled = True
        settings.peering.standalone = True
        settings.posting.enabled = False
        settings.networking.error_backoffs = (1, 2, 5, 10)
        controller.start()

    @kopf.on.login(registry=registry)  # type: ignore[untyped-decorator]
    def _log_in(**given: Any) -> Any:
        return kopf.login_with_service_account(**given) or kopf.login_with_kubeconfig(**given)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)  # type: ignore[untyped-decorator]
    def _see(event: dict[str, Any], **_: Any) -> None:
        controller.engine.observe(str(event["type"]), Resource.of(event["object"]))

    @kopf.on.cleanup(registry=registry)  # type: ignore[untyped-decorator]
    def _end(**_: Any) -> None:
        controller.end()

    kopf.run(registry=registry, standalone=True, namespaces=[controller.namespace])
