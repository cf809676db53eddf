"""The claim on a version of an object: it makes sure that the version has one effective run, and outlives everything.

claims/<name>.json              the claim; first written by a conditional write, then by the controller alone
claims/<name>/fence-<attempt>   the run that works on an attempt; written once, by the first step of that run
active/<name>                   a mark that lists unfinished claims without reading all of them
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from kubepipe.errors import FencedError, InputError
from kubepipe.records.documents import validate
from kubepipe.records.step import read_record, write_record
from kubepipe.storage import Store

SCHEMA_VERSION: Final = 1
SCHEME: Final = "claim:"
State = Literal["claimed", "submitted", "ended", "deleted"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim.

    Attributes:
        name: Name of the DatasetRun that it belongs to.
        bucket: Bucket of the object.
        key: Key of the object; of a data set of many objects that of its marker.
        version_id: Version of the object, where the bucket has versions.
        etag: Entity tag of the object, without quotes.
        size: Size in bytes.
        marker: Whether the object only marks that the folder around it is complete.
        trigger: What made the DatasetRun.
        settings: Settings that the DatasetRun asks for.
        attempt: Number of the current attempt, from 1.
        tries: Attempts since a person last asked for a run.
        reruns: How many of the reruns that persons asked for were taken up.
        state: How far it is.
        run: Id of the KFP run of the current attempt, once it is known.
        created_at: ISO 8601, UTC.
        submitted_at: When the current attempt was handed to KFP.
        next_attempt_at: Not before this time is the current attempt started.
        status: Last status of the DatasetRun; a DatasetRun that is made anew takes it over.
    """

    name: str
    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None
    size: int | None = None
    marker: bool = False
    trigger: str = "upload"
    settings: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    tries: int = 1
    reruns: int = 0
    state: State = "claimed"
    run: str | None = None
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    submitted_at: str | None = None
    next_attempt_at: str | None = None
    status: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do."""
        return self.state in {"claimed", "submitted"}

    @property
    def run_name(self) -> str:
        """Name of the current attempt's run in KFP: the same whoever submits it, so that it can be adopted."""
        return f"{self.name}-{self.attempt}"

    def document(self) -> dict[str, Any]:
        """The claim as JSON document (schema claim)."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}


def read_claim(store: Store, name: str) -> Claim | None:
    """The claim of a DatasetRun, or None.

    Raises:
        IntegrityError: The claim does not fit its schema.
    """
    document = read_record(store, claim_key(name), "claim")
    if document is None:
        return None
    return Claim(**{key: value for key, value in document.items() if key != "schema_version"})


def create_claim(store: Store, claim: Claim) -> bool:
    """Write a claim unless there is one; False when there is.

    The mark comes first: an open claim without a mark would be forgotten when its DatasetRun is deleted unseen.
    """
    document = claim.document()
    validate(document, "claim", place=claim_key(claim.name))
    store.write(_mark_key(claim.name), b"")
    return store.create(claim_key(claim.name), json.dumps(document, sort_keys=True, ensure_ascii=False).encode())


def write_claim(store: Store, claim: Claim) -> None:
    """Write the next state of a claim; its mark comes before it when it opens, and goes after it when it ends."""
    if claim.is_open:
        store.write(_mark_key(claim.name), b"")
    write_record(store, claim_key(claim.name), claim.document(), "claim")
    if not claim.is_open:
        store.delete(_mark_key(claim.name))


def open_claims(store: Store) -> Iterator[str]:
    """Names of the claims that may be unfinished."""
    return (key.removeprefix("active/") for key in store.keys("active/"))


def clear_mark(store: Store, name: str) -> None:
    """Remove the mark of a claim that has ended: a crash right before its removal leaves one."""
    store.delete(_mark_key(name))


def claimed_names(store: Store) -> Iterator[str]:
    """Names of all claims."""
    return (key.removeprefix("claims/").removesuffix(".json") for key in store.keys("claims/") if key.endswith(".json"))


def claim_key(name: str) -> str:
    """Key of a claim in the store."""
    return f"claims/{name}.json"


def claim_source(name: str, attempt: int) -> str:
    """What a run gets as source: it names the claim and no object, for a key can name a person."""
    return f"{SCHEME}{name}/{attempt}"


def fence_owner(store: Store, name: str, attempt: int) -> str | None:
    """Id of the run that works on an attempt, or None when none has begun."""
    owner = store.read(_fence_key(name, attempt))
    return owner.decode() if owner is not None else None


def take_claim(store: Store, source: str, run: str) -> Claim:
    """The claim behind a source, fenced for a run: the first run to ask has it, every other is refused.

    Args:
        store: Where claims lie.
        source: What `claim_source` gave.
        run: Id of the asking run; the same run may ask again.

    Raises:
        InputError: There is no such claim.
        FencedError: Another run works on it.
    """
    name, _, attempt = source.removeprefix(SCHEME).partition("/")
    claim = read_claim(store, name)
    if claim is None or not attempt.isdecimal():
        raise InputError("there is no such claim", place=source, remedy="Upload the data set again")
    if not store.create(_fence_key(name, int(attempt)), run.encode()):
        owner = fence_owner(store, name, int(attempt))
        if owner != run:
            raise FencedError(f"run {owner} works on it already", place=source, remedy="Nothing is to be done")
    return claim


def _fence_key(name: str, attempt: int) -> str:
    return f"claims/{name}/fence-{attempt}"


def _mark_key(name: str) -> str:
    return f"active/{name}"
