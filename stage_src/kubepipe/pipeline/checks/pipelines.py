"""The pipelines API, its database, and the registered pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubepipe.pipeline.checks.model import Check
from kubepipe.pipeline.cluster.register import version_name
from kubepipe.pipeline.kfp_api import KfpApi, KfpError
from kubepipe.pipeline.overlay import apply_overlay, parse_compiled
from kubepipe.pipeline.remote import Release

_SETUP: Final = "helm upgrade runs the setup hook again; kubectl logs job/{release}-setup tells what it met"


def pipelines(release: Release) -> Iterator[Check]:
    """Whether the API answers, whether its database does, and whether the pipeline is the chart's."""
    endpoint = release.setup["kfp"]["endpoint"]
    api = release.kfp()
    try:
        api.wait(0)
    except KfpError as error:
        remedy = "Look at the deployment of the API, or at global.kubeflowPipelines.endpoint"
        yield Check("pipelines API", False, f"{endpoint}: {error.message}", remedy)
        return
    yield Check("pipelines API", True, f"{endpoint} answers")
    try:
        api.runs(1)
    except KfpError as error:
        remedy = "The API cannot read its database: look at its log, and at global.database and its secret"
        yield Check("database", False, f"listing runs: {error.message}", remedy)
        return
    yield Check("database", True, "answers through the pipelines API")
    if "pipeline" in release.setup:
        yield _registered(release, api)


def _registered(release: Release, api: KfpApi) -> Check:
    name = f"pipeline {release.pipeline}"
    remedy = _SETUP.format(release=release.name)
    pipeline = api.pipeline_id(release.pipeline)
    if pipeline is None:
        return Check(name, False, "is not registered", remedy)
    newest, graph = api.newest_versions(pipeline), release.graph()
    if not newest:
        return Check(name, False, "has no version", remedy)
    if graph is None:
        return Check(name, None, f"version {newest[0]}; its ConfigMap is not this chart's, so nothing is compared")
    expected = version_name(release.pipeline, apply_overlay(parse_compiled(graph, place=name), release.overlay))
    if expected not in newest:
        return Check(name, False, f"newest version is {newest[0]}, the release's is {expected}", remedy)
    return Check(name, True, f"version {expected}, as the release wants it")
