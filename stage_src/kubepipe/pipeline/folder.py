"""The folder of a local run: every path in it is named here and nowhere else."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kubepipe.errors import BusyError, OutputError
from kubepipe.records import write_text

_STATE: Final = ".kubepipe"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's folder.

    Attributes:
        root: What the user calls the run's folder; results for people lie right in it.
    """

    root: Path

    @property
    def run_json(self) -> Path:
        """What the run came to (schema run)."""
        return self.root / "run.json"

    @property
    def report(self) -> Path:
        """The report as one web page."""
        return self.root / "report.html"

    @property
    def summary(self) -> Path:
        """The report in short, as Markdown."""
        return self.root / "summary.md"

    @property
    def dataset(self) -> Path:
        """The protected data set with its permit."""
        return self.root / "dataset"

    @property
    def model(self) -> Path:
        """The tuned model with everything to load it."""
        return self.root / "model"

    @property
    def inference_results(self) -> Path:
        """Answered sample questions, a JSON object a line."""
        return self.root / "inference_results.jsonl"

    @property
    def logs(self) -> Path:
        """What the steps and the engine said."""
        return self.root / "logs"

    @property
    def state(self) -> Path:
        """What a later run resumes from."""
        return self.root / _STATE

    @property
    def store(self) -> Path:
        """The object store of the run: records, wrapped keys, releases."""
        return self.state / "store"

    @property
    def artifacts(self) -> Path:
        """Outputs of the steps, sealed until the permit."""
        return self.state / "artifacts"

    @property
    def keys(self) -> Path:
        """Private keys of the laptop mode."""
        return self.state / "keys"

    @property
    def signing(self) -> Path:
        """The pair of keys that releases are signed and checked with."""
        return self.state / "signing"

    @property
    def progress(self) -> Path:
        """How far each step is."""
        return self.state / "progress"

    @property
    def scratch(self) -> Path:
        """Checkpoints."""
        return self.state / "scratch"

    @property
    def identity(self) -> Path:
        """Which run this folder holds."""
        return self.state / "identity.json"

    def read_identity(self) -> dict[str, str] | None:
        """Run id and what it stands for, or None when there is none."""
        try:
            value: dict[str, str] = json.loads(self.identity.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return value

    def write_identity(self, run: str, inputs: str) -> None:
        """Note the run id and the digest of what its data steps depend on."""
        write_text(self.identity, json.dumps({"run": run, "inputs": inputs}))

    @contextmanager
    def opened(self) -> Iterator[bool]:
        """Hold the folder for one run; yields whether it is new.

        Raises:
            OutputError: It cannot be written, holds other files, or another run holds it.
        """
        new = not self.state.is_dir()
        self._refuse_foreign(new=new)
        made = [folder for folder in (self.root, *self.root.parents) if not folder.exists()]
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            self.logs.mkdir(exist_ok=True)
            lock = (self.state / "lock").open("w")
        except OSError as error:
            raise OutputError(
                f"cannot be written ({error.strerror})", place=str(self.root), remedy="Choose another folder with --out"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise BusyError(
                    "another run is using it", place=str(self.root), remedy="Wait for it, or choose another --out"
                ) from error
            try:
                yield new
            finally:
                if new and not self._has_results():
                    self._leave_as_it_was(made)

    def _leave_as_it_was(self, made: list[Path]) -> None:
        """Nothing came of the run: remove what it made, innermost first; a folder that somebody else uses stays."""
        for child in (self.state, self.logs):
            shutil.rmtree(child, ignore_errors=True)
        with suppress(OSError):
            for folder in made:
                folder.rmdir()

    def _has_results(self) -> bool:
        records = (json.loads(file.read_text(encoding="utf-8")) for file in self.store.glob("runs/*/*.json"))
        return any(record.get("status") != "failed" for record in records)

    def _refuse_foreign(self, *, new: bool) -> None:
        if self.root.exists() and not self.root.is_dir():
            raise OutputError("is no folder", place=str(self.root), remedy="Choose another folder with --out")
        if new and self.root.is_dir() and any(self.root.iterdir()):
            raise OutputError(
                "holds files that are no run of KubePipe",
                place=str(self.root),
                remedy="Choose another folder with --out",
            )
