"""A Kubernetes API of canned answers, over real HTTP, so that the client's own paths and errors are in the test."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml


class FakeCluster:
    """Answers by method and path; whatever nobody set is 404.

    Attributes:
        answers: Status and document by `GET /path`; a callable gets the request's document.
        asked: What was asked, in order, with the query.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        handler = type("Handler", (_Handler,), {"cluster": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self._server.server_port}"

    def serve(self, path: str, *objects: dict[str, Any]) -> None:
        """Serve objects as the API does: each by its name, and a list that heeds the selector of labels."""
        for each in objects:
            self.on(f"{path}/{each['metadata']['name']}", each)
        self.answers[f"GET {path}"] = (200, _Selected(objects))

    def on(self, path: str, document: Any, *, status: int = 200, method: str = "GET") -> None:
        """Set an answer."""
        self.answers[f"{method} {path}"] = (status, document)

    def items(self, path: str, *items: dict[str, Any]) -> None:
        """Set a list as answer."""
        self.on(path, {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": list(items)})

    def stop(self) -> None:
        """Free the port."""
        self._server.shutdown()
        self._server.server_close()


class _Selected(tuple[dict[str, Any], ...]):
    """Objects of which a list shows those with the labels that are asked for."""

    __slots__ = ()

    def answer(self, query: str) -> dict[str, Any]:
        """The list that a query gets."""
        asked = parse_qs(query).get("labelSelector", [""])[0]
        wanted = dict(part.split("=", 1) for part in asked.split(",") if part)
        items = [each for each in self if wanted.items() <= each["metadata"].get("labels", {}).items()]
        return {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}


class _Handler(BaseHTTPRequestHandler):
    cluster: FakeCluster

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.cluster.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, document = self.cluster.answers.get(f"{self.command} {path}", (404, {"message": "not found"}))
        if isinstance(document, _Selected):
            document = document.answer(urlsplit(self.path).query)
        if callable(document):
            document = document(json.loads(body))
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml" if isinstance(document, bytes) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the library's names

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """A cluster of canned answers that KUBECONFIG names; the context's namespace is `models`."""
    from kubernetes import config
    from kubernetes.config import kube_config

    fake = FakeCluster()
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "clusters": [{"name": "fake", "cluster": {"server": f"http://{fake.address}"}}],
        "users": [{"name": "me", "user": {"token": "secret"}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "me", "namespace": "models"}}],
    }  # fmt: skip
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    config.load_kube_config(str(file))
    yield fake
    fake.stop()


@pytest.fixture
def unused_port() -> int:
    """A port of the loopback interface at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
