"""What serving takes: cold start, memory, questions per second, latency, energy; what load, swap and crash do to it.

    python benchmarks/bench_serving.py RUN [--seconds N] [--clients 1 4 16] [--questions N]
    python benchmarks/bench_serving.py RUN --against transformers     the same against `transformers serve`
    python benchmarks/bench_serving.py RUN --load 600                 load with a swap and a rollback in it
    python benchmarks/bench_serving.py RUN --crash 60                 load with kill -9, and a supervisor that restarts

RUN is the folder of a finished run that published its model. Questions are those of its protected data set, one a
request unless --questions says more. Both servers get the same model (merged), the same prompts, greedy decoding and at
most 32 tokens. `transformers serve` needs `pip install 'transformers[serving]'`. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from kubepipe.passages import iter_passages
from kubepipe.pipeline.folder import RunFolder
from kubepipe.records.run import load_records
from kubepipe.releases import current
from kubepipe.stages import STAGES
from kubepipe.storage import FolderStore
from kubepipe.training.prompt import INSTRUCTION

Ask = tuple[str, tuple[str, ...]]
READY_SECONDS = 600.0


@dataclass
class Seen:
    """What clients saw."""

    seconds: list[float] = field(default_factory=list)
    questions: int = 0
    failed: list[str] = field(default_factory=list)
    retried: int = 0
    releases: set[str] = field(default_factory=set)

    def document(self, wall: float) -> dict[str, Any]:
        """Rates and quantiles."""
        cuts = statistics.quantiles(self.seconds, n=20) if len(self.seconds) > 1 else [0.0] * 19
        return {
            "requests": len(self.seconds),
            "questions_per_second": round(self.questions / wall, 2),
            "p50_ms": round(1000 * cuts[9], 1),
            "p95_ms": round(1000 * cuts[18], 1),
            "failed": len(self.failed),
            "retried_connections": self.retried,
            "releases": len(self.releases),
        }


class Ours:
    """`kubepipe serve`."""

    ready = "/readyz"

    def __init__(self, run: Path) -> None:
        self.run = run

    def command(self, port: int) -> list[str]:
        """How it is started."""
        return [sys.executable, "-m", "kubepipe.cli", "serve", str(self.run), "--port", str(port)]

    def ask(self, client: httpx.Client, ask: Ask) -> str:
        """One request; the release that answered."""
        response = client.post("/v1/answers", json={"context": ask[0], "questions": list(ask[1])})
        response.raise_for_status()
        return str(response.json()["release"])


class Transformers:
    """`transformers serve` on the merged model."""

    ready = "/health"

    def __init__(self, run: Path, scratch: Path) -> None:
        self.model = scratch / "merged"
        _merge(run, self.model)

    def command(self, port: int) -> list[str]:
        """How it is started."""
        program = Path(sys.executable).with_name("transformers")
        return [str(program), "serve", str(self.model), "--port", str(port), "--device", "cpu"]

    def ask(self, client: httpx.Client, ask: Ask) -> str:
        """One request per question, for it knows no more."""
        for question in ask[1]:
            content = f"Context:\n{ask[0]}\nQuestion: {question}"
            messages = [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": content}]
            body = {
                "model": str(self.model),
                "messages": messages,
                "max_tokens": 32,
                "temperature": 0.0,
                "stream": False,
            }
            client.post("/v1/chat/completions", json=body).raise_for_status()
        return "transformers"


Server = Ours | Transformers


@dataclass
class Running:
    """A server as a process."""

    server: Server
    port: int
    process: subprocess.Popen[bytes]
    cold_seconds: float = 0.0

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> None:
        """Until it is ready."""
        started = time.monotonic()
        while time.monotonic() - started < READY_SECONDS:
            assert self.process.poll() is None, "the server ended"
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(self.address + self.server.ready).status_code == 200:  # noqa: PLR2004
                    self.cold_seconds = time.monotonic() - started
                    return
            time.sleep(0.05)
        raise SystemExit("the server did not become ready")


@contextlib.contextmanager
def running(server: Server, port: int | None = None) -> Iterator[Running]:
    """A server that is ready."""
    if port is None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
    process = subprocess.Popen(server.command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    started = Running(server, port, process)
    try:
        started.wait()
        yield started
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()


def drive(
    server: Server, address: str, asks: Sequence[Ask], clients: int, until: Callable[[], bool], *, retry: bool = False
) -> tuple[Seen, float]:
    """Ask with some clients at once, each as soon as it has its answer."""
    seen, lock, rounds = Seen(), threading.Lock(), itertools.cycle(asks)

    def client() -> None:
        with httpx.Client(base_url=address, timeout=300) as http:
            while not until():
                with lock:
                    ask = next(rounds)
                started = time.monotonic()
                release = _asked(server, http, ask, seen, retry=retry)
                with lock:
                    if release is not None:
                        seen.seconds.append(time.monotonic() - started)
                        seen.questions += len(ask[1])
                        seen.releases.add(release)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    started = time.monotonic()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return seen, time.monotonic() - started


def _asked(server: Server, http: httpx.Client, ask: Ask, seen: Seen, *, retry: bool) -> str | None:
    while True:
        try:
            return server.ask(http, ask)
        except httpx.TransportError as error:
            if not retry:
                seen.failed.append(type(error).__name__)
                return None
            seen.retried += 1
            time.sleep(0.1)
        except httpx.HTTPStatusError as error:
            # 503 is what a server says that is not ready yet after a restart.
            if not retry or error.response.status_code != 503:  # noqa: PLR2004
                seen.failed.append(str(error.response.status_code))
                return None
            seen.retried += 1
            time.sleep(0.1)


def throughput(server: Server, asks: Sequence[Ask], options: argparse.Namespace) -> dict[str, Any]:
    """Cold start, then each number of clients for some seconds."""
    with running(server) as started:
        process = psutil.Process(started.process.pid)
        result: dict[str, Any] = {
            "cold_start_seconds": round(started.cold_seconds, 2),
            "idle_rss_mib": round(process.memory_info().rss / 2**20),
        }
        drive(server, started.address, asks, 1, _after(min(5.0, options.seconds)))
        for clients in options.clients:
            before, cpu = _energy(started), _cpu(process)
            seen, wall = drive(server, started.address, asks, clients, _after(options.seconds))
            row = seen.document(wall)
            row["cpu_seconds_per_1000_answers"] = round(1000 * (_cpu(process) - cpu) / max(1, seen.questions), 1)
            if before is not None:
                time.sleep(16)  # the meter adds up spans of 15 s
                row["wh_per_1000_answers"] = round(
                    1e6 * ((_energy(started) or 0.0) - before) / max(1, seen.questions), 3
                )
            result[f"clients_{clients}"] = row
        result["loaded_rss_mib"] = round(process.memory_info().rss / 2**20)
    return result


def load(run: Path, asks: Sequence[Ask], seconds: float, clients: int) -> dict[str, Any]:
    """Load with a swap after a third of the time and a rollback after two."""
    with tempfile.TemporaryDirectory() as scratch, running(Ours(_copied(run, Path(scratch)))) as started:
        copy = Path(scratch) / "run"

        def act() -> None:
            time.sleep(seconds / 3)
            _publish_again(run, copy)
            time.sleep(seconds / 3)
            subprocess.run([sys.executable, "-m", "kubepipe.cli", "rollback", str(copy)], check=True)

        actor = threading.Thread(target=act)
        actor.start()
        seen, wall = drive(started.server, started.address, asks, clients, _after(seconds))
        actor.join()
        return {"seconds": seconds, **seen.document(wall), "failures": sorted(set(seen.failed))}


def crash(run: Path, asks: Sequence[Ask], seconds: float, clients: int) -> dict[str, Any]:
    """Load with kill -9 in the middle; a supervisor starts the server again, clients try again."""
    with running(Ours(run)) as first:

        def act() -> None:
            time.sleep(seconds / 2)
            first.process.kill()
            first.process.wait()
            first.process = subprocess.Popen(
                first.server.command(first.port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )

        actor = threading.Thread(target=act)
        actor.start()
        seen, wall = drive(first.server, first.address, asks, clients, _after(seconds), retry=True)
        actor.join()
        return {"seconds": seconds, **seen.document(wall), "failures": sorted(set(seen.failed))}


def _copied(run: Path, scratch: Path) -> Path:
    """A run's folder with a store of its own, so that the run itself stays as it is."""
    source, target = RunFolder(run), RunFolder(scratch / "run")
    for name in ("store", "signing", "keys"):
        shutil.copytree(getattr(source, name), getattr(target, name), copy_function=os.link)
    return target.root


def _publish_again(run: Path, copy: Path) -> None:
    """Publish the same model under other settings: another release."""
    source, target = RunFolder(run), RunFolder(copy)
    identity = source.read_identity()
    assert identity is not None
    records = load_records(FolderStore(target.store), identity["run"], STAGES)
    os.environ |= {
        "KUBEPIPE_RUN": identity["run"],
        "KUBEPIPE_STORE": str(target.store),
        "KUBEPIPE_PERMIT_KEY": str(target.keys / "permit-public.pem"),
        "KUBEPIPE_SIGNING_KEY": str(target.signing / "model-signing.pem"),
    }
    settings = json.loads((source.state / "settings.json").read_text(encoding="utf-8"))
    settings["publish"]["tolerance"] = 99.0
    uris = {name: artifact.uri for record in records.values() for name, artifact in record.outputs.items()}
    benchmark = records["benchmark-model"].outputs["metrics"].uri
    inputs = {name: uris[name] for name in ("protected_dataset", "privacy_permit", "output_model")}
    command = (
        "import json, sys; from kubepipe.stages import run_stage; given = json.loads(sys.argv[1]);"
        "run_stage('publish-model', given['settings'], inputs=given['inputs'], outputs=given['outputs'])"
    )
    given = {
        "settings": json.dumps(settings),
        "inputs": {**inputs, "benchmark_metrics": benchmark},
        "outputs": {"release": str(target.state / "release.json")},
    }
    subprocess.run([sys.executable, "-c", command, json.dumps(given)], check=True)


def _merge(run: Path, target: Path) -> None:
    from kubepipe.scoring import Predictor
    from kubepipe.settings import Settings
    from kubepipe.training.loading import load_tokenizer

    predictor = Predictor(run / "model", Settings().scoring, Settings().training)
    predictor._ready(adapter=True).save_pretrained(target)  # noqa: SLF001 - the very model that we serve
    load_tokenizer(run / "model" / "base").save_pretrained(target)


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _energy(started: Running) -> float | None:
    if not isinstance(started.server, Ours):
        return None
    for line in httpx.get(f"{started.address}/metrics").text.splitlines():
        if line.startswith("kubepipe_energy_kwh_total "):
            return float(line.split()[1])
    return None


def _cpu(process: psutil.Process) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in [process, *process.children(recursive=True)])


def _asks(run: Path, questions: int) -> list[Ask]:
    found = []
    for passage in iter_passages(run / "dataset", "validation"):
        texts = [each.text for each in passage.questions]
        found += [(passage.context, tuple(texts[at : at + questions])) for at in range(0, len(texts), questions)]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--questions", type=int, default=1)
    parser.add_argument("--against", choices=["transformers"])
    parser.add_argument("--load", type=float, metavar="SECONDS")
    parser.add_argument("--crash", type=float, metavar="SECONDS")
    options = parser.parse_args()
    run = options.run.absolute()
    entry = current(FolderStore(RunFolder(run).store))
    assert entry is not None, "the run published nothing"
    asks = _asks(run, options.questions)
    result: dict[str, Any] = {"cores": len(os.sched_getaffinity(0)), "machine": platform.machine()}
    result |= {
        "load_before": round(os.getloadavg()[0], 2),
        "release": entry.release[7:19],
        "different_requests": len(asks),
    }
    if options.load:
        result["load"] = load(run, asks, options.load, max(options.clients))
    elif options.crash:
        result["crash"] = crash(run, asks, options.crash, max(options.clients))
    else:
        result["kubepipe"] = throughput(Ours(run), asks, options)
        if options.against:
            with tempfile.TemporaryDirectory() as scratch:
                result["transformers"] = throughput(Transformers(run, Path(scratch)), asks, options)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
