"""Clearing what no record names any more."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from kubepipe.pipeline.folder import RunFolder
from kubepipe.records.step import StepRecord


def sweep(folder: RunFolder, records: Mapping[str, StepRecord]) -> None:
    """Remove outputs of earlier attempts that the run's records do not point to, and checkpoints of finished steps."""
    used = [Path(artifact.uri) for record in records.values() for artifact in record.outputs.values()]
    for attempt in folder.artifacts.iterdir():
        for task in list(attempt.iterdir()) if attempt.is_dir() else []:
            if not any(path.is_relative_to(task.absolute()) for path in used):
                shutil.rmtree(task, ignore_errors=True)
        if attempt.is_dir() and not any(attempt.iterdir()):
            attempt.rmdir()
    shutil.rmtree(folder.scratch, ignore_errors=True)
    shutil.rmtree(folder.progress, ignore_errors=True)
