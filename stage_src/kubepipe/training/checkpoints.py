"""Checkpoints that are either whole or no checkpoints.

A folder that Trainer saved counts only when a manifest was written beside its files, last and at once, and every
digest in it holds. A process that is killed while it saves leaves a folder without a manifest, which is passed over.
The manifest also names the run (model, data, settings, seed): a checkpoint of another one is never taken up.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from kubepipe.records import digest_file, write_text
from kubepipe.training.result import StepLoss

_MANIFEST: Final = "kubepipe-manifest.json"
_LOSSES: Final = "losses.json"


def seal_checkpoint(folder: Path, *, fingerprint: str, losses: list[StepLoss]) -> None:
    """Declare a saved folder whole.

    Args:
        folder: What Trainer saved.
        fingerprint: Digest that names the run.
        losses: The steps so far.
    """
    write_text(folder / _LOSSES, json.dumps([asdict(entry) for entry in losses]))
    manifest = {"fingerprint": fingerprint, "files": _digests(folder)}
    write_text(folder / _MANIFEST, json.dumps(manifest, indent=2, sort_keys=True))


def last_checkpoint(folder: Path, *, fingerprint: str) -> tuple[Path, list[StepLoss]] | None:
    """The newest whole checkpoint of this run, with its losses."""
    for candidate in sorted(folder.glob("checkpoint-*"), key=_step_of, reverse=True):
        if _is_whole(candidate, fingerprint):
            losses = json.loads((candidate / _LOSSES).read_text(encoding="utf-8"))
            return candidate, [StepLoss(**entry) for entry in losses]
    return None


def discard_checkpoints(folder: Path, *, keep: Path | None) -> None:
    """Remove checkpoints except one: broken ones, those of another run, and all when training is done."""
    for candidate in folder.glob("checkpoint-*"):
        if candidate != keep:
            shutil.rmtree(candidate, ignore_errors=True)


def _is_whole(folder: Path, fingerprint: str) -> bool:
    try:
        manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return manifest.get("fingerprint") == fingerprint and manifest.get("files") == _digests(folder)


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != _MANIFEST)
    return {file.relative_to(folder).as_posix(): digest_file(file) for file in files}


def _step_of(folder: Path) -> int:
    number = folder.name.removeprefix("checkpoint-")
    return int(number) if number.isdigit() else -1
