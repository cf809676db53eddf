"""The servers that are compared: how each is started, asked, and measured from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from clients import Ask

from kubepipe.energy.watts import cpu_watts
from kubepipe.settings import EnergySettings
from kubepipe.training.prompt import INSTRUCTION, UNANSWERABLE

READY_SECONDS = 600.0
_OK = 200
PATIENT = "serving.request_seconds=300"
"""As long as the clients wait: what other programs take of the machine must not count as failed."""


class Ours:
    """`kubepipe serve` of a run's folder.

    Args:
        run: The folder.
        overrides: Settings, as PATH=VALUE.
    """

    ready = "/readyz"

    def __init__(self, run: Path, *overrides: str) -> None:
        self.run, self._more = run, [part for each in overrides for part in ("--set", each)]

    def command(self, port: int) -> list[str]:
        """How it is started."""
        return [sys.executable, "-m", "kubepipe.cli", "serve", str(self.run), "--port", str(port), *self._more]

    def ask(self, client: httpx.Client, ask: Ask) -> tuple[str, tuple[str, ...]]:
        """One request."""
        response = client.post("/v1/answers", json={"context": ask[0], "questions": list(ask[1])})
        response.raise_for_status()
        found = response.json()
        return str(found["release"]), tuple(each["answer"] for each in found["answers"])


class Transformers:
    """`transformers serve` on the same merged model.

    Args:
        program: The program.
        model: Folder of the model.
        options: More of its options.
    """

    ready = "/health"

    def __init__(self, program: Path, model: Path, *options: str) -> None:
        self._program, self._model, self._options = program, model, options

    def command(self, port: int) -> list[str]:
        """How it is started."""
        command = [str(self._program), "serve", str(self._model), "--port", str(port), "--device", "cpu"]
        return [*command, "--log-level", "error", *self._options]

    def ask(self, client: httpx.Client, ask: Ask) -> tuple[str, tuple[str, ...]]:
        """One request a question, for it knows no more."""
        return "transformers", tuple(self._one(client, ask[0], question) for question in ask[1])

    def _one(self, client: httpx.Client, context: str, question: str) -> str:
        content = f"Context:\n{context}\nQuestion: {question}"
        body = {
            "model": str(self._model),
            "messages": [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": content}],
            "max_tokens": 32,
            "temperature": 0.0,
            "stream": False,
        }
        response = client.post("/v1/chat/completions", json=body)
        response.raise_for_status()
        text = str(response.json()["choices"][0]["message"]["content"] or "").strip()
        return "" if text.lower().rstrip(".") == UNANSWERABLE else text


Server = Ours | Transformers


@dataclass(frozen=True)
class Used:
    """What a server has used so far."""

    cpu_seconds: float
    gib: float
    at: float = field(default_factory=time.monotonic)

    def wh_since(self, before: Used) -> float:
        """Electricity since, by the figures of the energy ledger: CPU seconds, and memory over time."""
        settings = EnergySettings()
        processor = (self.cpu_seconds - before.cpu_seconds) * cpu_watts(settings).watts
        memory = (self.at - before.at) * (self.gib + before.gib) / 2 * settings.ram_watts_per_gib
        return (processor + memory) / 3600


@dataclass
class Running:
    """A server as a process."""

    server: Server
    port: int
    process: subprocess.Popen[bytes]
    ready_seconds: float = 0.0
    first_answer_seconds: float = 0.0

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def used(self) -> Used:
        """Processor and memory of the process and those that it started."""
        own = psutil.Process(self.process.pid)
        family = [own, *own.children(recursive=True)]
        cpu = sum(sum(each.cpu_times()[:2]) for each in family)
        return Used(cpu, sum(each.memory_info().rss for each in family) / 2**30)

    def wait(self, started: float) -> None:
        """Until it says that it is ready, then until it has answered once."""
        with httpx.Client(base_url=self.address, timeout=300) as client:
            while True:
                assert self.process.poll() is None, "the server ended"
                assert time.monotonic() - started < READY_SECONDS, "the server did not become ready"
                with contextlib.suppress(httpx.TransportError):
                    if client.get(self.server.ready).status_code == _OK:
                        break
                time.sleep(0.05)
            self.ready_seconds = time.monotonic() - started
            self.server.ask(client, ("The sun rises in the east.", ("Where does the sun rise?",)))
            self.first_answer_seconds = time.monotonic() - started


@contextlib.contextmanager
def running(server: Server) -> Iterator[Running]:
    """A server that has answered once."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    began = time.monotonic()
    started = Running(server, port, launched(server, port))
    try:
        started.wait(began)
        yield started
    finally:
        started.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.process.wait(60)
        started.process.kill()
        started.process.wait()


def launched(server: Server, port: int) -> subprocess.Popen[bytes]:
    """The process of a server."""
    # `kubepipe serve` sets it for itself; a peer whose waiting threads spin would pay for what else the machine does.
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.Popen(server.command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def metrics(address: str) -> dict[str, float]:
    """Our server's metrics by name, those without labels."""
    lines = httpx.get(f"{address}/metrics").text.splitlines()
    pairs: list[Any] = [line.split() for line in lines if not line.startswith("#") and "{" not in line]
    return {name: float(value) for name, value in pairs}
