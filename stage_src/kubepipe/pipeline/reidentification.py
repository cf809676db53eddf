"""Looking up what a surrogate stands for, with a record of who did."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

from kubepipe.errors import InputError
from kubepipe.records.step import read_record, write_record
from kubepipe.sealing import Link, load_mapping_key, look_up, mapping_name, question_digest
from kubepipe.storage import Store


def original_of(
    store: Store, run: str, surrogate: str, key_file: Path, *, by: str, reason: str
) -> list[tuple[Link, int]]:
    """What a surrogate stands for in a run, most frequent first; that somebody asked is recorded before it is told.

    Raises:
        InputError: The run has no mapping.
        IntegrityError: The key is missing or another, or the mapping was changed.
        OutputError: The record cannot be written; then nothing is told.
    """
    document = read_record(store, mapping_name(run), "mapping")
    if document is None:
        raise InputError(
            "has no mapping", place=f"run {run}", remedy="Only privacy.mapping=sealed makes one, and shredding ends it"
        )
    key = load_mapping_key(key_file)
    found = look_up(document, surrogate, key)
    now = datetime.now(UTC)
    note = {
        "schema_version": 1,
        "run": run,
        "by": by,
        "at": now.isoformat(timespec="seconds"),
        "reason": reason,
        "question": question_digest(document, surrogate, key),
        "found": len(found),
    }
    name = f"reidentifications/{run}/{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.json"
    write_record(store, name, note, "reidentification")
    return found
