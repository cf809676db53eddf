"""publish-model: only with a valid permit, and only above the quality thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubepipe.records import digest_tree, read_document, write_document
from kubepipe.records.step import write_record
from kubepipe.settings import PublishSettings
from kubepipe.stages.context import StageContext
from kubepipe.stages.permit import check_permit


def run(context: StageContext) -> Mapping[str, Any]:
    """Put the model under its digest into the store, with a release record (schema release); or say why not.

    Raises:
        IntegrityError: The permit does not hold.
    """
    permit = check_permit(context)
    scores = read_document(context.inputs["benchmark_metrics"], "benchmark-metrics")
    reasons = _reasons(scores, context.settings.publish)
    digest = digest_tree(context.inputs["output_model"])
    release = {
        "schema_version": 1,
        "published": not reasons,
        "reasons": reasons,
        "run": context.run,
        "model_digest": digest,
        "dataset_digest": permit["output_digest"],
        "scores": {side: {name: scores[side][name] for name in ("exact_match", "f1")} for side in ("untuned", "tuned")},
    }
    if not reasons:
        name = digest.removeprefix("sha256:")
        context.store.upload(context.inputs["output_model"], f"models/{name}/model")
        write_record(context.store, f"models/{name}/release.json", release, "release")
        write_record(context.store, "models/current.json", release, "release")
    write_document(context.outputs["release"], release, "release")
    return {"published": not reasons, "reasons": reasons, "release": digest}


def _reasons(scores: Mapping[str, Any], policy: PublishSettings) -> list[str]:
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
