"""Checking the permit of a data set: the stage's own look, whatever the graph says."""

from __future__ import annotations

from typing import Any

from kubepipe.passages import read_manifest
from kubepipe.records import read_document
from kubepipe.sealing import load_public_key, verify_permit
from kubepipe.settings import settings_digest
from kubepipe.stages.context import StageContext


def check_permit(context: StageContext) -> dict[str, Any]:
    """The permit, if it names the very data set and policy of this step.

    Raises:
        IntegrityError: It does not.
    """
    permit = read_document(context.inputs["privacy_permit"], "privacy-permit")
    verify_permit(
        permit,
        load_public_key(context.public_key_file()),
        output_digest=read_manifest(context.inputs["protected_dataset"]).digest,
        policy_digest=settings_digest(context.settings, ["privacy"]),
    )
    return permit
