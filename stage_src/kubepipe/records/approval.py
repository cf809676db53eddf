"""What a person decided about data that the privacy gate does not pass by itself.

An approval names the digest of the minimised data set and the digest of the policy, so it holds for exactly the data
that was looked at and for the rules that held then. A release is an approval of data that broke rules: it names the
rules that it overrules, and holds for no other. A decision lies where the steps behind the gate cannot write: in the
quarantine bucket of a cluster, in the run's own store on a laptop. The newest one counts; a rejection takes an earlier
approval back.

    approvals/<data set>/<policy>.json      schema approval; both names are digests without their prefix
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from kubepipe.errors import IntegrityError
from kubepipe.records.documents import validate
from kubepipe.records.step import read_record, write_record
from kubepipe.storage import Store

SCHEMA: Final = "approval"
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Approval:
    """A decision.

    Attributes:
        run: Run that asked for it.
        dataset_digest: Digest of the minimised data set, as the gate's verdict names it.
        policy_digest: Digest of the privacy policy, as the gate's verdict names it.
        verdict: `approved` or `rejected`.
        by: Who decided; a user name or an address, as the organisation knows people.
        reason: In the person's own words; no value of the data belongs in it.
        at: ISO 8601, UTC.
        overrules: Codes of the rules that the data broke and that the person overrules; empty where none was broken.
    """

    run: str
    dataset_digest: str
    policy_digest: str
    verdict: Literal["approved", "rejected"]
    by: str
    reason: str = ""
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    overrules: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The decision as JSON document."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "overrules": list(self.overrules)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Approval:
        """The decision of a checked document."""
        values = {name: value for name, value in document.items() if name != "schema_version"}
        return cls(**{**values, "overrules": tuple(values.get("overrules", ()))})


def write_approval(store: Store, approval: Approval) -> None:
    """Check a decision and write it to its place; it replaces an earlier one on the same data and policy.

    Raises:
        IntegrityError: It does not fit its schema.
        OutputError: The store cannot be written.
    """
    document = approval.document()
    validate(document, SCHEMA, place=SCHEMA)
    write_record(store, approval_key(approval.dataset_digest, approval.policy_digest), document, SCHEMA)


def find_approval(store: Store, dataset_digest: str, policy_digest: str) -> Approval | None:
    """The decision on exactly this data set under exactly this policy, or None.

    Raises:
        IntegrityError: The document does not fit its schema, or names another data set or policy than its place.
    """
    key = approval_key(dataset_digest, policy_digest)
    document = read_record(store, key, SCHEMA)
    if document is None:
        return None
    approval = Approval.from_document(document)
    if (approval.dataset_digest, approval.policy_digest) != (dataset_digest, policy_digest):
        raise IntegrityError(
            "the approval is of another data set or policy", place=key, remedy="Remove it and decide again"
        )
    return approval


def approval_key(dataset_digest: str, policy_digest: str) -> str:
    """Key of a decision in its store."""
    return f"approvals/{dataset_digest.removeprefix('sha256:')}/{policy_digest.removeprefix('sha256:')}.json"
