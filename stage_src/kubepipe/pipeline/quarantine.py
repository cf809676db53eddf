"""What the privacy gate keeps: which runs, why, and what a person decides about them. No value of the data is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from kubepipe.errors import InputError, QuarantinedError
from kubepipe.pipeline.folder import RunFolder
from kubepipe.privacy import OVERRULABLE
from kubepipe.records.approval import Approval, find_approval, write_approval
from kubepipe.records.step import read_record, read_step_record
from kubepipe.sealing import data_key_name
from kubepipe.stages.catalogue import GATE
from kubepipe.storage import Store

_VERDICT: Final = "/verdict.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A run whose data the gate did not let through.

    Attributes:
        run: Id of the run.
        verdict: `quarantine`, or `needs_human` where all rules hold and the policy asks for a person.
        since: When the gate said so (ISO 8601); empty when its record is gone.
        reasons: Code and text of each rule that is broken.
        dataset_digest: Digest of the protected data that was measured.
        policy_digest: Digest of the policy.
        measures: Counts and shares that the gate measured.
        is_sealed: Whether the data key is still there; without it nobody can open the data.
        decision: What a person has decided about it, if anybody has.
    """

    run: str
    verdict: str
    since: str
    reasons: tuple[tuple[str, str], ...]
    dataset_digest: str
    policy_digest: str
    measures: dict[str, Any]
    is_sealed: bool
    decision: Approval | None

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the broken rules; none where the gate only asks for a person."""
        return tuple(code for code, _ in self.reasons) if self.verdict == "quarantine" else ()

    def document(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "run": self.run,
            "verdict": self.verdict,
            "since": self.since,
            "reasons": [{"code": code, "text": text} for code, text in self.reasons],
            "dataset_digest": self.dataset_digest,
            "policy_digest": self.policy_digest,
            "measures": self.measures,
            "data": "sealed" if self.is_sealed else "key destroyed",
            "decision": self.decision.document() if self.decision else None,
        }


def run_folders(where: Path) -> list[RunFolder]:
    """The run that a folder holds, or the runs in the folders right below it.

    Raises:
        InputError: There is none.
    """
    if RunFolder(where).state.is_dir():
        return [RunFolder(where)]
    below = sorted(where.iterdir()) if where.is_dir() else []
    found = [RunFolder(each) for each in below if RunFolder(each).state.is_dir()]
    if not found:
        raise InputError("holds no run", place=str(where), remedy="Give a run's folder, or a folder of them")
    return found


def kept_runs(store: Store, approvals: Store) -> list[Kept]:
    """Runs of a store that the gate keeps, oldest first."""
    runs = [key.removeprefix("runs/").removesuffix(_VERDICT) for key in store.keys("runs/") if key.endswith(_VERDICT)]
    found = (read_kept(store, approvals, run) for run in runs)
    return sorted((each for each in found if each is not None), key=lambda each: (each.since, each.run))


def read_kept(store: Store, approvals: Store, run: str) -> Kept | None:
    """What the gate keeps of one run, or None when it let the data pass or has not looked at it.

    Raises:
        IntegrityError: A record does not fit its schema.
    """
    verdict = read_record(store, f"runs/{run}{_VERDICT}", "verdict")
    if verdict is None or verdict["verdict"] == "pass":
        return None
    record, policy = read_step_record(store, run, GATE), verdict.get("policy_digest", "")
    return Kept(
        run=run,
        verdict=verdict["verdict"],
        since=record.finished_at if record else "",
        reasons=tuple((reason["code"], reason["text"]) for reason in verdict["reasons"]),
        dataset_digest=verdict["dataset_digest"],
        policy_digest=policy,
        measures=verdict["measures"],
        is_sealed=store.read(data_key_name(run)) is not None,
        decision=find_approval(approvals, verdict["dataset_digest"], policy) if policy else None,
    )


def chosen(kept: Sequence[Kept], text: str) -> Kept:
    """The one kept run whose id begins with a text.

    Raises:
        InputError: None does, or several do.
    """
    found = [each for each in kept if each.run.startswith(text)]
    if len(found) != 1:
        what = "no run in quarantine begins with it" if not found else f"{len(found)} runs in quarantine begin with it"
        raise InputError(what, place=text, remedy="`kubepipe quarantine list` shows them")
    return found[0]


def admit_release(kept: Kept, reason: str) -> tuple[str, ...]:
    """The rules that a release of a run overrules, if it may be released.

    Raises:
        InputError: No reason is given, or the data key is gone.
        QuarantinedError: A rule is broken that nobody may overrule.
    """
    if not reason.strip():
        raise InputError("a release needs a reason", place="--reason", remedy="Say why; it is signed into the permit")
    if not kept.is_sealed:
        raise InputError(
            "the data key is destroyed, so there is nothing to release",
            place=f"run {kept.run}",
            remedy="Run the data set again",
        )
    hard = [code for code in kept.codes if code not in OVERRULABLE]
    if hard:
        raise QuarantinedError(
            f"nobody may overrule {', '.join(hard)}",
            place=f"run {kept.run}",
            remedy="Change the data or the policy, and run again",
        )
    return kept.codes


def decide(
    approvals: Store,
    kept: Kept,
    verdict: Literal["approved", "rejected"],
    *,
    by: str,
    reason: str,
    overrules: tuple[str, ...] = (),
) -> Approval:
    """Write a decision on exactly the data and the policy of a kept run; the gate of the next attempt looks for it."""
    approval = Approval(
        kept.run, kept.dataset_digest, kept.policy_digest, verdict, by=by, reason=reason, overrules=overrules
    )
    write_approval(approvals, approval)
    return approval
