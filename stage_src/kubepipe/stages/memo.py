"""Reuse of earlier equal steps.

The key covers the step, the code, the digests of the inputs, the settings it depends on and its parameters. Bytes are
hashed again before they are taken: a file that was changed behind our back is never reused.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from kubepipe.records import digest_json, digest_tree
from kubepipe.records.step import Artifact, StepRecord, read_step_record
from kubepipe.settings import settings_digest
from kubepipe.stages.catalogue import StageSpec
from kubepipe.stages.context import StageContext
from kubepipe.stages.versions import code_digest
from kubepipe.storage import fetch_uri

_ADMISSION: Final = frozenset({"privacy_permit"})
"""Inputs that say whether a step may run and not what comes of it; the stage's `admit` checks them every time."""

UNKNOWN_KEY: Final = digest_json(None)
"""Stands in a record whose step failed before its key was known."""


def memo_key(
    spec: StageSpec, context: StageContext, inputs: Mapping[str, Artifact], fingerprint: Mapping[str, str]
) -> str:
    """Digest of all that the step's outputs depend on."""
    return digest_json(
        {
            "step": spec.name,
            "code": code_digest(),
            "inputs": {name: artifact.digest for name, artifact in inputs.items() if name not in _ADMISSION},
            "settings": settings_digest(context.settings, spec.sections),
            "parameters": dict(fingerprint),
            "run": context.run if spec.reuse == "own run" else "",
        }
    )


def find(spec: StageSpec, context: StageContext, key: str) -> StepRecord | None:
    """The earlier equal step, with its outputs put in place; None when there is none or its bytes do not hold."""
    if spec.reuse == "never":
        return None
    note = context.store.read(_note(key))
    if note is None:
        return None
    earlier = read_step_record(context.store, json.loads(note)["run"], spec.name)
    if earlier is None or earlier.memo_key != key or set(earlier.outputs) != set(context.outputs):
        return None
    taken = all(_take(artifact, context.outputs[name]) for name, artifact in earlier.outputs.items())
    return earlier if taken else None


def remember(spec: StageSpec, context: StageContext, record: StepRecord) -> None:
    """Note that this run holds outputs for the key."""
    if spec.reuse != "never":
        context.store.write(_note(record.memo_key), json.dumps({"run": record.run}).encode())


def as_reused(record: StepRecord, earlier: StepRecord) -> StepRecord:
    """The record of a step that took earlier outputs.

    Within one run the step's own time and energy stay, for they were spent in this run; from another run they do not
    count again.
    """
    same_run = record.run == earlier.run
    spent = earlier if same_run else record
    return replace(
        record,
        status="reused",
        results=earlier.results,
        reused_from=earlier.reused_from if same_run and earlier.reused_from else earlier.run,
        seconds=spent.seconds,
        cpu_seconds=spent.cpu_seconds,
        peak_rss_bytes=spent.peak_rss_bytes,
        energy=spent.energy,
        earlier=(*spent.earlier, *record.earlier) if same_run else record.earlier,
    )


def _note(key: str) -> str:
    return f"memo/{key.removeprefix('sha256:')}.json"


def _take(artifact: Artifact, target: Path) -> bool:
    """Copy an artifact to its place if its bytes are still those of its record."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new."))
    copy = staging / target.name
    try:
        if not fetch_uri(artifact.uri, copy) or digest_tree(copy) != artifact.bytes_digest:
            return False
        if target.is_dir():
            shutil.rmtree(target)
        copy.replace(target)
    finally:
        shutil.rmtree(staging)
    return True
