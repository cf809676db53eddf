"""What goes on under load: a swap and a rollback, a crash; or what somebody else does to a server elsewhere."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from clients import Ask, after, drive
from publishing import copied, publish_again
from servers import PATIENT, Ours, Running, launched, metrics, running


def load(run: Path, asks: Sequence[Ask], seconds: float, clients: int) -> dict[str, Any]:
    """Load with a swap after a third of the time and a rollback after two. Nothing is tried again."""
    with tempfile.TemporaryDirectory() as scratch, running(Ours(copied(run, Path(scratch)), PATIENT)) as started:
        copy = Path(scratch) / "run"

        def act() -> None:
            time.sleep(seconds / 3)
            publish_again(run, copy)
            time.sleep(seconds / 3)
            subprocess.run([sys.executable, "-m", "kubepipe.cli", "rollback", str(copy)], check=True)

        found = _beside(act, lambda: drive(started.server, started.address, asks, clients, after(seconds)))
        told = metrics(started.address)
        return {
            "seconds": seconds,
            "clients": clients,
            **found.interruptions(),
            "swaps": told["kubepipe_release_swaps_total"],
            "rss_mib_after": round(started.used().gib * 1024),
        }


def crash(run: Path, asks: Sequence[Ask], seconds: float, clients: int) -> dict[str, Any]:
    """Load with kill -9 after a third and after two thirds; a supervisor starts the server again."""
    with running(Ours(run, PATIENT)) as started:
        over = threading.Event()
        ends: list[float] = []

        def act() -> None:
            for _ in range(2):
                time.sleep(seconds / 3)
                started.process.kill()

        supervisor = threading.Thread(target=_supervise, args=(started, over, ends))
        supervisor.start()
        found = _beside(act, lambda: drive(started.server, started.address, asks, clients, after(seconds), retry=True))
        over.set()
        supervisor.join()
        return {"seconds": seconds, "clients": clients, "kills": len(ends), **found.interruptions()}


def remote(url: str, asks: Sequence[Ask], seconds: float, clients: int, token: str | None) -> dict[str, Any]:
    """Load on a server that runs elsewhere, and is swapped, rolled back or killed by somebody else meanwhile."""
    headers = {"Authorization": f"Bearer {token}"} if token else None
    found = drive(Ours(Path()), url, asks, clients, after(seconds), retry=True, headers=headers)
    return {"seconds": seconds, "clients": clients, **found.interruptions()}


def _supervise(started: Running, over: threading.Event, ends: list[float]) -> None:
    """Start the server again at once whenever it ends, as an init system or a kubelet does."""
    while not over.wait(0.05):
        if started.process.poll() is not None:
            ends.append(time.monotonic())
            started.process = launched(started.server, started.port)


def _beside(act: Callable[[], None], work: Callable[[], Any]) -> Any:
    """Do something while something else goes on; what fails in either fails here."""
    problems: list[BaseException] = []

    def guarded() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - raised again below
            problems.append(error)

    actor = threading.Thread(target=guarded)
    actor.start()
    found = work()
    actor.join()
    if problems:
        raise problems[0]
    return found
