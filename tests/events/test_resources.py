from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from kubernetes import client
from minio.error import S3Error, ServerError

from kubepipe.errors import OutputError
from kubepipe.pipeline.kfp_api import KfpError
from kubepipe_events.resources import DatasetRuns, KubernetesError, Resource
from kubepipe_events.world import outage_of, words_of

PATH = "/apis/kubepipe.io/v1alpha1/namespaces/lab/datasetruns"


class Api:
    """A Kubernetes API: what it answers, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, dict[str, list[str]], str | None, Any]] = []

    def take(self, handler: BaseHTTPRequestHandler) -> tuple[int, Any]:
        length = int(handler.headers.get("Content-Length") or 0)
        body = json.loads(handler.rfile.read(length)) if length else None
        address = urlsplit(handler.path)
        kind = handler.headers.get("Content-Type")
        self.asked.append((handler.command, address.path, parse_qs(address.query), kind, body))
        return self.answers.pop(0)


@pytest.fixture
def api() -> Iterator[tuple[Api, DatasetRuns]]:
    known = Api()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            status, body = known.take(self)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    settings = client.Configuration(host=f"http://127.0.0.1:{server.server_port}")
    settings.retries = False
    yield known, DatasetRuns("lab", client.ApiClient(settings))
    server.shutdown()
    server.server_close()


def _body(name: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "uid": "u", "generation": 3},
        "spec": {"rerun": 1},
        "status": {"phase": "Failed"},
    }


def test_all_pages_are_listed(api: tuple[Api, DatasetRuns]) -> None:
    """Page by page, with the token of the one before, and the selector on each."""
    known, runs = api
    known.answers = [
        (200, {"items": [_body("a"), _body("b")], "metadata": {"continue": "next"}}),
        (200, {"items": [_body("c")], "metadata": {}}),
    ]
    assert [each.name for each in runs.list("kubepipe.io/schedule")] == ["a", "b", "c"]
    assert [asked[1] for asked in known.asked] == [PATH, PATH]
    assert known.asked[0][2] == {"limit": ["500"], "labelSelector": ["kubepipe.io/schedule"]}
    assert known.asked[1][2]["continue"] == ["next"]


def test_one_is_read_and_none_is_none(api: tuple[Api, DatasetRuns]) -> None:
    """404 is an answer."""
    known, runs = api
    known.answers = [(200, _body("a")), (404, {"kind": "Status"})]
    found = runs.get("a")
    assert found is not None
    assert (found.generation, found.spec, found.status) == (3, {"rerun": 1}, {"phase": "Failed"})
    assert runs.get("b") is None


def test_making_one_twice_makes_one(api: tuple[Api, DatasetRuns]) -> None:
    """409 says that it is there already."""
    known, runs = api
    known.answers = [(201, _body("a")), (409, {"kind": "Status"})]
    assert runs.create("a", {"trigger": "upload"}, {"x": "y"})
    assert not runs.create("a", {"trigger": "upload"})
    method, path, _, _, body = known.asked[0]
    assert (method, path, body["kind"], body["spec"]) == ("POST", PATH, "DatasetRun", {"trigger": "upload"})
    assert body["metadata"] == {"name": "a", "labels": {"x": "y"}}


def test_changes_are_merge_patches(api: tuple[Api, DatasetRuns]) -> None:
    """Of the spec, and of the status by its own address; one that is gone is no error."""
    known, runs = api
    known.answers = [(200, _body("a")), (200, _body("a")), (404, {}), (404, {})]
    assert runs.patch_spec("a", {"rerun": 2})
    assert runs.write_status("a", {"phase": "Failed", "step": None})
    assert not runs.write_status("b", {"phase": "Failed"})
    runs.delete("b")
    assert [asked[:2] for asked in known.asked] == [
        ("PATCH", f"{PATH}/a"), ("PATCH", f"{PATH}/a/status"), ("PATCH", f"{PATH}/b/status"), ("DELETE", f"{PATH}/b"),
    ]  # fmt: skip
    assert known.asked[1][3:] == ("application/merge-patch+json", {"status": {"phase": "Failed", "step": None}})


def test_an_event_is_put_on_the_datasetrun(api: tuple[Api, DatasetRuns]) -> None:
    """Named, of its uid, and cut to what the API takes."""
    known, runs = api
    known.answers = [(201, {})]
    runs.tell(Resource.of(_body("a")), "Warning", "Failed", "w" * 2000)
    body = known.asked[0][4]
    assert (body["regarding"]["name"], body["regarding"]["uid"], body["type"]) == ("a", "u", "Warning")
    assert len(body["note"]) == 1000


@pytest.mark.parametrize(
    ("status", "is_outage"),
    [(400, False), (404, False), (409, False), (422, False), (401, True), (403, True), (429, True), (500, True)],
)
def test_any_other_answer_is_an_error(api: tuple[Api, DatasetRuns], status: int, is_outage: bool) -> None:
    """What is wrong with one request is no outage: it would hold up all others."""
    known, runs = api
    known.answers = [(status, {"kind": "Status"})]
    with pytest.raises(KubernetesError, match=f"answers {status}") as caught:
        next(runs.list())
    assert (outage_of(caught.value) == "kubernetes") is is_outage


def test_an_api_that_is_away_is_an_outage() -> None:
    """Nobody listens: said in a line, without a traceback of the library's."""
    settings = client.Configuration(host="http://127.0.0.1:1")
    settings.retries = False
    with pytest.raises(KubernetesError, match="cannot be reached") as caught:
        DatasetRuns("lab", client.ApiClient(settings)).get("a")
    assert outage_of(caught.value) == "kubernetes"


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (KfpError("x"), "pipelines"),
        (KfpError("x", status=503), "pipelines"),
        (KfpError("x", status=400), None),
        (OutputError("x"), "store"),
        (ServerError("x", 500), "store"),
        (S3Error(None, "SlowDown", "", "", "", ""), "store"),  # type: ignore[arg-type]
        (ValueError("x"), None),
    ],
    ids=repr,
)
def test_an_error_says_which_part_is_away(error: Exception, part: str | None) -> None:
    """None is the error of one DatasetRun alone."""
    assert outage_of(error) == part


def test_the_log_has_no_words_of_the_store() -> None:
    """They hold keys, and a key can name a person."""
    error = S3Error(None, "SlowDown", "about jane-doe.jsonl", "jane-doe.jsonl", "", "")  # type: ignore[arg-type]
    assert words_of(error) == "S3Error SlowDown"
