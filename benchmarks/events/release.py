"""A release under test: its bucket, its DatasetRuns, its controller's configuration."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import urllib3
from kubernetes import client
from stub import NAME, stub_graph

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.cluster.connection import connect
from kubepipe.pipeline.kfp_api import KfpApi
from kubepipe.pipeline.remote import Release, find_release
from kubepipe.storage.s3 import s3_client
from kubepipe_events.identity import Source
from kubepipe_events.resources import DatasetRuns

COMPONENTS = {
    "event source": "eventsource-name",
    "sensor": "sensor-name",
    "event bus": "eventbus-name",
    "controller": "app.kubernetes.io/component=events",
    "KFP api server": "app.kubernetes.io/component=kfp-api",
    "MinIO": "app.kubernetes.io/component=minio",
}


class Bench:
    """A release of the chart that a benchmark works on; the benchmark owns its bucket meanwhile.

    Args:
        namespace: Where the release is.
    """

    def __init__(self, namespace: str) -> None:
        connect()
        self.namespace = namespace
        self.release: Release = find_release(namespace)
        self.runs = DatasetRuns(namespace, client.ApiClient())
        self.core = client.CoreV1Api()
        self.apps = client.AppsV1Api()
        self._stack: ExitStack | None = None
        self._minio: Any = None

    @property
    def bucket(self) -> str:
        """Bucket for incoming data."""
        return self.release.incoming

    def kfp(self) -> KfpApi:
        """The KFP API."""
        return self.release.kfp()

    def minio(self) -> Any:
        """A client of the store, by a forwarded port that is made anew after `lost`."""
        if self._minio is None:
            self._stack = ExitStack()
            self._stack.enter_context(self.release.store(account="admin"))
            self._minio = s3_client()
            self._minio._http = urllib3.PoolManager(timeout=urllib3.Timeout(10), retries=False)  # noqa: SLF001
        return self._minio

    def lost(self) -> None:
        """The connection broke: the next use makes another."""
        self._minio = None
        if self._stack is not None:
            with suppress(Exception):
                self._stack.close()

    def patiently(self, work: Any, seconds: float = 180.0) -> Any:
        """Do something with the store, again and again until it goes through, as a client would."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return work(self.minio())
            except Exception:
                self.lost()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def put(self, key: str, data: bytes) -> Source:
        """Write an object; the version that was made."""

        def work(store: Any) -> Source:
            made = store.put_object(self.bucket, key, io.BytesIO(data), len(data))
            return Source.make(self.bucket, key, made.version_id, made.etag, len(data))

        return self.patiently(work)  # type: ignore[no-any-return]

    def versions(self, prefix: str) -> list[Source]:
        """All versions of all objects below a prefix."""

        def work(store: Any) -> list[Source]:
            listed = store.list_objects(self.bucket, prefix=prefix, recursive=True, include_version=True)
            return [
                Source.make(self.bucket, each.object_name, each.version_id, each.etag, each.size)
                for each in listed
                if not each.is_delete_marker
            ]

        return self.patiently(work)  # type: ignore[no-any-return]

    def kill(self, part: str) -> bool:
        """End the pods of a part at once; whether there were any."""
        pods = self.core.list_namespaced_pod(self.namespace, label_selector=COMPONENTS[part]).items
        for pod in pods:
            with suppress(client.ApiException):
                self.core.delete_namespaced_pod(pod.metadata.name, self.namespace, grace_period_seconds=0)
        return bool(pods)

    def scale(self, replicas: int) -> None:
        """Scale the controller."""
        (deployment,) = self._controllers()
        self.apps.patch_namespaced_deployment_scale(
            deployment.metadata.name, self.namespace, {"spec": {"replicas": replicas}}
        )
        self._settled(deployment.metadata.name, replicas)

    @contextmanager
    def configured(self, changes: Mapping[str, Any]) -> Iterator[None]:
        """The controller with another configuration while the context lasts; the stub graph is registered."""
        api = self.kfp()
        api.upload(NAME, f"{NAME}-{int(time.time())}", stub_graph(self.release.overlay))
        maps = self.core.list_namespaced_config_map(self.namespace, label_selector="app.kubernetes.io/component=events")
        (found,) = [each for each in maps.items if "events.json" in (each.data or {})]
        before = found.data["events.json"]
        try:
            self._write(found.metadata.name, json.dumps({**json.loads(before), "pipeline": NAME, **changes}))
            yield
        finally:
            self._write(found.metadata.name, before)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """The store tells nobody of new objects while the context lasts."""
        rules = self.minio().get_bucket_notification(self.bucket)
        self.minio().delete_bucket_notification(self.bucket)
        try:
            yield
        finally:
            self.minio().set_bucket_notification(self.bucket, rules)

    def _write(self, name: str, text: str) -> None:
        self.scale(0)
        self.core.patch_namespaced_config_map(name, self.namespace, {"data": {"events.json": text}})
        self.scale(1)

    def _controllers(self) -> list[Any]:
        selector = "app.kubernetes.io/component=events"
        found: list[Any] = self.apps.list_namespaced_deployment(self.namespace, label_selector=selector).items
        return found

    def _settled(self, name: str, replicas: int) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            state = self.apps.read_namespaced_deployment(name, self.namespace)
            pods = self.core.list_namespaced_pod(self.namespace, label_selector=COMPONENTS["controller"]).items
            if (state.status.ready_replicas or 0) == replicas and len(pods) == replicas:
                return
            time.sleep(0.5)
        raise KubePipeError(f"the controller does not come to {replicas} replicas", place=self.namespace)
