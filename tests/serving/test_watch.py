"""Which release answers: verified first, followed, and swapped without a failed request."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubepipe.releases import append, create_model_keys
from kubepipe.serving import Source, watch


def test_a_swap_and_a_rollback_fail_no_request(
    serve_source: Any, source: Any, ledger: Any, tiny_folder: Path, waits: Any
) -> None:
    """Clients that ask all the time see the release change and nothing else."""
    first = source.wanted()
    seen: list[tuple[int, str]] = []
    stop = threading.Event()
    with serve_source(source) as served:

        def ask() -> None:
            while not stop.is_set():
                response = served.ask()
                seen.append((response.status_code, response.json().get("release", "")))

        clients = [threading.Thread(target=ask) for _ in range(4)]
        for each in clients:
            each.start()
        ledger.fill("two", tiny_folder, f1=60.0)
        second = ledger.publish("two").results["release"]
        waits(lambda: seen and seen[-1][1] == second)
        append(ledger.store, first, "rollback", admit=lambda _: True)
        waits(lambda: seen[-1][1] == first)
        stop.set()
        for each in clients:
            each.join()
        assert "kubepipe_release_swaps_total 3.0" in served.client.get("/metrics").text
    assert {status for status, _ in seen} == {200}
    assert {release for _, release in seen} == {first, second}


def _break(ledger: Any, digest: str, what: str) -> None:
    folder = ledger.release(digest)
    if what == "bytes missing":
        (folder / "model/tuned/model.safetensors").unlink()
    elif what == "all bytes missing":
        shutil.rmtree(folder)
    elif what == "one byte":
        file = folder / "model/tuned/model.safetensors"
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.unlink()
        file.write_bytes(data)


@pytest.mark.parametrize(
    ("what", "hop"), [("bytes missing", "weights"), ("all bytes missing", "release"), ("one byte", "weights")]
)
def test_a_release_that_does_not_hold_is_not_loaded(
    serve_source: Any, source: Any, ledger: Any, what: str, hop: str
) -> None:
    """Readiness says why, answers are refused with 503, and the process lives."""
    _break(ledger, source.wanted(), what)
    with serve_source(source) as served:
        ready = served.client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"], ready.json()["refused"]["hop"]) == (503, False, hop)
        response = served.ask()
        assert (response.status_code, response.json()["code"]) == (503, "not-ready")
        assert response.headers["Retry-After"]
        assert served.client.get("/healthz").status_code == 200
        assert served.client.get("/v1/provenance").status_code == 503


def test_a_newer_release_that_does_not_hold_leaves_the_older_one(
    serve_source: Any, source: Any, ledger: Any, tiny_folder: Path
) -> None:
    """It goes on answering; readiness names the refused one; a rollback clears it."""
    first = source.wanted()
    with serve_source(source, watch=False) as served:
        ledger.fill("two", tiny_folder, f1=60.0)
        second = ledger.publish("two").results["release"]
        _break(ledger, second, "one byte")
        served.parts.watcher.look()
        ready = served.client.get("/readyz")
        assert (ready.status_code, ready.json()["release"]) == (200, first)
        assert (ready.json()["refused"]["release"], ready.json()["refused"]["hop"]) == (second, "weights")
        assert served.ask().json()["release"] == first
        append(ledger.store, first, "rollback", admit=lambda _: True)
        served.parts.watcher.look()
        assert "refused" not in served.client.get("/readyz").json()


def test_current_that_points_nowhere_is_told(serve_source: Any, source: Any, ledger: Any) -> None:
    """The pointer names a release that the store does not have; the one that answers stays."""
    with serve_source(source, watch=False) as served:
        append(ledger.store, "sha256:" + "f" * 64, "publish", admit=lambda _: True)
        served.parts.watcher.look()
        assert served.client.get("/readyz").json()["refused"]["hop"] == "release"
        assert served.ask().status_code == 200


def test_a_broken_pointer_is_told(serve_source: Any, source: Any, ledger: Any) -> None:
    """An entry that is no JSON ends nothing."""
    with serve_source(source, watch=False) as served:
        ledger.store.write("models/current/00000002.json", b"{")
        served.parts.watcher.look()
        refused = served.client.get("/readyz").json()["refused"]
        assert (refused["release"], "current/00000002.json: is no JSON" in refused["reason"]) == ("", True)
        assert served.ask().status_code == 200


def test_another_key_is_told(serve_source: Any, source: Any, tmp_path: Path) -> None:
    """A rotated key loads nothing that the old one signed."""
    create_model_keys(tmp_path / "rotated")
    rotated = Source(source.store, (tmp_path / "rotated",), source.cache)
    with serve_source(rotated) as served:
        assert served.client.get("/readyz").json()["refused"]["hop"] == "signing-key"


def test_a_rotation_is_taken_over_while_the_server_runs(
    serve_source: Any, ledger: Any, tiny_folder: Path, tmp_path: Path
) -> None:
    """Keys are read again for each release: the old one answers, then the new one, and a rollback finds the old key."""
    first = ledger.publish("one").results["release"]
    keys: Path = ledger.folder.signing
    source = Source(ledger.store, (keys,), tmp_path / "cache")
    with serve_source(source, watch=False) as served:
        assert served.ask().json()["release"] == first
        (keys / "model-public.pem").rename(keys / "model-trusted-1.pem")
        (keys / "model-signing.pem").unlink()
        ledger.fill("two", tiny_folder, f1=60.0)
        second = ledger.publish("two").results["release"]
        served.parts.watcher.look()
        assert served.ask().json()["release"] == second
        append(ledger.store, first, "rollback", admit=lambda _: True)
        served.parts.watcher.look()
        assert served.ask().json()["release"] == first


class Elsewhere:
    """A store that is no folder of this machine, so that releases are copied out of it; counts the copies."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.copies = inner, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def download(self, key: str, target: Path) -> bool:
        """Copy out of it."""
        self.copies += 1
        return bool(self.inner.download(key, target))


def test_a_release_that_is_mended_in_the_store_is_served(
    serve_source: Any, ledger: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that did not hold is not kept, and a refused release is tried again, though not at each look."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(watch, "time", clock)
    digest = ledger.publish("one").results["release"]
    weights = ledger.release(digest) / "model/tuned/model.safetensors"
    whole = weights.read_bytes()
    weights.unlink()
    source = Source(Elsewhere(ledger.store), (ledger.public_key,), tmp_path / "cache")
    with serve_source(source, "serving.watch_seconds=0.5", watch=False) as served:
        assert served.client.get("/readyz").json()["refused"]["hop"] == "weights"
        served.parts.watcher.look()
        assert source.store.copies == 1
        weights.write_bytes(whole)
        clock.now = 1.0
        served.parts.watcher.look()
        assert (source.store.copies, served.ask().status_code) == (2, 200)


def test_the_cache_holds_the_release_that_answers_and_the_one_before(
    serve_source: Any, ledger: Any, tiny_folder: Path, tmp_path: Path
) -> None:
    """So that a rollback is quick, and a server that lives long does not fill its disk; other files stay."""
    cache = tmp_path / "cache"
    (cache / ".new.interrupted").mkdir(parents=True)
    (cache / "mine").write_text("x", encoding="utf-8")
    source = Source(Elsewhere(ledger.store), (ledger.public_key,), cache)
    digests = [ledger.publish("one").results["release"]]
    with serve_source(source, watch=False) as served:
        for number in (2, 3):
            ledger.fill(str(number), tiny_folder, f1=50.0 + number)
            digests.append(ledger.publish(str(number)).results["release"])
            served.parts.watcher.look()
        assert served.ask().json()["release"] == digests[2]
    assert {each.name for each in cache.iterdir()} == {"mine", *(digest[7:] for digest in digests[1:])}


def test_nothing_published_is_told(serve_source: Any, ledger: Any, tmp_path: Path, waits: Any) -> None:
    """A server may start first; it is ready once something is published."""
    with serve_source(Source(ledger.store, (ledger.public_key,), tmp_path)) as served:
        assert "nothing is published" in json.dumps(served.client.get("/readyz").json())
        ledger.publish("one")
        waits(lambda: served.client.get("/readyz").status_code == 200)
        assert served.ask().status_code == 200


def test_a_request_that_is_too_slow_is_given_up(serve_source: Any, source: Any) -> None:
    """The client hears 504, and the server goes on."""
    with serve_source(source, "serving.request_seconds=0.2") as served:
        # Its body is read within the time, its answers take longer.
        response = served.ask("Ada was born in London. " * 2000)
        assert (response.status_code, response.json()["code"]) == (504, "too-slow")


def test_a_server_that_is_stopped_answers_what_it_has(serve_source: Any, source: Any) -> None:
    """A graceful drain: requests that are under way when it is told to stop are answered."""
    with serve_source(source) as served:
        answers: list[int] = []
        text = "Ada was born in London. " * 150
        threads = [threading.Thread(target=lambda: answers.append(served.ask(text).status_code)) for _ in range(4)]
        for each in threads:
            each.start()
        while served.parts.engine.waiting < 2:
            pass
        served.server.should_exit = True
        for each in threads:
            each.join()
    assert answers == [200] * 4
