"""A store that is away or refuses is an outage to the controller, and the cause `store` of a step that met it."""

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

from kubepipe.errors import IntegrityError
from kubepipe.pipeline.remote.causes import STORE_ERRORS
from kubepipe.storage.s3 import S3Store
from kubepipe_events.world import outage_of

_REFUSAL = b"<Error><Code>SlowDownRead</Code><Message>later</Message></Error>"
CALLS: dict[str, Callable[[S3Store], Any]] = {
    "read": lambda store: store.read("x"),
    "write": lambda store: store.write("x", b"y"),
    "create": lambda store: store.create("x", b"y"),
    "delete": lambda store: store.delete("x"),
    "erase": lambda store: store.erase("x"),
    "keys": lambda store: list(store.keys("runs/")),
    "download": lambda store: store.download("x", Path("nowhere")),
    "upload": lambda store: store.upload(Path(__file__), "x"),
}


class _Refuses(BaseHTTPRequestHandler):
    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(503)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(_REFUSAL)))
        self.end_headers()
        self.wfile.write(_REFUSAL)

    do_GET = do_PUT = do_DELETE = do_POST = do_HEAD = _refuse  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _store(port: int) -> S3Store:
    pool = urllib3.PoolManager(retries=urllib3.Retry(0))
    client = Minio(f"127.0.0.1:{port}", "a", "b", secure=False, region="us-east-1", http_client=pool)
    return S3Store("bucket", "", client)


@pytest.fixture(scope="module")
def refusing() -> Iterator[S3Store]:
    """A store that has no time."""
    server = HTTPServer(("127.0.0.1", 0), _Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield _store(server.server_port)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def absent() -> S3Store:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return _store(free.getsockname()[1])


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("store", ["refusing", "absent"])
def test_every_call_tells_an_outage(store: str, call: str, request: pytest.FixtureRequest) -> None:
    """Whatever was asked of the store: the work goes through later, and the data set is not to blame."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which type it is, is what the test is about
        CALLS[call](request.getfixturevalue(store))
    assert outage_of(caught.value) == "store"
    assert type(caught.value).__name__ in STORE_ERRORS


def test_a_document_that_is_not_intact_is_no_outage() -> None:
    """No later try mends it."""
    assert outage_of(IntegrityError("does not fit")) is None
