"""verify-privacy: the gate. It measures again, by itself, changes nothing, and alone unseals.

On anything but `pass` it fails: no permit is written, the data stays sealed, and nothing behind it can start.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kubepipe.errors import QuarantinedError
from kubepipe.passages import SPLITS, Passage, iter_passages, read_manifest, verify_dataset
from kubepipe.privacy import assess, decide, measure
from kubepipe.records import write_document
from kubepipe.records.step import write_record
from kubepipe.sealing import load_signing_key, opened, sign_permit
from kubepipe.settings import settings_digest
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
        measures = measure(_all(before), _all(after), policy, context.pseudonym_key())
        verdict = decide(measures, policy)
        report = assess({split: iter_passages(after, split) for split in SPLITS}, policy).document()
        before_digest, after_digest = read_manifest(before).digest, read_manifest(after).digest
        results = {
            "verdict": verdict.verdict,
            "reasons": [{"code": reason.code, "text": reason.text} for reason in verdict.reasons],
            "measures": measures.document(),
            "after": report,
            "dataset_digest": after_digest,
        }
        write_record(context.store, f"runs/{context.run}/verdict.json", results, "verdict")
        if verdict.verdict != "pass":
            codes = ", ".join(reason.code for reason in verdict.reasons)
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
            "policy_digest": settings_digest(context.settings, ["privacy"]),
            "verdict": verdict.verdict,
            "measures": measures.document(),
            "versions": {name: value for name, value in versions().items() if name in {"kubepipe", "code"}},
        },
        load_signing_key(context.key_folder()),
    )
    write_document(context.outputs["privacy_permit"], permit, "privacy-permit")
    return results


def _all(folder: Path) -> Iterator[Passage]:
    for split in SPLITS:
        yield from iter_passages(folder, split)
