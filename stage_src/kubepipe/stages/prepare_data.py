"""prepare-data: read the source, split it, seal it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from kubepipe.errors import InputError
from kubepipe.passages import read_manifest, read_source, write_dataset
from kubepipe.records import digest_tree
from kubepipe.sealing import seal_folder
from kubepipe.stages.context import StageContext
from kubepipe.storage import open_store


def fingerprint(context: StageContext) -> Mapping[str, str]:
    """The source by its bytes, wherever it lies."""
    with _local(context.parameters["source"]) as source:
        return {"source": digest_tree(source) if source.exists() else "missing"}


def run(context: StageContext) -> Mapping[str, Any]:
    """Read and split the source, write it sealed.

    Raises:
        InputError: The source is no data set.
    """
    with _local(context.parameters["source"]) as path, tempfile.TemporaryDirectory() as scratch:
        context.progress(0.1, "reads")
        source = read_source(path, context.settings.dataset, seed=context.settings.seed)
        plain = Path(scratch) / "dataset"
        write_dataset(plain, source.splits, origin={"digest": source.digest}, counts=source.counts)
        context.progress(0.7, "seals")
        seal_folder(plain, context.outputs["output_dataset"], context.data_key(create=True))
        manifest = read_manifest(plain)
    return {
        "format": source.format,
        "dataset_digest": manifest.digest,
        "source_digest": source.digest,
        "splits": manifest.document()["splits"],
        "counts": dict(source.counts),
    }


@contextmanager
def _local(source: str) -> Iterator[Path]:
    """The source as a local path; an object is downloaded and removed afterwards."""
    if not source.startswith("s3://"):
        yield Path(source)
        return
    bucket, _, key = source.removeprefix("s3://").partition("/")
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / (PurePosixPath(key.rstrip("/")).name or "dataset")
        if not key or not open_store(f"s3://{bucket}").download(key.rstrip("/"), target):
            raise InputError("there is no such object", place="the source", remedy="Give s3://bucket/key of a data set")
        yield target
