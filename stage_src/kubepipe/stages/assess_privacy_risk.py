"""assess-privacy-risk: what personal data is there, before anything is done about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from kubepipe.passages import SPLITS, iter_passages
from kubepipe.privacy import assess, build_detector
from kubepipe.records import write_document
from kubepipe.sealing import opened
from kubepipe.stages.context import StageContext

_LOG = structlog.get_logger(__name__)


def run(context: StageContext) -> Mapping[str, Any]:
    """Assess the sealed data set and write the risk report (schema risk-report)."""
    policy = context.settings.privacy
    detector = build_detector(policy, processes=context.settings.processes)
    with opened(context.inputs["output_dataset"], context.data_key()) as folder:
        report = assess({split: iter_passages(folder, split) for split in SPLITS}, policy, detector)
    document = report.document()
    other = document["other_language"]
    if other["passages"]:
        _LOG.warning("another language than the declared one", declared=policy.language, **other)
    write_document(context.outputs["risk_report"], document, "risk-report")
    return document
