"""A graph of one light step that stands in for the pipeline where thousands of runs are needed.

It takes the fence of its attempt as prepare-data does, and leaves the record that publish-model would leave; it reads
no data and trains nothing. Everything before and behind it is the real thing: KFP, Argo, the controller.
"""

# ruff: noqa: D103 - KFP makes each docstring part of the graph
# mypy: ignore-errors

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfp import compiler, dsl, kubernetes

from kubepipe.pipeline.components import STAGES_IMAGE
from kubepipe.pipeline.overlay import apply_overlay, read_compiled

NAME = "stub"
_STEP = "prepare-data"
# A plain program and no lightweight component: importing kfp would be most of what the step takes.
_PROGRAM = """
import os, sys
from datetime import UTC, datetime
from kubepipe.records.claim import take_claim
from kubepipe.records.step import StepRecord, write_step_record
from kubepipe.storage import open_store
run, store = os.environ["KUBEPIPE_RUN"], open_store(os.environ["KUBEPIPE_STORE"])
take_claim(store, sys.argv[1], run)
now, digest = datetime.now(UTC).isoformat(timespec="seconds"), "sha256:" + "0" * 64
record = StepRecord(
    run=run, step="publish-model", status="succeeded", started_at=now, finished_at=now, seconds=0.0, cpu_seconds=0.0,
    peak_rss_bytes=0, energy={"energy_kwh": 0.0, "gco2e": 0.0}, memo_key=digest, settings_digest=digest,
    results={"published": True},
)
write_step_record(store, record)
"""


@dsl.container_component
def prepare_data(source: str):  # noqa: ANN201 - KFP reads the signature
    return dsl.ContainerSpec(image=STAGES_IMAGE, command=["python3", "-c", _PROGRAM], args=[source])


@dsl.pipeline(name=NAME)
def stub_pipeline(source: str, settings: str = "{}"):  # noqa: ANN201, ARG001 - KFP reads the signature
    task = prepare_data(source=source)
    task.set_caching_options(enable_caching=False)
    task.set_retry(2, backoff_duration="2s", backoff_factor=2.0)
    kubernetes.use_field_path_as_env(task, "KUBEPIPE_RUN", "metadata.labels['pipeline/runid']")


def stub_graph(overlay: Mapping[str, Any]) -> str:
    """The graph with the images, resources and secrets that a release gives its step prepare-data."""
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "stub.yaml"
        compiler.Compiler().compile(stub_pipeline, str(file))
        own = json.loads(json.dumps(overlay["steps"][_STEP]))
        own["resources"] = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
        return apply_overlay(read_compiled(file), {**overlay, "steps": {_STEP: own}, "parameters": {}}).yaml()
