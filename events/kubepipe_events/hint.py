"""A fast hint beside the durable path: the store posts each event here too, straight from the PUT and without a queue.

Nothing relies on it. It loses events whenever this process is away; what it tells is made under the same name as by the
sensor, so the durable path and the sweep find it done. It answers before anything is made, since a PUT waits for it.
"""

from __future__ import annotations

import hmac
import json
import queue
import re
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import structlog

from kubepipe.errors import SettingsError
from kubepipe_events.config import Rule
from kubepipe_events.identity import Source
from kubepipe_events.metrics import Metrics
from kubepipe_events.rules import judge
from kubepipe_events.sweep import make
from kubepipe_events.world import World, words_of

_LOG = structlog.get_logger(__name__)
_PATH: Final = "/objects"
_MOST_BYTES: Final = 65_536
_MOST_WAITING: Final = 10_000
_SECONDS: Final = 10.0
_ARRIVED: Final = re.compile(r"^s3:ObjectCreated:(Put|Post|Copy|CompleteMultipartUpload)$")


class Hints:
    """Takes what the store posts, and makes DatasetRuns of it.

    Args:
        world: Everything outside.
        bucket: Bucket for incoming data; hints about another one are left alone.
        rules: Which objects are data sets.
        token: What the store shows as bearer.
        metrics: Where hints are counted, by result.
    """

    def __init__(self, world: World, bucket: str, rules: Sequence[Rule], token: str, metrics: Metrics) -> None:
        self._world = world
        self._bucket = bucket
        self._rules = rules
        self._token = token.encode()
        self._count = metrics.hints
        self._waiting: queue.Queue[Source] = queue.Queue(_MOST_WAITING)

    def serve(self, port: int) -> int:
        """Listen in a thread; the port (another than asked for when that is 0)."""
        hints = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _SECONDS

            def do_POST(self) -> None:
                """Answer by what `take` says."""
                length = self.headers.get("Content-Length", "")
                size = int(length) if length.isdecimal() else _MOST_BYTES + 1
                if self.path != _PATH or size > _MOST_BYTES:
                    status = 404 if self.path != _PATH else 413
                else:
                    status = hints.take(self.headers.get("Authorization", ""), self.rfile.read(size))
                self.send_response_only(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
                """Say nothing: it would hold addresses, and every upload would be a line."""

        server = ThreadingHTTPServer(("", port), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return int(server.server_port)

    def take(self, authorization: str, body: bytes) -> int:
        """Judge one notification and keep it for `run` when it is about a data set; the HTTP status of the answer.

        Args:
            authorization: Header of that name.
            body: What was posted.
        """
        scheme, _, shown = authorization.partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(shown.encode(), self._token):
            return self._told("forged", 401)
        try:
            event, source = read_notification(json.loads(body))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError):
            return self._told("malformed", 400)
        is_wanted = _ARRIVED.match(event) and source.bucket == self._bucket
        if not is_wanted or judge(self._rules, source.key, source.size).action == "ignore":
            return self._told("ignored", 200)
        try:
            self._waiting.put_nowait(source)
        except queue.Full:
            return self._told("dropped", 503)
        return 200

    def run(self, stop: threading.Event) -> None:
        """Make DatasetRuns of what was taken, until told to stop."""
        while not stop.is_set():
            try:
                source = self._waiting.get(timeout=1)
            except queue.Empty:
                continue
            try:
                self._count.labels(result="made" if make(self._world, source, "upload") else "known").inc()
            except Exception as error:  # noqa: BLE001 - whatever it is, the durable path does the work
                self._count.labels(result="failed").inc()
                _LOG.info("a hint was not used", error=words_of(error))

    def _told(self, result: str, status: int) -> int:
        self._count.labels(result=result).inc()
        return status


def read_notification(body: Mapping[str, Any]) -> tuple[str, Source]:
    """Event and version of MinIO's notification, which holds one record; read as the sensor's transform reads it.

    `Key` at the top is bucket and key as they are, the one in the record is URL-encoded.
    """
    stored = body["Records"][0]["s3"]
    bucket = str(stored["bucket"]["name"])
    known = stored["object"]
    key = str(body["Key"]).removeprefix(f"{bucket}/")
    return str(body["EventName"]), Source.make(
        bucket, key, known.get("versionId"), known.get("eTag"), known.get("size")
    )


def read_token(file: Path) -> str:
    """The token that the store shows.

    Raises:
        SettingsError: The file cannot be read or is empty.
    """
    try:
        token = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError("cannot be read", place=str(file), remedy="Mount the store's webhook token") from error
    if not token:
        raise SettingsError("is empty", place=str(file), remedy="Put the store's webhook token into it")
    return token
