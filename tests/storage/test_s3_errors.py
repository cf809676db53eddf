"""A store that refuses or does not answer, by a client of its own kind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3
from minio import Minio

from kubepipe.errors import IntegrityError, OutputError
from kubepipe.storage.s3 import S3Store

_REFUSAL = b"<Error><Code>InvalidAccessKeyId</Code><Message>secret-name</Message></Error>"


class _Refuses(BaseHTTPRequestHandler):
    """Answers everything with a refusal."""

    def do_GET(self) -> None:
        """Refuse."""
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(_REFUSAL)))
        self.end_headers()
        self.wfile.write(_REFUSAL)

    do_DELETE = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _store(port: int) -> S3Store:
    client = Minio(
        f"127.0.0.1:{port}",
        access_key="a",
        secret_key="b",
        secure=False,
        region="us-east-1",
        http_client=urllib3.PoolManager(retries=False),
    )
    return S3Store("bucket", "", client)


@pytest.fixture
def refusing() -> Iterator[S3Store]:
    """A store that knows nobody."""
    server = HTTPServer(("127.0.0.1", 0), _Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield _store(server.server_port)
    server.shutdown()
    server.server_close()


CALLS: dict[str, Callable[[S3Store], Any]] = {
    "keys": lambda store: list(store.keys("models/")),
    "delete": lambda store: store.delete("x"),
    "erase": lambda store: store.erase("x"),
    "download": lambda store: store.download("x", Path("nowhere")),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_refusal_is_one_line(refusing: S3Store, call: str) -> None:
    """With the store's code and no traceback."""
    with pytest.raises(OutputError, match="InvalidAccessKeyId"):
        CALLS[call](refusing)


def test_a_store_that_is_not_there_is_one_line() -> None:
    """The message says that nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(OutputError, match="does not answer"):
        CALLS["keys"](_store(port))


def test_an_object_cannot_write_beside_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with .. in it is refused before anything is fetched."""
    store = _store(1)
    monkeypatch.setattr(store, "keys", lambda _: iter(["models/a/../../../x"]))
    with pytest.raises(IntegrityError, match="leads out"):
        store.download("models/a", tmp_path / "target")
    assert list(tmp_path.iterdir()) == []
