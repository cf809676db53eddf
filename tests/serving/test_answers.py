"""What a client sees."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from kubepipe.scoring import Prediction
from kubepipe.serving.guard import Guard

TEXT = "Ada was born in London."


@pytest.fixture
def served(serve_source: Any, source: Any) -> Any:
    """A server on the tiny model."""
    with serve_source(source, "serving.max_questions=8", "serving.max_body_bytes=20000") as running:
        yield running


def test_answers_carry_confidence_place_and_release(served: Any, source: Any) -> None:
    """One answer per question, in order, with the digest of the release that gave it."""
    response = served.ask(TEXT, "Where?", "When?", "Who?")
    assert response.status_code == 200
    body = response.json()
    assert body["release"] == source.wanted() == response.headers["KubePipe-Release"]
    assert (body["windows"], body["notes"], len(body["answers"])) == (1, [], 3)
    for answer in body["answers"]:
        assert 0 <= answer["confidence"] <= 1
        assert answer["no_answer"] == (answer["answer"] == "")
        if answer["start"] is not None:
            assert TEXT[answer["start"] : answer["end"]] == answer["answer"]


def test_a_place_is_one_in_the_text_that_was_sent(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """White space before the text counts, though the model does not read it."""

    def answer(passages: Any, wanted: Any) -> Any:
        assert wanted()
        for passage in passages:
            assert passage.context == TEXT
            yield from (Prediction(each.id, "London", 1.0, 0.0, no_answer=False) for each in passage.questions)

    monkeypatch.setattr(served.parts.engine.loaded, "answer", answer)
    text = f" \n\u00a0{TEXT} "
    found = served.ask(text, "Where?").json()["answers"][0]
    assert text[found["start"] : found["end"]] == "London"


def test_an_unforeseen_error_says_nothing_of_the_request(
    served: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any, caplog: Any
) -> None:
    """Neither in the response nor in a traceback; the server goes on."""
    loaded = served.parts.engine.loaded
    with monkeypatch.context() as broken:
        broken.setattr(loaded, "size", lambda context, _: int(context))
        response = served.ask("Anna Schmidt")
    assert (response.status_code, response.json()["code"]) == (500, "failed")
    assert served.ask().status_code == 200
    assert "Schmidt" not in response.text + "".join(capfd.readouterr()) + caplog.text


def test_counting_tokens_is_part_of_the_time_of_a_request(
    serve_source: Any, source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text that takes long to measure is given up like one that takes long to answer."""
    with serve_source(source, "serving.request_seconds=0.2") as served:
        go = threading.Event()
        monkeypatch.setattr(served.parts.engine.loaded, "size", lambda *_: go.wait(60))
        assert served.ask().status_code == 504
        go.set()


def test_large_bodies_are_held_up_to_a_bound() -> None:
    """What is under way at the same time; one more is told to come back, and there is room when one has ended."""

    async def play() -> list[int]:
        go, statuses = asyncio.Event(), list[int]()

        async def app(_: Any, __: Any, send: Any) -> None:
            await go.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        async def ask() -> None:
            body = iter([{"type": "http.request", "body": b"x" * 1000, "more_body": False}])

            async def receive() -> Any:
                return next(body)

            await guard({"type": "http", "path": "/v1/answers", "headers": []}, receive, send)

        guard = Guard(app, None, 1000, 10.0, lambda _: None)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(32):
                tasks.create_task(ask())
            await asyncio.sleep(0)
            await ask()
            go.set()
        await ask()
        return statuses

    assert asyncio.run(play()) == [429, *[200] * 33]


def test_requests_at_once_are_answered_as_if_they_came_alone(served: Any) -> None:
    """Batches share contexts between requests and change no answer."""
    questions = [f"Where was number {number}?" for number in range(12)]
    alone = [served.ask(TEXT, each).json()["answers"][0] for each in questions]
    with ThreadPoolExecutor(12) as pool:
        together = [each.json()["answers"][0] for each in pool.map(lambda each: served.ask(TEXT, each), questions)]
    assert [each["answer"] for each in together] == [each["answer"] for each in alone]
    batches = served.client.get("/metrics").text
    count = float(
        next(line for line in batches.splitlines() if line.startswith("kubepipe_batch_requests_count")).split()[1]
    )
    assert count < 24, "no two requests shared a batch"


def _metric(served: Any, name: str) -> float:
    lines = served.client.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def test_a_context_that_is_asked_about_again_is_not_read_again(serve_source: Any, source: Any) -> None:
    """Answers are the same as where no context is kept; the metrics say how often and with how much memory."""
    questions = ["Where?", "When was that?", "Where?", "Who was she?"]
    answers = {}
    for megabytes in (0, 8):
        with serve_source(source, f"serving.context_cache_mb={megabytes}") as served:
            answers[megabytes] = [served.ask(TEXT, each).json()["answers"] for each in questions]
            known = _metric(served, 'kubepipe_contexts_total{known="true"}')
            assert (known, _metric(served, "kubepipe_context_cache_bytes") > 0) == (
                (3, True) if megabytes else (0, False)
            )
    assert answers[0] == answers[8]


def test_a_context_longer_than_the_window_is_read_in_windows_and_said_so(served: Any) -> None:
    """Nothing is cut off silently."""
    body = served.ask("Ada was born in London. " * 200, "Where?").json()
    assert body["windows"] > 1
    assert "overlapping windows" in body["notes"][0]


BAD: dict[str, tuple[bytes, int, str]] = {
    "no JSON": (b"{", 400, "invalid-json"),
    "no UTF-8": (b'{"context": "\xff", "questions": ["x"]}', 400, "invalid-json"),
    "too deep": (b"[" * 15000, 400, "invalid-json"),
    "half a surrogate pair": (b'{"context": "x \\ud800", "questions": ["x"]}', 422, "invalid-request"),
    "no object": (b"[]", 422, "invalid-request"),
    "no questions": (b'{"context": "x", "questions": []}', 422, "invalid-request"),
    "empty question": (b'{"context": "x", "questions": ["  "]}', 422, "invalid-request"),
    "empty context": (b'{"context": " ", "questions": ["x"]}', 422, "invalid-request"),
    "number as question": (b'{"context": "x", "questions": [1]}', 422, "invalid-request"),
    "unknown field": (b'{"context": "x", "questions": ["x"], "secret": "Anna"}', 422, "invalid-request"),
    "too many questions": (json.dumps({"context": "x", "questions": ["x"] * 9}).encode(), 422, "too-many-questions"),
    "too large": (b"x" * 20001, 413, "body-too-large"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_line(served: Any, case: str) -> None:
    """With a status, a code and a message that repeats nothing of the request; the server goes on."""
    content, status, code = BAD[case]
    response = served.client.post("/v1/answers", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "Anna" not in response.text
    assert served.ask().status_code == 200


def test_ten_thousand_questions_are_refused(serve_source: Any, source: Any) -> None:
    """Before anything is computed."""
    with serve_source(source) as served:
        response = served.client.post("/v1/answers", json={"context": "x", "questions": ["why?"] * 10_000})
        assert (response.status_code, response.json()["code"]) == (422, "too-many-questions")


def test_fifty_megabytes_are_refused_without_being_read(served: Any) -> None:
    """By their announced length; and when none is announced, after the limit."""
    try:
        response = served.client.post("/v1/answers", content=b"x" * 50_000_000)
        assert response.status_code == 413
    except httpx.WriteError:
        pass  # The server has answered and closed before everything was sent.
    response = served.client.post("/v1/answers", content=iter([b"x" * 8192] * 4))
    assert response.status_code == 413
    assert served.ask().status_code == 200


def test_a_body_that_does_not_come_is_given_up(serve_source: Any, source: Any) -> None:
    """A client that sends a part and waits holds nothing for longer than a request may take."""
    with serve_source(source, "serving.request_seconds=0.2") as served, _send(served, "Where?", 10) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")


def test_too_many_tokens_are_refused(serve_source: Any, source: Any) -> None:
    """The message says how many and how many are allowed."""
    with serve_source(source, "serving.max_request_tokens=100") as served:
        response = served.ask("Ada was born in London. " * 20)
        assert (response.status_code, response.json()["code"]) == (413, "too-many-tokens")
        assert "more than 100" in response.json()["message"]


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer", "secret-token", "Basic secret-token", "Bearer é"])
def test_a_wrong_token_is_refused(served: Any, header: str | None) -> None:
    """For answers and provenance; probes and the page need none."""
    headers = {"Authorization": (header or "").encode("utf-8")}
    for method, path in (("POST", "/v1/answers"), ("GET", "/v1/provenance")):
        response = served.client.request(method, path, headers=headers)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    for path in ("/healthz", "/readyz", "/metrics", "/", "/openapi.json"):
        assert served.client.get(path, headers=headers).status_code == 200


class Held:
    """Makes the model of a server wait until it is let, and notes what it is asked."""

    def __init__(self, served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.entered, self.asked = threading.Event(), threading.Event(), list[str]()
        loaded = served.parts.engine.loaded
        answer = loaded.answer

        def held(passages: Any, wanted: Any) -> Any:
            self.asked += [question.text for passage in passages for question in passage.questions]
            self.entered.set()
            assert self.go.wait(60)
            return answer(passages, wanted)

        monkeypatch.setattr(loaded, "answer", held)


def test_a_full_queue_tells_clients_to_come_back(
    serve_source: Any, source: Any, monkeypatch: pytest.MonkeyPatch, waits: Any
) -> None:
    """429 with Retry-After at once; what was taken is answered."""
    with serve_source(source, "serving.queue_questions=1") as served, ThreadPoolExecutor(2) as pool:
        held = Held(served, monkeypatch)
        first = pool.submit(served.ask, TEXT, "first?")
        assert held.entered.wait(60)
        second = pool.submit(served.ask, TEXT, "second?")
        waits(lambda: served.parts.engine.waiting == 1)
        third = served.ask(TEXT, "third?")
        assert (third.status_code, third.json()["code"], third.headers["Retry-After"]) == (429, "busy", "1")
        held.go.set()
        assert [first.result().status_code, second.result().status_code] == [200, 200]
        assert 'kubepipe_requests_total{status="429"} 1.0' in served.client.get("/metrics").text


def test_nobody_computes_for_a_client_that_hung_up(served: Any, monkeypatch: pytest.MonkeyPatch, waits: Any) -> None:
    """A request that still waits leaves the queue with its client."""
    held = Held(served, monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(served.ask, TEXT, "first?")
        assert held.entered.wait(60)
        connection = _send(served, "gone?")
        waits(lambda: served.parts.engine.waiting == 1)
        connection.close()
        waits(lambda: 'status="499"' in served.client.get("/metrics").text)
        held.go.set()
        assert first.result().status_code == 200
        assert served.ask(TEXT, "last?").status_code == 200
    assert held.asked == ["first?", "last?"]


def _send(served: Any, question: str, length: int | None = None) -> socket.socket:
    """A request over a connection of its own, cut after `length` bytes of its body."""
    address = httpx.URL(str(served.client.base_url))
    body = json.dumps({"context": TEXT, "questions": [question]}).encode()
    head = "POST /v1/answers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret-token\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = socket.create_connection((address.host, address.port or 80))
    connection.sendall(head.encode() + body[:length])
    return connection


def test_provenance_leads_back_to_the_source(served: Any, source: Any) -> None:
    """The record and all statements of the release that answers."""
    body = served.client.get("/v1/provenance").json()
    assert body["release"] == source.wanted()
    steps = [each["predicate"]["buildDefinition"]["externalParameters"]["step"] for each in body["statements"]]
    assert (steps[0], steps[-1]) == ("prepare-data", "publish-model")
    assert body["record"]["source_digest"].startswith("sha256:")


def test_nothing_of_a_request_is_logged(served: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither of an answered nor of a refused one; not in the metrics either."""
    served.ask("Zanzibar is the word.", "Quagga where?")
    served.client.post("/v1/answers", json={"context": "Zanzibar", "questions": ["Quagga"] * 9})
    served.client.post("/v1/answers?Quagga", content=b"Zanzibar")
    said = "".join(capfd.readouterr()) + served.client.get("/metrics").text
    assert "answered" in said
    assert not {"Zanzibar", "Quagga"} & {word for word in ("Zanzibar", "Quagga") if word in said}


def test_the_interface_describes_itself(served: Any) -> None:
    """OpenAPI names the paths and the errors, and no page loads scripts from elsewhere."""
    schema = served.client.get("/openapi.json").json()
    assert {"/v1/answers", "/v1/provenance", "/healthz", "/readyz", "/metrics"} <= set(schema["paths"])
    assert {"200", "400", "401", "413", "422", "429", "503", "504"} <= set(
        schema["paths"]["/v1/answers"]["post"]["responses"]
    )
    assert served.client.get("/docs").status_code == 404


def test_a_client_that_hangs_up_harms_nobody(served: Any, waits: Any) -> None:
    """Connections that are cut within or after the request leave a server that answers."""
    for length in (None, 20, 0):
        _send(served, "Where?", length).close()
    assert served.ask().status_code == 200
    waits(lambda: served.parts.engine.waiting == 0)


def test_a_path_or_method_that_is_not_there_is_told_alike(served: Any) -> None:
    """In the form of all other refusals, and it is no request for answers that was refused."""
    for method, path, status, code in (
        ("GET", "/v1/answers", 405, "method-not-allowed"),
        ("POST", "/nowhere", 404, "not-found"),
    ):
        response = served.client.request(method, path)
        assert (response.status_code, response.json()["code"]) == (status, code)
    assert 'status="404"' not in served.client.get("/metrics").text


def test_a_request_that_is_given_up_stops_between_its_windows(serve_source: Any, source: Any, waits: Any) -> None:
    """A long context is not read to its end for a client whose time is over, so the next one need not wait for it."""
    limits = ("serving.request_seconds=0.5", "serving.max_request_tokens=1000000", "serving.batch_size=1")
    with serve_source(source, *limits) as served:
        # Sentences of their own, so that no window was read before.
        context = "".join(f"Ada {number} was born in London. " for number in range(6000))
        windows = served.parts.engine.loaded.size(context, ["Where?"]).windows
        assert served.ask(context).status_code == 504
        waits(lambda: served.ask(TEXT).status_code == 200)
        assert _metric(served, "kubepipe_contexts_total") < windows
