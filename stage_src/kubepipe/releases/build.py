"""Making a release's folder: record, card, permit, statements, weights, signature."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import IntegrityError
from kubepipe.records import digest_file, digest_tree, validate, write_text
from kubepipe.records.step import StepRecord
from kubepipe.releases.card import render_card
from kubepipe.releases.chain import CHAIN, Link, breaks, producer_of
from kubepipe.releases.layout import CARD, MODEL, PERMIT, PERMIT_KEY, RECORD, statement_name
from kubepipe.releases.signature import sign_folder
from kubepipe.releases.statements import payload_digest, resource, seal, statement, statement_of
from kubepipe.storage.folder import copy_tree

PUBLISH: Final = "publish-model"


def check_chain(records: Mapping[str, StepRecord], run: str, inputs: Mapping[str, tuple[str, str]]) -> None:
    """Refuse to publish what does not hang together.

    Args:
        records: Records by step.
        run: Id of the run.
        inputs: Digests of what publish-model was handed, by name.

    Raises:
        IntegrityError: A record is missing, or a step read what no earlier step wrote.
    """
    links = {step: Link.of(record) for step, record in records.items()}
    for step, reason in breaks(links, run):
        raise IntegrityError(f"the chain of the run is broken: {reason}", place=step, remedy="Run again")
    produced = {(step, name): pair for step, link in links.items() for name, pair in link.outputs.items()}
    for name, pair in inputs.items():
        if producer_of(name, produced) != pair:
            raise IntegrityError(
                f"its input {name} is not what an earlier step wrote", place=PUBLISH, remedy="Run again"
            )


def release_record(
    *,
    run: str,
    reasons: list[str],
    records: Mapping[str, StepRecord],
    permit: Mapping[str, Any],
    scores: Mapping[str, Any],
    settings: Mapping[str, str | int],
    versions: Mapping[str, str],
) -> dict[str, Any]:
    """The record of a release (schema release). It holds no time, so that a repeated step makes the same release.

    Args:
        run: Id of the run.
        reasons: Why it is not published; empty when it is.
        records: Records of the steps it hangs on.
        permit: The privacy permit.
        scores: Benchmark metrics.
        settings: settings_digest, max_tokens and max_new_tokens.
        versions: Of the code that publishes.
    """
    tuned = records["fine-tune-model"]
    names = ("exact_match", "f1", "exact_match_interval", "f1_interval")
    record = {
        "schema_version": 2,
        "published": not reasons,
        "reasons": reasons,
        "run": run,
        "model_digest": tuned.outputs["output_model"].digest,
        "dataset_digest": permit["output_digest"],
        "source_digest": records["prepare-data"].results["source_digest"],
        "permit_digest": records["verify-privacy"].outputs["privacy_permit"].digest,
        "settings_digest": settings["settings_digest"],
        "base_model": {
            "name": tuned.results["model"],
            "licence": tuned.results["model_licence"],
            "digest": tuned.results["base_digest"],
        },
        "scores": {
            **{side: {name: scores[side][name] for name in names} for side in ("untuned", "tuned")},
            "questions": scores["total"],
        },
        "energy": {
            name: round(sum(each.drawn(name) for each in records.values()), 9) for name in ("energy_kwh", "gco2e")
        },
        "privacy": dict(permit["measures"]),
        "inference": {name: settings[name] for name in ("max_tokens", "max_new_tokens")},
        "statements": {step: payload_digest(statement_of(records[step])) for step in CHAIN},
        "versions": dict(versions),
    }
    validate(record, "release", place="the release's record")
    return record


def build_release(
    folder: Path,
    record: Mapping[str, Any],
    records: Mapping[str, StepRecord],
    *,
    model: Path,
    permit: Path,
    permit_key: Path,
    signing_key: Path,
) -> str:
    """Write the whole folder and sign it.

    Args:
        folder: Where; must not exist.
        record: Of the release.
        records: Records of the steps it hangs on.
        model: What fine-tuning wrote.
        permit: The privacy permit.
        permit_key: Public key that the permit is checked with.
        signing_key: Private key of the model signature.

    Returns:
        Digest of the release: of its record.
    """
    folder.mkdir(parents=True)
    copy_tree(model, folder / MODEL)
    for source, name in ((permit, PERMIT), (permit_key, PERMIT_KEY)):
        (folder / name).write_bytes(source.read_bytes())
    write_text(
        folder / RECORD, json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    )
    write_text(folder / CARD, render_card(record))
    digest = digest_file(folder / RECORD)
    statements = [statement_of(records[step]) for step in CHAIN]
    statements.append(_publication(record, digest, digest_tree(folder / MODEL)))
    for number, (step, each) in enumerate(zip((*CHAIN, PUBLISH), statements, strict=True), start=1):
        path = folder / statement_name(number, step)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(seal(each, signing_key))
    sign_folder(folder, signing_key)
    return digest


def _publication(record: Mapping[str, Any], digest: str, model: str) -> dict[str, Any]:
    """The statement about publishing itself: it binds the record and the weights to all other statements."""
    read = [resource("output_model", record["model_digest"]), resource("privacy_permit", record["permit_digest"])]
    read += [resource(f"statement:{step}", each) for step, each in sorted(record["statements"].items())]
    return statement(
        [resource("release", digest), resource("model", model)],
        step=PUBLISH,
        run=record["run"],
        read=read,
        details={"settings_digest": record["settings_digest"], "versions": dict(record["versions"])},
    )
