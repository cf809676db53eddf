"""Destroying what is sealed of a run, at once: its data key, its sealed artifacts, its mapping; on request its source.

What passed the gate, records and models stay, and so do the long-lived keys: other runs use them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from typing import Any, Final

from kubepipe.pipeline.folder import RunFolder
from kubepipe.records.claim import SCHEME, read_claim
from kubepipe.records.step import read_step_record, write_record
from kubepipe.sealing import is_sealed, mapping_name, shred
from kubepipe.storage import FolderStore, Store, open_store
from kubepipe.storage.versions import (
    Source,
    Version,
    delete_versions,
    folder_of,
    read_of,
    source_versions,
)

SEALED: Final[Mapping[str, str]] = {
    "prepare-data": "output_dataset",
    "anonymize-data": "anonymized_dataset",
    "minimize-data": "minimized_dataset",
}
"""Steps and their sealed output."""
UNTOUCHED: Final = "stays where it lies"


@dataclass(frozen=True, slots=True)
class SourceLeft:
    """What was deleted of a source, and what is left of it.

    Attributes:
        bucket: Bucket.
        deleted: Versions that were deleted.
        same_bytes_left: Versions that remain and hold the bytes that the run read; None where these are not known, as
            of a folder.
        other_versions_left: The other versions that remain.
        delete_markers_left: Marks of deletions.
    """

    bucket: str
    deleted: int
    same_bytes_left: int | None
    other_versions_left: int
    delete_markers_left: int

    def text(self) -> str:
        """For people."""
        versions = (
            f"{self.other_versions_left} versions"
            if self.same_bytes_left is None
            else f"{self.same_bytes_left} with the same bytes, {self.other_versions_left} others"
        )
        left = f"{versions}, {self.delete_markers_left} delete markers"
        return f"source in bucket {self.bucket}: {self.deleted} versions deleted; left are {left}"


def shred_folder(folder: RunFolder, run: str, by: str) -> dict[str, Any]:
    """Destroy what is sealed of a local run; what was done (schema `shredded`)."""
    store = FolderStore(folder.store)
    done = shred(store, run)
    sealed = [path for path in _folders(folder.artifacts) if is_sealed_here(path)]
    for path in sealed:
        rmtree(path)
    mapping = erase_mapping(store, run)
    return _note(store, run, by, key_was_there=done.key_was_there, sealed=len(sealed), mapping=mapping, source=None)


def shred_stored(store: Store, quarantine: Store, run: str, by: str, source: SourceLeft) -> dict[str, Any]:
    """Destroy what is sealed of a run whose records and artifacts lie in a store; what was done (schema `shredded`)."""
    done = shred(store, run)
    sealed = sum(_erase_artifact(each) for each in sealed_uris(store, run))
    mapping = erase_mapping(quarantine, run)
    return _note(store, run, by, key_was_there=done.key_was_there, sealed=sealed, mapping=mapping, source=source)


def sealed_uris(store: Store, run: str) -> list[str]:
    """Where the sealed outputs of a run lie, by its records."""
    records = ((read_step_record(store, run, step), output) for step, output in SEALED.items())
    found = (record.outputs.get(output) for record, output in records if record is not None)
    return [artifact.uri for artifact in found if artifact is not None]


def erase_mapping(store: Store, run: str) -> bool:
    """Destroy a run's mapping with all its versions; whether there was one."""
    was_there = store.read(mapping_name(run)) is not None
    if was_there:
        store.erase(mapping_name(run))
    return was_there


def source_of(store: Store, parameter: str, version: Mapping[str, Any] | None) -> Source | None:
    """The object behind a run's `source` parameter; None when its claim is gone.

    Args:
        store: Where claims lie.
        parameter: `s3://bucket/key`, or a claim's name.
        version: The version that prepare-data recorded, if it did.
    """
    if parameter.startswith(SCHEME):
        claim = read_claim(store, parameter.removeprefix(SCHEME).partition("/")[0])
        if claim is None:
            return None
        if claim.marker:
            return Source(claim.bucket, folder_of(claim.key))
        return Source(claim.bucket, claim.key, claim.version_id, claim.etag)
    bucket, _, key = parameter.removeprefix("s3://").partition("/")
    told = version or {}
    is_object = told.get("objects", 1) == 1 and not str(told.get("etag", "")).startswith("sha256:")
    if not is_object:
        return Source(bucket, f"{key.rstrip('/')}/")
    return Source(bucket, key.rstrip("/"), told.get("version_id"), told.get("etag"))


def look_at_source(client: Any, source: Source, *, delete: bool, every: bool) -> SourceLeft:
    """Count the versions of a source that remain, after deleting those that were asked for.

    Args:
        client: A MinIO client with the right to list, and to delete where that is asked for.
        source: The source.
        delete: Delete the versions with the bytes that the run read.
        every: Delete all versions and delete markers, later ones included.

    Raises:
        AccessError: The credentials do not suffice.
    """
    before = source_versions(client, source)
    chosen: list[Version] = before if every else read_of(before) if delete else []
    deleted = delete_versions(client, source, chosen)
    after = source_versions(client, source) if chosen else before
    markers = sum(each.is_marker for each in after)
    same = len(read_of(after)) if source.is_known else None
    return SourceLeft(source.bucket, deleted, same, len(after) - markers - (same or 0), markers)


def is_sealed_here(path: Path) -> bool:
    """Whether a folder is itself a sealed artifact, and not a folder around one."""
    return path.is_dir() and (path / ".files.sealed").is_file() and is_sealed(path)


def _folders(artifacts: Path) -> Iterable[Path]:
    """Folders that hold files of their own."""
    return sorted({path.parent for path in artifacts.rglob("*") if path.is_file()}) if artifacts.is_dir() else []


def _erase_artifact(uri: str) -> bool:
    """Erase an artifact in a bucket with all its files; whether there was one."""
    scheme, _, rest = uri.partition("://")
    if scheme not in {"s3", "minio"}:
        return False
    bucket, _, key = rest.partition("/")
    store = open_store(f"s3://{bucket}")
    names = list(store.keys(f"{key}/"))
    for name in names:
        store.erase(name)
    return bool(names)


def _note(
    store: Store, run: str, by: str, *, key_was_there: bool, sealed: int, mapping: bool, source: SourceLeft | None
) -> dict[str, Any]:
    document = {
        "schema_version": 1,
        "run": run,
        "by": by,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data_key": "destroyed" if key_was_there else "was gone",
        "sealed_artifacts_removed": sealed,
        "mapping": "destroyed" if mapping else "none",
        "source": UNTOUCHED if source is None else asdict(source),
    }
    write_record(store, f"runs/{run}/shredded.json", document, "shredded")
    return document
