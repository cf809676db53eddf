"""Hints: what the store posts to the controller beside the durable way."""

from __future__ import annotations

import http.client
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import SettingsError
from kubepipe_events import hint
from kubepipe_events.hint import Hints, read_notification, read_token
from kubepipe_events.identity import Source
from kubepipe_events.metrics import Metrics

from .test_reconcile import CONFIG
from .world import MemoryWorld

TOKEN = "Bearer secret"


def notification(key: str = "ward 1/ü+%25.jsonl", **changed: Any) -> dict[str, Any]:
    """As MinIO posts it: the key of the record is URL-encoded, the one at the top is not."""
    stored = {"key": "ward+1%2F%C3%BC%2B%2525.jsonl", "size": 12, "eTag": "abc", "versionId": "v1", **changed}
    return {
        "EventName": "s3:ObjectCreated:Put",
        "Key": f"incoming/{key}",
        "Records": [{"s3": {"bucket": {"name": "incoming"}, "object": stored}}],
    }


class Receiver:
    """Hints over a world in memory."""

    def __init__(self) -> None:
        self.outside = MemoryWorld()
        self.metrics = Metrics()
        self.hints = Hints(self.outside.world(), "incoming", CONFIG.rules, "secret", self.metrics)

    def take(self, body: Any, authorization: str = TOKEN) -> int:
        """Post something."""
        return self.hints.take(authorization, body if isinstance(body, bytes) else json.dumps(body).encode())

    def work(self, until: int) -> None:
        """Use what was taken, until so many were made, known or failed."""
        stop = threading.Event()
        thread = threading.Thread(target=self.hints.run, args=(stop,))
        thread.start()
        while sum(self.counted(result) for result in ("made", "known", "failed")) < until:
            stop.wait(0.01)
        stop.set()
        thread.join()

    def counted(self, result: str) -> float:
        """Hints of a result."""
        return self.metrics.registry.get_sample_value("kubepipe_hints_total", {"result": result}) or 0.0


@pytest.fixture
def receiver() -> Receiver:
    """A receiver of hints."""
    return Receiver()


def test_a_notification_names_event_and_version() -> None:
    """An empty object has no size, a bucket without versions no version."""
    event, source = read_notification(notification())
    assert event == "s3:ObjectCreated:Put"
    assert source == Source("incoming", "ward 1/ü+%25.jsonl", "v1", "abc", 12)
    bare = notification("a", size=None, versionId="null")
    assert read_notification(bare)[1] == Source("incoming", "a", "", "abc", 0)


def test_a_hint_makes_a_datasetrun_once(receiver: Receiver) -> None:
    """The same one again finds it there."""
    assert receiver.take(notification()) == receiver.take(notification()) == 200
    receiver.work(until=2)
    assert list(receiver.outside.runs.bodies) == [read_notification(notification())[1].name]
    assert (receiver.counted("made"), receiver.counted("known")) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        notification("a.part"),
        notification() | {"EventName": "s3:ObjectRemoved:Delete"},
        notification()
        | {"Key": "other/a", "Records": [{"s3": {"bucket": {"name": "other"}, "object": {"eTag": "e"}}}]},
    ],
)
def test_what_is_no_data_set_makes_none(receiver: Receiver, body: Any) -> None:
    """Temporary names, deletions, other buckets: taken, and left alone."""
    assert receiver.take(body) == 200
    assert receiver.take(notification()) == 200
    receiver.work(until=1)
    assert receiver.counted("ignored") == 1
    assert list(receiver.outside.runs.bodies) == [read_notification(notification())[1].name]


@pytest.mark.parametrize("authorization", ["", "secret", "Bearer ", "Bearer other", "Basic secret", "Bearer sécret"])
def test_a_forged_one_is_refused_and_counted(receiver: Receiver, authorization: str) -> None:
    """401, and a number that an alert can watch."""
    assert receiver.take(notification(), authorization) == 401
    assert receiver.counted("forged") == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 60_000,
        {"EventName": "x", "Key": "k", "Records": []},
        notification(size="x"),
    ],
)
def test_nonsense_is_refused(receiver: Receiver, body: Any) -> None:
    """400, whoever sent it."""
    assert receiver.take(body) == 400
    assert receiver.counted("malformed") == 1


def test_more_than_can_wait_is_dropped(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """503: the store's queue has it all the same."""
    monkeypatch.setattr(hint, "_MOST_WAITING", 1)
    full = Hints(receiver.outside.world(), "incoming", CONFIG.rules, "secret", receiver.metrics)
    body = json.dumps(notification()).encode()
    assert [full.take(TOKEN, body) for _ in range(2)] == [200, 503]
    assert receiver.counted("dropped") == 1


def test_a_refusing_api_loses_the_hint_only(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted, and the next one is used."""
    create, calls = receiver.outside.runs.create, []

    def refusing(*arguments: Any, **options: Any) -> bool:
        calls.append(arguments)
        if len(calls) == 1:
            raise OSError
        return bool(create(*arguments, **options))

    monkeypatch.setattr(receiver.outside.runs, "create", refusing)
    receiver.take(notification("first"))
    receiver.take(notification("second"))
    receiver.work(until=2)
    assert (receiver.counted("failed"), receiver.counted("made")) == (1, 1)


def test_over_http(receiver: Receiver) -> None:
    """Path, size and token are looked at; the body of a large one is not read."""
    port = receiver.hints.serve(0)

    def post(path: str = "/objects", **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", path, json.dumps(notification()), {"Authorization": TOKEN, **headers})
        status = connection.getresponse().status
        connection.close()
        return status

    assert post() == 200
    assert post(Authorization="Bearer other") == 401
    assert post("/metrics") == 404
    assert post(**{"Content-Length": "1000000"}) == 413
    assert post(**{"Content-Length": "-1"}) == 413
    receiver.work(until=1)
    assert len(receiver.outside.runs.bodies) == 1


def test_token_of_a_file(tmp_path: Path) -> None:
    """White space around it is none of it; an empty or missing file is said so."""
    file = tmp_path / "token"
    file.write_text(" secret\n", encoding="utf-8")
    assert read_token(file) == "secret"
    file.write_text("\n", encoding="utf-8")
    for wrong in (file, tmp_path / "none"):
        with pytest.raises(SettingsError, match=str(wrong)):
            read_token(wrong)
