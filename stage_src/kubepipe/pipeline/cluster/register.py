"""Registering the compiled pipeline with the overlay of one installation."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import SettingsError
from kubepipe.pipeline.kfp_api import KfpApi
from kubepipe.pipeline.overlay import Compiled, apply_overlay, read_compiled

_OURS: Final = re.compile(r"-[0-9a-f]{12}")
"""What `version_name` puts behind the pipeline's name."""


def register(api: KfpApi, pipeline: Mapping[str, Any]) -> tuple[str, bool]:
    """Register the pipeline as a version named by its content; the same content is registered once.

    Args:
        api: The KFP API.
        pipeline: `name`, `file` of the compiled graph, `overlay` file.

    Returns:
        Name of the version, and whether it is new.

    Raises:
        KubePipeError: A file is unreadable, or KFP refuses.
    """
    try:
        overlay = json.loads(Path(pipeline["overlay"]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            "is no readable JSON", place=str(pipeline["overlay"]), remedy="Render the chart again"
        ) from error
    compiled = apply_overlay(read_compiled(Path(pipeline["file"])), overlay)
    version = version_name(pipeline["name"], compiled)
    _, new = api.upload(pipeline["name"], version, compiled.yaml())
    return version, new


def prune(api: KfpApi, pipeline: Mapping[str, Any], current: str) -> int:
    """Delete versions of the pipeline that are older than the newest few; how many.

    The current one stays, and so does one that a schedule starts, and one that bears another name than ours.

    Args:
        api: The KFP API.
        pipeline: `name`, and `keepVersions`: how many stay.
        current: Name of the version that this installation registered.
    """
    identity = api.pipeline_id(pipeline["name"])
    if identity is None:
        return 0
    versions = api.versions(identity)
    ours = [each for each in versions if _OURS.fullmatch(each["display_name"].removeprefix(pipeline["name"]))]
    scheduled = {each.get("pipeline_version_reference", {}).get("pipeline_version_id") for each in api.recurring_runs()}
    old = [
        each["pipeline_version_id"]
        for each in ours[int(pipeline["keepVersions"]) :]
        if each["display_name"] != current and each["pipeline_version_id"] not in scheduled
    ]
    for version in old:
        api.delete_version(identity, version)
    return len(old)


def version_name(pipeline: str, compiled: Compiled) -> str:
    """Name of a version: the pipeline's, and the start of the digest of its content."""
    return f"{pipeline}-{compiled.digest.removeprefix('sha256:')[:12]}"
