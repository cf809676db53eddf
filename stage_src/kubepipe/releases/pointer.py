"""Which release is current: numbered entries, each written once, the highest holds.

An entry is created by a conditional write, so of two publishers at once one gets the number and the other looks again:
no entry is ever overwritten and none is lost. A rollback is an entry like any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from kubepipe.errors import IntegrityError
from kubepipe.records import validate
from kubepipe.releases.layout import POINTERS
from kubepipe.storage import Store

Action = Literal["publish", "rollback"]
SCHEMA: Final = "release-pointer"


@dataclass(frozen=True, slots=True)
class Entry:
    """A change of what is current.

    Attributes:
        number: From 1, without gaps.
        release: Digest of the release that became current.
        action: publish or rollback.
        run: Run that published it; None for a rollback.
        at: ISO 8601, UTC.
    """

    number: int
    release: str
    action: Action
    run: str | None
    at: str

    def document(self) -> dict[str, Any]:
        """The entry as JSON document (schema release-pointer)."""
        return {"schema_version": 1, **asdict(self)}


def history(store: Store) -> list[Entry]:
    """All entries, oldest first.

    Raises:
        IntegrityError: An entry is no JSON, or does not fit its schema.
    """
    entries = (_read(store, key) for key in sorted(store.keys(f"{POINTERS}/")))
    return [entry for entry in entries if entry is not None]


def current(store: Store) -> Entry | None:
    """The entry that holds, or None when nothing was published.

    Raises:
        IntegrityError: It is no JSON, or does not fit its schema.
    """
    keys = sorted(store.keys(f"{POINTERS}/"))
    return _read(store, keys[-1]) if keys else None


def append(
    store: Store, release: str, action: Action, *, run: str | None = None, admit: Callable[[Entry | None], bool]
) -> Entry | None:
    """Make a release current.

    Args:
        store: The store.
        release: Digest of the release.
        action: Why.
        run: Run that published it.
        admit: Asked with the entry that holds just before; False leaves everything as it is. Asked again when somebody
            else was faster.

    Returns:
        The new entry, the one that holds when it names this release already, or None when it was not admitted.
    """
    while True:
        held = current(store)
        if held is not None and held.release == release:
            return held
        if not admit(held):
            return None
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = Entry(held.number + 1 if held else 1, release, action, run, at)
        document = entry.document()
        validate(document, SCHEMA, place="release pointer")
        if store.create(_key(entry.number), json.dumps(document, indent=2, sort_keys=True).encode()):
            return entry


def _key(number: int) -> str:
    return f"{POINTERS}/{number:08d}.json"


def _read(store: Store, key: str) -> Entry | None:
    data = store.read(key)
    if data is None:
        return None
    try:
        document = json.loads(data)
    except ValueError as error:
        raise IntegrityError("is no JSON", place=key, remedy="Put the entry back, or delete it") from error
    validate(document, SCHEMA, place=key)
    del document["schema_version"]
    return Entry(**document)
