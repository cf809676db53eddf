"""prepare-data: read the source, split it, seal it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kubepipe.errors import KubePipeError
from kubepipe.passages import read_manifest, read_source, write_dataset
from kubepipe.records import digest_tree
from kubepipe.records.claim import SCHEME, take_claim
from kubepipe.sealing import seal_folder
from kubepipe.stages.context import StageContext
from kubepipe.storage.arrivals import ObjectVersion, fetch_newest, fetch_version


def admit(context: StageContext) -> None:
    """Take the claim of an automatic run: of two workflows for one attempt, one goes on.

    Raises:
        FencedError: Another run works on it.
    """
    source = context.parameters["source"]
    if source.startswith(SCHEME):
        take_claim(context.store, source, context.run)


def fingerprint(context: StageContext) -> Mapping[str, str]:
    """The source by its bytes, wherever it lies."""
    with _local(context) as (source, _):
        return {"source": digest_tree(source) if source.exists() else "missing"}


def run(context: StageContext) -> Mapping[str, Any]:
    """Read and split the source, write it sealed.

    Raises:
        InputError: The source is no data set.
    """
    with _local(context) as (path, version), tempfile.TemporaryDirectory() as scratch:
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
        # A schedule that names a key reads whatever lies there: say what it was. No key, for a key can name a person.
        "source_version": asdict(version) if version else None,
    }


@contextmanager
def _local(context: StageContext) -> Iterator[tuple[Path, ObjectVersion | None]]:
    """The source as a local path, and of an object its version; objects are downloaded and removed afterwards."""
    source = context.parameters["source"]
    if not source.startswith((SCHEME, "s3://")):
        yield Path(source), None
        return
    with tempfile.TemporaryDirectory() as scratch:
        if source.startswith(SCHEME):
            claim = take_claim(context.store, source, context.run)
            found = fetch_version(claim.bucket, claim.key, claim.version_id, claim.etag, Path(scratch), claim.marker)
            version = ObjectVersion(claim.version_id, claim.etag, claim.size)
        else:
            bucket, _, key = source.removeprefix("s3://").partition("/")
            found, version = fetch_newest(bucket, key.rstrip("/"), Path(scratch))
        try:
            yield found, version
        except KubePipeError as error:
            if error.place:
                error.relocate(_without_keys(error.place, found))
            raise


def _without_keys(place: str, root: Path) -> str:
    """A place with numbers for the downloaded objects, in the order of their keys: a key can name a person."""
    files = sorted(file for file in root.rglob("*") if file.is_file()) if root.is_dir() else []
    numbered = {str(file): f"object {number} of {len(files)}" for number, file in enumerate(files, start=1)}
    # Longest first: a name can begin with another one.
    for name in sorted(numbered, key=len, reverse=True):
        place = place.replace(name, numbered[name])
    return place.replace(str(root), "the objects" if files else "the object")
