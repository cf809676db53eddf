"""Run the graph on this machine: the same graph as in a cluster, by `kfp.local`.

The engine and its steps are one process group of their own, so that ending a run ends the running step as well.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

from kubepipe.pipeline.folder import RunFolder
from kubepipe.records import digest_json, digest_tree, write_text
from kubepipe.records.run import load_records
from kubepipe.releases import create_model_keys
from kubepipe.sealing import create_keys, data_key_name
from kubepipe.settings import Settings, settings_digest, settings_json
from kubepipe.stages.catalogue import BEFORE_GATE, STAGES
from kubepipe.stages.versions import code_digest
from kubepipe.storage import FolderStore

_POLL_SECONDS: Final = 0.2
_GRACE_SECONDS: Final = 30.0


class Stopped(BaseException):
    """The user or the system asked to stop."""

    def __init__(self, signum: int) -> None:
        self.signum = signum
        super().__init__(signum)


def identify(folder: RunFolder, source: Path, settings: Settings) -> str:
    """The id of the run to resume in this folder, or of a new one.

    The run is the same while the source, the code and the settings of its privacy steps are; and while its data key is
    there, or all of its privacy steps are done and their files untouched.
    """
    inputs = digest_json([digest_tree(source), code_digest(), settings_digest(settings, ["dataset", "privacy"])])
    known = folder.read_identity()
    if known is not None and known["inputs"] == inputs and _can_resume(folder, known["run"]):
        return known["run"]
    run = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"
    folder.write_identity(run, inputs)
    return run


def execute(folder: RunFolder, run: str, source: Path, settings: Settings, watch: Callable[[], None]) -> int:
    """Run or resume the graph to its end.

    Args:
        folder: The run's folder.
        run: Id of the run.
        source: The data set.
        settings: All settings.
        watch: Called several times a second while the graph runs.

    Returns:
        Exit status of the engine; what the run came to stands in its records.

    Raises:
        Stopped: SIGINT or SIGTERM came; the running step was ended first.
    """
    create_keys(folder.keys)
    create_model_keys(folder.signing)
    settings_file = folder.state / "settings.json"
    write_text(settings_file, settings_json(settings))
    command = [sys.executable, "-m", "kubepipe.pipeline.engine", str(source.absolute()), str(settings_file.absolute())]
    with _signals(), (folder.logs / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, str(folder.artifacts.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(folder, run, settings),
            cwd=folder.state,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                watch()
                time.sleep(_POLL_SECONDS)
        finally:
            _end(process)
        watch()
    return process.returncode


def _environment(folder: RunFolder, run: str, settings: Settings) -> dict[str, str]:
    root = folder.root.absolute()
    given = RunFolder(root)
    environment = {
        **os.environ,
        "KUBEPIPE_RUN": run,
        "KUBEPIPE_STORE": str(given.store),
        "KUBEPIPE_KEYS": str(given.keys),
        "KUBEPIPE_PERMIT_KEY": str(given.keys / "permit-public.pem"),
        "KUBEPIPE_SIGNING_KEY": str(given.signing / "model-signing.pem"),
        "KUBEPIPE_PROGRESS": str(given.progress),
        "KUBEPIPE_SCRATCH": str(given.scratch),
        # Waiting threads that spin cost a shared machine half of its time.
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
    }
    if not settings.online:
        environment |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
    return environment


def _can_resume(folder: RunFolder, run: str) -> bool:
    store = FolderStore(folder.store)
    if store.read(data_key_name(run)) is not None:
        return True
    records = load_records(store, run, STAGES)
    done = [records[step] for step in BEFORE_GATE if step in records and records[step].status != "failed"]
    outputs = [artifact for record in done for artifact in record.outputs.values()]
    return len(done) == len(BEFORE_GATE) and all(
        Path(artifact.uri).exists() and digest_tree(Path(artifact.uri)) == artifact.bytes_digest for artifact in outputs
    )


@contextmanager
def _signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into Stopped while the engine runs."""

    def stop(signum: int, _frame: FrameType | None) -> None:
        raise Stopped(signum)

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the engine and its steps: ask first, so that a step can save; then make sure."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    deadline = time.monotonic() + _GRACE_SECONDS
    while _signal_group(process.pid, 0) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(group: int, signum: int) -> bool:
    try:
        os.killpg(group, signum)
    except ProcessLookupError:
        return False
    return True
