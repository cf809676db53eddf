"""Dataset folders: `train.parquet`, `validation.parquet` and `manifest.json`."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import kubepipe
from kubepipe.errors import IntegrityError, OutputError
from kubepipe.passages.manifest import MANIFEST, SCHEMA, Manifest, SplitSummary, Summing, digest_splits, read_manifest
from kubepipe.passages.model import SPLITS, Passage, Split
from kubepipe.passages.parquet import read_passages, write_passages
from kubepipe.records import validate, write_document


def write_dataset(
    folder: Path,
    splits: Mapping[Split, Iterable[Passage]],
    *,
    origin: Mapping[str, Any],
    counts: Mapping[str, int],
) -> Manifest:
    """Write a dataset folder; the manifest comes last, so a folder without one is unfinished.

    Args:
        folder: Made if it is not there; files of an earlier data set in it are replaced.
        splits: Passages of each split, read once and never held all at once; a missing split is empty.
        origin: Digest of the source, version of the object; never the name of a file.
        counts: What was dropped or repaired, by reason.

    Raises:
        IntegrityError: A passage has an answer that does not stand where it says.
        OutputError: The folder cannot be written.
    """
    temporary = {split: folder / f".{split}.parquet.part" for split in SPLITS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        summaries = {split: _write_split(temporary[split], splits.get(split, ())) for split in SPLITS}
        manifest = Manifest(
            splits=summaries,
            counts=dict(counts),
            digest=digest_splits(summaries),
            origin=dict(origin),
            created_by=f"kubepipe {kubepipe.__version__}",
        )
        validate(manifest.document(), SCHEMA, place=str(folder / MANIFEST))
        # From here on the folder is neither the old data set nor the new one until the manifest says so.
        (folder / MANIFEST).unlink(missing_ok=True)
        for split, path in temporary.items():
            path.replace(_file(folder, split))
        write_document(folder / MANIFEST, manifest.document(), SCHEMA)
    except OSError as error:
        raise OutputError(
            f"cannot be written ({error.strerror or type(error).__name__})",
            place=str(folder),
            remedy="Choose another place",
        ) from error
    finally:
        for path in temporary.values():
            _remove(path)
    return manifest


def iter_passages(folder: Path, split: Split) -> Iterator[Passage]:
    """Passages of a split in their order, streamed; nothing is verified.

    Raises:
        IntegrityError: The file is missing or damaged.
    """
    return read_passages(_file(folder, split))


def verify_dataset(folder: Path) -> Manifest:
    """Read everything again and compare it with the manifest.

    Raises:
        IntegrityError: The folder is incomplete, damaged, or holds other passages than its manifest says.
    """
    manifest = read_manifest(folder)
    for split in SPLITS:
        summing = Summing()
        deque(summing.watch(iter_passages(folder, split)), maxlen=0)
        if summing.summary() != manifest.splits[split]:
            raise IntegrityError(
                "does not hold what its manifest says",
                place=str(_file(folder, split)),
                remedy="Make the data set again",
            )
    if manifest.digest != digest_splits(manifest.splits):
        raise IntegrityError(
            "names a digest that is not its own", place=str(folder / MANIFEST), remedy="Make the data set again"
        )
    return manifest


def is_dataset(folder: Path) -> bool:
    """Whether KubePipe wrote this folder; a damaged one counts too, so that its damage is reported."""
    try:
        document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and str(document.get("created_by")).startswith("kubepipe")


def _write_split(path: Path, passages: Iterable[Passage]) -> SplitSummary:
    summing = Summing()
    write_passages(path, summing.watch(map(_checked, passages)))
    return summing.summary()


def _checked(passage: Passage) -> Passage:
    if passage.misaligned() or not passage.questions:
        raise IntegrityError(
            f"passage {passage.id} has no question, or an answer that does not stand in its context",
            remedy="This is a fault of KubePipe: please report it",
        )
    return passage


def _file(folder: Path, split: Split) -> Path:
    return folder / f"{split}.parquet"


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # The folder cannot be written at all; the error that matters is on its way.
        return
