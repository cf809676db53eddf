"""Progress of a running graph: a bar per step on a terminal, a line per step elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from kubepipe.cli.results import key_result
from kubepipe.pipeline.folder import RunFolder
from kubepipe.records.step import StepRecord, read_step_record
from kubepipe.stages.catalogue import STAGES
from kubepipe.storage import FolderStore

Watch = Callable[[], None]


@contextmanager
def open_watch(folder: RunFolder, run: str, console: Console) -> Iterator[Watch]:
    """A function that shows what changed since its last call."""
    for file in folder.progress.glob("*.json"):
        file.unlink()
    follower = _Follower(folder, run)
    if not console.is_terminal:
        yield lambda: follower.tell(_Lines(console))
        return
    rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    progress = Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=10),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[text]}", table_column=rest),
        console=console,
        expand=True,
    )
    bars = _Bars(progress)
    with progress:
        yield lambda: follower.tell(bars)


class _Follower:
    """Reads progress files and records, and tells each change once."""

    def __init__(self, folder: RunFolder, run: str) -> None:
        self._folder, self._run = folder, run
        self._store = FolderStore(folder.store)
        self._seen: dict[str, str] = {}
        self._ended: set[str] = set()

    def tell(self, view: Any) -> None:
        for step in STAGES:
            if step in self._ended:
                continue
            text = self._read(step)
            if text is None or self._seen.get(step) == text:
                continue
            if step not in self._seen:
                view.start(step)
            self._seen[step] = text
            state = json.loads(text)
            record = read_step_record(self._store, self._run, step) if state["share"] >= 1 else None
            if record is None:
                view.move(step, state["share"], state["text"])
                continue
            self._ended.add(step)
            view.end(step, record)

    def _read(self, step: str) -> str | None:
        try:
            return (self._folder.progress / f"{step}.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None


class _Lines:
    """For logs and pipes: one line when a step ends."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def start(self, step: str) -> None:
        pass

    def move(self, step: str, share: float, text: str) -> None:
        pass

    def end(self, step: str, record: StepRecord) -> None:
        reused = " (reused)" if record.status == "reused" else ""
        self._console.print(
            f"{step}{reused}: {record.seconds:.1f} s, {key_result(record)}", markup=False, soft_wrap=True
        )


class _Bars:
    """For terminals."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def start(self, step: str) -> None:
        self._tasks[step] = self._progress.add_task(step, total=1.0, text="")

    def move(self, step: str, share: float, text: str) -> None:
        self._progress.update(self._tasks[step], completed=share, text=text)

    def end(self, step: str, record: StepRecord) -> None:
        self._progress.update(self._tasks[step], completed=1.0, text=key_result(record))
