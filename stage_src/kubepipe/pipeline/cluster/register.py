"""Registering the compiled pipeline with the overlay of one installation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubepipe.errors import SettingsError
from kubepipe.pipeline.kfp_api import KfpApi
from kubepipe.pipeline.overlay import Compiled, apply_overlay, read_compiled


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


def version_name(pipeline: str, compiled: Compiled) -> str:
    """Name of a version: the pipeline's, and the start of the digest of its content."""
    return f"{pipeline}-{compiled.digest.removeprefix('sha256:')[:12]}"
