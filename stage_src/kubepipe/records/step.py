"""The record that a step writes about itself."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from kubepipe.errors import IntegrityError
from kubepipe.records.documents import validate
from kubepipe.storage import Store

SCHEMA_VERSION: Final = 1
REQUESTED_CORES: Final = "KUBEPIPE_REQUESTED_CORES"
REQUESTED_BYTES: Final = "KUBEPIPE_REQUESTED_BYTES"
"""Variables that tell a step of a cluster what its pod requests."""
Status = Literal["succeeded", "reused", "failed"]


@dataclass(frozen=True, slots=True)
class Artifact:
    """An input or output of a step.

    Attributes:
        digest: Digest of the content: of a data set its passages, else of its bytes. It names the artifact everywhere.
        bytes_digest: Digest of the files as they lie there, sealed or not; checked before an artifact is reused.
        uri: Where it lies: a path or an object URL.
    """

    digest: str
    bytes_digest: str
    uri: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step failed; never holds a value of the data."""

    type: str
    message: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What a step read, wrote, took and came to.

    Attributes:
        run: Id of the run.
        step: Name of the step, for example fine-tune-model.
        status: How it ended; `reused` when the outputs of an earlier equal step were taken.
        started_at: ISO 8601, UTC.
        finished_at: ISO 8601, UTC.
        seconds: Wall time.
        cpu_seconds: CPU time of the step's process tree.
        peak_rss_bytes: Highest resident memory of the step's process.
        energy: The energy record (schema energy).
        inputs: Artifacts read, by name.
        outputs: Artifacts written, by name.
        memo_key: Digest of all that the outputs depend on.
        settings_digest: Digest of the settings that the step depends on.
        versions: Versions of KubePipe, its code, Python and the libraries that shape the result.
        results: What the step found, by its own schema; counts and measures, never a value of the data.
        reused_from: Run whose outputs were taken.
        error: Why it failed.
        attempt: Number of the attempt that wrote this record, from 1; those before it ended without a result.
        requested_cores: Processor cores that its pod requests; None outside a cluster.
        requested_bytes: Memory that its pod requests; None outside a cluster.
        earlier: Energy records of the attempts of this step in this run that failed before; one that was killed at once
            (SIGKILL, a lost node) left none.
    """

    run: str
    step: str
    status: Status
    started_at: str
    finished_at: str
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    energy: Mapping[str, Any]
    memo_key: str
    settings_digest: str
    inputs: Mapping[str, Artifact] = field(default_factory=dict)
    outputs: Mapping[str, Artifact] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    reused_from: str | None = None
    error: Failure | None = None
    attempt: int = 1
    requested_cores: float | None = None
    requested_bytes: int | None = None
    earlier: tuple[Mapping[str, Any], ...] = ()

    def drawn(self, name: str) -> float:
        """What this attempt and the earlier ones took together: energy_kwh, gco2e, seconds, or cpu_seconds."""
        own = {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds}.get(name, self.energy.get(name, 0.0))
        return math.fsum(float(each) for each in (own, *(earlier.get(name, 0.0) for earlier in self.earlier)))

    def document(self) -> dict[str, Any]:
        """The record as JSON document (schema step-record)."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "earlier": [dict(each) for each in self.earlier]}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> StepRecord:
        """The record of a checked document."""
        values = {name: value for name, value in document.items() if name != "schema_version"}
        for side in ("inputs", "outputs"):
            values[side] = {name: Artifact(**artifact) for name, artifact in values[side].items()}
        values["earlier"] = tuple(values.get("earlier", ()))
        values["error"] = Failure(**values["error"]) if values["error"] else None
        return cls(**values)


def write_step_record(store: Store, record: StepRecord) -> None:
    """Check a record and write it to `runs/<run>/<step>.json`."""
    write_record(store, record_key(record.run, record.step), record.document(), "step-record")


def read_step_record(store: Store, run: str, step: str) -> StepRecord | None:
    """The record of a step, or None when it has not ended.

    Raises:
        IntegrityError: The record does not fit its schema.
    """
    document = read_record(store, record_key(run, step), "step-record")
    return None if document is None else StepRecord.from_document(document)


def record_key(run: str, step: str) -> str:
    """Key of a step's record in the store."""
    return f"runs/{run}/{step}.json"


def write_record(store: Store, key: str, document: Mapping[str, Any], schema: str) -> None:
    """Check any document and write it to the store."""
    validate(document, schema, place=key)
    store.write(key, json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False).encode())


def read_record(store: Store, key: str, schema: str) -> dict[str, Any] | None:
    """Read any document from the store and check it, or None when there is none.

    Raises:
        IntegrityError: It is no JSON, or does not fit its schema.
    """
    data = store.read(key)
    if data is None:
        return None
    try:
        document: dict[str, Any] = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(
            f"is no valid {schema}: it is no JSON", place=key, remedy="It was cut or changed by hand; make it again"
        ) from error
    validate(document, schema, place=key)
    return document
