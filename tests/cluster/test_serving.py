"""The server of the published model: answers with its token, and a pod that is killed costs retries only."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.remote.forward import forwarded

from .conftest import CHART, RELEASE, Cluster

pytestmark = pytest.mark.cluster

NAME = f"{RELEASE}-serving"
CONTEXT = "The hospital of Bonn was opened in 1952 by its first director, and closed in 1991."
QUESTIONS = ["When was it opened?", "Who opened it?", "When was it closed?", "Where was the hospital?"]


@pytest.fixture(scope="module")
def token(cluster: Cluster, run: str) -> str:
    """Serving was switched on by an upgrade and is ready; its bearer token."""
    assert run
    # Without --wait: the hook that makes the server's user comes last, and only then can the server be ready.
    cluster.helm("upgrade", RELEASE, str(CHART), "--reuse-values", "--set", "serving.enabled=true", "--timeout", "10m")
    _until_ready(cluster)
    return cluster.secret(f"{NAME}-token")["token"].decode()


def test_the_server_answers_by_what_was_published(cluster: Cluster, token: str) -> None:
    """Ready only with a verified release; the token of its secret is needed."""
    with forwarded(cluster.namespace, NAME, 80) as address, httpx.Client(base_url=f"http://{address}") as client:
        body = {"context": CONTEXT, "questions": QUESTIONS}
        assert client.post("/v1/answers", json=body).status_code == 401
        answered = client.post("/v1/answers", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=120)
    assert answered.status_code == 200
    assert answered.json()["release"][7:19] in cluster.kubepipe("releases")


def test_a_pod_that_is_killed_under_load_costs_retries_only(cluster: Cluster, token: str) -> None:
    """Clients see broken and refused connections, and whoever asks again gets the answer of before."""
    before = [_ask(cluster, token, question) for question in QUESTIONS]
    retries, over = [0] * len(QUESTIONS), threading.Event()

    def keep_asking(number: int) -> list[Any]:
        answers = []
        while not over.is_set():
            try:
                answers.append(_ask(cluster, token, QUESTIONS[number]))
            # A connection that breaks or is refused, or for a while no pod to connect to.
            except (httpx.TransportError, KubePipeError):
                retries[number] += 1
                time.sleep(1)
        return answers

    with ThreadPoolExecutor(len(QUESTIONS)) as pool:
        clients = [pool.submit(keep_asking, number) for number in range(len(QUESTIONS))]
        try:
            time.sleep(5)
            killed = _kill(cluster)
            _until_ready(cluster, other_than=killed)
            time.sleep(20)
        finally:
            over.set()
        after = [client.result(180) for client in clients]
    assert sum(retries) > 0, "nobody noticed"
    for number, answers in enumerate(after):
        assert answers, f"client {number} had no answer"
        assert answers == [before[number]] * len(answers)


def _ask(cluster: Cluster, token: str, question: str) -> Any:
    """One request over a connection of its own; anything but an answer fails the test."""
    with forwarded(cluster.namespace, NAME, 80) as address:
        body = {"context": CONTEXT, "questions": [question]}
        headers = {"Authorization": f"Bearer {token}"}
        answered = httpx.post(f"http://{address}/v1/answers", json=body, headers=headers, timeout=120)
    assert answered.status_code == 200, answered.text
    return answered.json()["answers"][0]["answer"]


def _pods(cluster: Cluster) -> list[Any]:
    from kubernetes import client

    selector = "app.kubernetes.io/component=serving"
    return list(client.CoreV1Api().list_namespaced_pod(cluster.namespace, label_selector=selector).items)


def _kill(cluster: Cluster) -> str:
    """Kill the one pod without its time to drain; its name."""
    from kubernetes import client

    (pod,) = _pods(cluster)
    client.CoreV1Api().delete_namespaced_pod(pod.metadata.name, cluster.namespace, grace_period_seconds=0)
    return str(pod.metadata.name)


def _until_ready(cluster: Cluster, other_than: str = "", seconds: float = 420.0) -> None:
    deadline = time.monotonic() + seconds
    while not any(_is_ready(pod) for pod in _pods(cluster) if pod.metadata.name != other_than):
        assert time.monotonic() < deadline, f"{NAME} is not ready within {seconds} s"
        time.sleep(2)


def _is_ready(pod: Any) -> bool:
    conditions = pod.status.conditions or []
    return any(each.type == "Ready" and each.status == "True" for each in conditions)
