"""How long a local run's artifacts are kept, by class. In a cluster the buckets' rules and the controller do it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from kubepipe.errors import OutputError
from kubepipe.pipeline.folder import RunFolder
from kubepipe.pipeline.quarantine import kept_runs
from kubepipe.pipeline.shredding import SEALED, erase_mapping
from kubepipe.sealing import data_key_name, mapping_name, shred
from kubepipe.settings import RetentionSettings
from kubepipe.storage import FolderStore

_OUTPUTS: Final[dict[str, tuple[str, ...]]] = {
    "intermediate": tuple(SEALED.values()),
    "protected": ("protected_dataset",),
    "permits": ("privacy_permit",),
    "records": (
        "risk_report", "training_history", "sustainability_metrics", "metrics", "plot_html", "summary_markdown",
        "inference_results", "release",
    ),
    "models": ("output_model",),
}  # fmt: skip
"""Outputs of steps by class."""


@dataclass(frozen=True, slots=True)
class Expired:
    """Something whose time is over.

    Attributes:
        cls: Its class, as the settings name it.
        path: Where it lies: a file or a folder.
        age_days: Whole days since it was written.
    """

    cls: str
    path: Path
    age_days: int


def expired(folder: RunFolder, keep: RetentionSettings, now: datetime | None = None) -> list[Expired]:
    """What a run's folder holds longer than its class is kept; of kept runs the data follow `quarantine`."""
    moment = now or datetime.now(UTC)
    store = FolderStore(folder.store)
    kept = {each.run for each in kept_runs(store, store)}
    identity = folder.read_identity()
    in_quarantine = identity is not None and identity["run"] in kept
    found: list[Expired] = []
    for cls, path in _places(folder, kept, in_quarantine=in_quarantine):
        days, age = getattr(keep, cls), _age(path, moment)
        if days and age >= timedelta(days=days):
            found.append(Expired(cls, path, age.days))
    return found


def remove(folder: RunFolder, item: Expired) -> None:
    """Remove what has expired; a data key and a mapping are destroyed as `shred` does it.

    Raises:
        OutputError: It cannot be removed.
    """
    store = FolderStore(folder.store)
    try:
        if item.path.is_relative_to(folder.store / "keys"):
            shred(store, item.path.stem)
        elif item.path.is_relative_to(folder.store / "mappings"):
            erase_mapping(store, item.path.stem)
        elif item.path.is_dir():
            shutil.rmtree(item.path)
        else:
            item.path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot be removed ({error.strerror})", place=str(item.path), remedy="Check who may write there"
        ) from error


def _places(folder: RunFolder, kept: set[str], *, in_quarantine: bool) -> Iterator[tuple[str, Path]]:
    """Everything that has a class, with it."""
    for cls, names in _OUTPUTS.items():
        of = "quarantine" if in_quarantine and cls == "intermediate" else cls
        for name in names:
            yield from ((of, path) for path in sorted(folder.artifacts.rglob(name)))
    for run in _names(folder, data_key_name("*")):
        yield "quarantine" if run in kept else "intermediate", folder.store / data_key_name(run)
    for run in _names(folder, mapping_name("*")):
        yield "mappings", folder.store / mapping_name(run)
    for path in sorted(folder.store.glob("runs/*")):
        # With its records a kept run would be no longer known as one.
        yield "quarantine" if path.name in kept else "records", path
    for path in sorted(folder.store.glob("permits/*.json")):
        yield "permits", path
    # The permit lies inside the protected data set, for whoever takes that away.
    beside = (
        ("protected", folder.dataset),
        ("permits", folder.dataset / "permit.json"),
        ("models", folder.model),
        ("models", folder.store / "models"),
        ("models", folder.scratch),
        ("records", folder.run_json),
        ("records", folder.report),
        ("records", folder.summary),
        ("records", folder.inference_results),
        ("records", folder.logs),
    )
    yield from ((cls, path) for cls, path in beside if path.exists())


def _names(folder: RunFolder, pattern: str) -> list[str]:
    return [path.stem for path in sorted(folder.store.glob(pattern))]


def _age(path: Path, now: datetime) -> timedelta:
    """Since the newest file of it was written."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    newest = max((file.stat().st_mtime for file in files), default=path.stat().st_mtime)
    return now - datetime.fromtimestamp(newest, UTC)
