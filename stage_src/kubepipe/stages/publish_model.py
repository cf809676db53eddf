"""publish-model: only with a valid permit, and only above the quality thresholds."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubepipe.errors import IntegrityError
from kubepipe.records import read_document, write_document
from kubepipe.records.step import read_step_record
from kubepipe.releases import CHAIN, Entry, append, build_release, current, put
from kubepipe.releases.build import check_chain, release_record
from kubepipe.releases.store import read_release
from kubepipe.settings import PublishSettings, settings_digest
from kubepipe.stages.artifacts import describe
from kubepipe.stages.context import StageContext
from kubepipe.stages.permit import check_permit
from kubepipe.stages.versions import versions


def run(context: StageContext) -> Mapping[str, Any]:
    """Put the model as a signed release into the store and make it current; or say why not.

    Raises:
        IntegrityError: The permit does not hold, or the records of the run do not hang together.
        SettingsError: The private key of the model signature is missing.
    """
    permit = check_permit(context)
    scores = read_document(context.inputs["benchmark_metrics"], "benchmark-metrics")
    signing_key, permit_key = context.signing_key_file(), context.public_key_file()
    found = {step: read_step_record(context.store, context.run, step) for step in CHAIN}
    records = {step: record for step, record in found.items() if record is not None and record.status != "failed"}
    given = {name: describe(path, "") for name, path in context.inputs.items()}
    check_chain(records, context.run, {name: (each.digest, each.bytes_digest) for name, each in given.items()})
    policy = context.settings.publish
    reasons = _below_thresholds(scores, policy)
    held = current(context.store)
    if held is not None:
        reasons += _below_current(context, scores, held.release, policy)

    def record() -> dict[str, Any]:
        return release_record(
            run=context.run,
            reasons=reasons,
            records=records,
            permit=permit,
            scores=scores,
            settings={
                "settings_digest": settings_digest(context.settings, type(context.settings).model_fields),
                "max_tokens": context.settings.training.max_tokens,
                "max_new_tokens": context.settings.scoring.max_new_tokens,
            },
            versions=versions(),
        )

    def admit(held: Entry | None) -> bool:
        # Asked again for each publisher that was faster.
        if held is not None:
            reasons.extend(_below_current(context, scores, held.release, policy))
        return not reasons

    release, entry = None, None
    if not reasons:
        with tempfile.TemporaryDirectory(dir=context.outputs["release"].parent) as scratch:
            folder = Path(scratch) / "release"
            release = build_release(
                folder,
                record(),
                records,
                model=context.inputs["output_model"],
                permit=context.inputs["privacy_permit"],
                permit_key=permit_key,
                signing_key=signing_key,
            )
            context.progress(0.6, "signed")
            put(context.store, folder, release)
        entry = append(context.store, release, "publish", run=context.run, admit=admit)
    document = record()
    write_document(context.outputs["release"], document, "release")
    return {"published": entry is not None, "reasons": reasons, "release": release if entry else None}


def _below_thresholds(scores: Mapping[str, Any], policy: PublishSettings) -> list[str]:
    tuned, untuned = scores["tuned"], scores["untuned"]
    lower = {name: (tuned[f"{name}_interval"] or [tuned[name]])[0] for name in ("f1", "exact_match")}
    reasons = []
    if lower["f1"] < policy.min_f1:
        reasons.append(f"the lower bound of F1 is {lower['f1']:.1f}, below {policy.min_f1:.1f}")
    if lower["exact_match"] < policy.min_exact_match:
        reasons.append(
            f"the lower bound of exact match is {lower['exact_match']:.1f}, below {policy.min_exact_match:.1f}"
        )
    if policy.must_improve and tuned["f1"] <= untuned["f1"]:
        reasons.append(f"F1 {tuned['f1']:.1f} is not above the untuned model's {untuned['f1']:.1f}")
    return reasons


def _below_current(
    context: StageContext, scores: Mapping[str, Any], current: str, policy: PublishSettings
) -> list[str]:
    """Why the model may not take the place of the current release; a current one that is broken stands in no way."""
    if policy.tolerance is None:
        return []
    try:
        held = read_release(context.store, current)["scores"]["tuned"]
    except (IntegrityError, json.JSONDecodeError):
        return []
    tuned, reasons = scores["tuned"], []
    for name, words in (("f1", "F1"), ("exact_match", "exact match")):
        upper = (tuned[f"{name}_interval"] or [tuned[name]])[-1]
        if upper < held[name] - policy.tolerance:
            reasons.append(
                f"{words} {tuned[name]:.1f} (at most {upper:.1f}) is more than {policy.tolerance:.1f} points below the "
                f"current release's {held[name]:.1f}"
            )
    return reasons
