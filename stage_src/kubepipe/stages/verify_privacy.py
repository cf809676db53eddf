"""verify-privacy: the gate. It measures again, by itself, changes nothing, and alone unseals.

On anything but `pass` it fails: no permit is written, the data stays sealed, and nothing behind it can start. Where the
policy asks for a person, a decision that names this very data set and policy opens the gate (see records/approval). A
release opens it for data that broke rules which estimate, where it names exactly those rules; the permit says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kubepipe.errors import QuarantinedError
from kubepipe.passages import SPLITS, Passage, iter_passages, read_manifest, verify_dataset
from kubepipe.privacy import (
    OVERRULABLE,
    Reason,
    Verdict,
    assess,
    attack,
    build_detector,
    decide,
    measure,
    probe,
    survey,
)
from kubepipe.records import digest_json, write_document
from kubepipe.records.approval import Approval, find_approval
from kubepipe.records.step import write_record
from kubepipe.sealing import load_signing_key, opened, sign_permit
from kubepipe.settings import settings_digest
from kubepipe.settings.privacy import PrivacySettings
from kubepipe.stages.context import StageContext
from kubepipe.stages.versions import versions


def run(context: StageContext) -> Mapping[str, Any]:
    """Measure the protected data against the original; sign a permit and unseal, or refuse.

    Raises:
        QuarantinedError: The verdict is quarantine or needs_human; the verdict is kept at runs/<run>/verdict.json.
    """
    policy, data_key = context.settings.privacy, context.data_key()
    with (
        opened(context.inputs["output_dataset"], data_key) as before,
        opened(context.inputs["minimized_dataset"], data_key) as after,
    ):
        verify_dataset(after)
        context.progress(0.2, "measures")
        detector = build_detector(policy, processes=context.settings.processes)
        key = context.pseudonym_key()
        found = survey(_all(before), detector, policy.language)
        measures = measure(_all(before), _all(after), policy, key, detector, found)
        context.progress(0.6, "attacks")
        attacks = attack(lambda: _all(before), lambda: _all(after), policy, key, found)
        context.progress(0.7, "probes")
        probes = probe(_all(before), policy, key, detector) if _wants_probes(policy) else None
        measured = {
            **measures.document(),
            "attacks": attacks.document(),
            "probes": None if probes is None else probes.document(),
        }
        left = assess({split: iter_passages(after, split) for split in SPLITS}, policy, detector)
        report = left.document()
        verdict = decide(measures, policy, probes, attacks, left.people.risk())
        policy_digest = settings_digest(context.settings, ["privacy"])
        decision = _decision(context, read_manifest(after).digest)
        opened_by = _opener(verdict, decision)
        before_digest, after_digest = read_manifest(before).digest, read_manifest(after).digest
        results = {
            "verdict": "pass" if opened_by else verdict.verdict,
            "reasons": [{"code": reason.code, "text": reason.text} for reason in _reasons(verdict, decision)],
            "measures": measured,
            "after": report,
            "dataset_digest": after_digest,
            "policy_digest": policy_digest,
            **({"approved_by": opened_by.by, **_overruled(verdict)} if opened_by else {}),
        }
        write_record(context.store, f"runs/{context.run}/verdict.json", results, "verdict")
        if results["verdict"] != "pass":
            codes = ", ".join(reason.code for reason in _reasons(verdict, decision))
            raise QuarantinedError(
                f"the privacy gate says {verdict.verdict} ({codes})",
                place=f"run {context.run}",
                remedy="The report tells each reason; the data stays sealed",
            )
        shutil.copytree(after, context.outputs["protected_dataset"])
    permit = sign_permit(
        {
            "schema_version": 1,
            "run": context.run,
            "input_digest": before_digest,
            "output_digest": after_digest,
            "policy_digest": policy_digest,
            "verdict": results["verdict"],
            "measures": measured,
            "versions": {name: value for name, value in versions().items() if name in {"kubepipe", "code"}},
            **(_signed_decision(opened_by, verdict) if opened_by else {}),
        },
        load_signing_key(context.key_folder()),
    )
    write_document(context.outputs["privacy_permit"], permit, "privacy-permit")
    # A copy of its own: artifacts go when their time is over, and a permit may be asked for later.
    write_record(context.store, f"permits/{context.run}.json", permit, "privacy-permit")
    return results


def fingerprint(context: StageContext) -> Mapping[str, str]:
    """What else the result depends on: a decision that was taken back must not live on in an earlier result."""
    decision = _decision(context, read_manifest(context.inputs["minimized_dataset"]).digest)
    return {**context.parameters, "decision": "none" if decision is None else digest_json(decision.document())}


def _wants_probes(policy: PrivacySettings) -> bool:
    return policy.enabled and policy.max_missed_probes < 1


def _decision(context: StageContext, dataset_digest: str) -> Approval | None:
    if context.approvals is None:
        return None
    return find_approval(context.approvals, dataset_digest, settings_digest(context.settings, ["privacy"]))


def _opener(verdict: Verdict, decision: Approval | None) -> Approval | None:
    """The decision, where it opens the gate: the rules hold, or all that are broken may be and are overruled by it."""
    if decision is None or decision.verdict != "approved":
        return None
    if verdict.verdict == "needs_human":
        return decision
    broken = {reason.code for reason in verdict.reasons}
    is_released = verdict.verdict == "quarantine" and broken <= OVERRULABLE & set(decision.overrules)
    return decision if is_released else None


def _overruled(verdict: Verdict) -> dict[str, Any]:
    return {"overruled": [reason.code for reason in verdict.reasons]} if verdict.verdict == "quarantine" else {}


def _signed_decision(decision: Approval, verdict: Verdict) -> dict[str, Any]:
    """What the permit says of the person who opened the gate."""
    return {
        "approved_by": decision.by,
        "approved_at": decision.at,
        "approval_reason": decision.reason,
        **_overruled(verdict),
    }


def _reasons(verdict: Verdict, decision: Approval | None) -> tuple[Reason, ...]:
    """Why the gate says what it says; what a person decided, where it counts."""
    if verdict.verdict == "pass" or decision is None:
        return verdict.reasons
    if verdict.verdict == "needs_human":
        return (Reason(decision.verdict, f"A person has {decision.verdict} the data on {decision.at}."),)
    if _opener(verdict, decision) is None:
        return verdict.reasons
    return (*verdict.reasons, Reason("released", f"A person has released the data all the same, on {decision.at}."))


def _all(folder: Path) -> Iterator[Passage]:
    for split in SPLITS:
        yield from iter_passages(folder, split)
