"""Runs in a cluster: what they came to and why they failed, from their records; and what their pods say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import InputError, KubePipeError
from kubepipe.pipeline.finish import exit_code_of
from kubepipe.pipeline.kfp_api import TERMINAL, KfpApi
from kubepipe.pipeline.remote.failures import StepFailure, explain, known_failures, record_failures
from kubepipe.pipeline.remote.release import Release
from kubepipe.pipeline.remote.workflow import RUN_LABEL
from kubepipe.records.run import load_records, run_document
from kubepipe.records.step import read_record, read_step_record
from kubepipe.settings import Settings, load_settings
from kubepipe.stages.catalogue import STAGES
from kubepipe.storage import Store


def settings_for(release: Release, file: Path | None, overrides: Sequence[str]) -> Settings:
    """The release's settings with a file and overrides on top of them.

    Raises:
        SettingsError: A name or value is wrong.
    """
    return load_settings(base=release.default_settings(), file=file, overrides=overrides)


def find_run(api: KfpApi, text: str) -> str:
    """The id of the one run that begins with a text.

    Raises:
        InputError: None does, or several do.
    """
    found = [run["run_id"] for run in api.runs(200) if run["run_id"].startswith(text)]
    if len(found) != 1:
        what = "no run begins with it" if not found else f"{len(found)} runs begin with it"
        raise InputError(what, place=text, remedy="`kubepipe runs` lists them")
    return str(found[0])


def document_of(store: Store, run: str) -> dict[str, Any]:
    """The run as JSON document (schema run), from its records."""
    gate = read_record(store, f"runs/{run}/verdict.json", "verdict")
    return run_document(run, load_records(store, run, STAGES), list(STAGES), gate=gate)


def exit_code(store: Store, run: str) -> tuple[int, str]:
    """Exit code and verdict of an ended run; one without a terminal record has failed."""
    document = document_of(store, run)
    verdict = "failed" if document["verdict"] == "unfinished" else document["verdict"]
    return exit_code_of(document, load_records(store, run, STAGES)), verdict


def summarise(store: Store, run: str) -> tuple[str, str, str, str]:
    """Verdict, EM, F1 and watt hours of a run, as texts."""
    document = document_of(store, run)
    scores = (document["scores"] or {}).get("tuned")
    em, f1 = (f"{scores['exact_match']:.1f}", f"{scores['f1']:.1f}") if scores else ("-", "-")
    return document["verdict"], em, f1, f"{document['energy_kwh'] * 1000:.2f}"


def settle(namespace: str, store: Store, run: str, state: str) -> tuple[StepFailure, ...]:
    """Why an ended run failed, with the records written that its steps could not write; empty for any other run.

    Raises:
        KubePipeError: The Workflow may not be read, and no record tells either.
    """
    if state not in TERMINAL or state == "SUCCEEDED":
        return ()
    known = known_failures(store, run)
    if document_of(store, run)["verdict"] not in {"unfinished", "failed"}:
        return known
    try:
        found = record_failures(store, run, explain(namespace, run))
    except KubePipeError:
        if not known:
            raise
        found = ()
    return found or known


def pod_logs(namespace: str, store: Store, run: str, step: str) -> str:
    """What a step said.

    Raises:
        InputError: The graph has no such step.
        KubePipeError: The step has neither a pod nor a record.
    """
    from kubernetes import client

    if step not in STAGES:
        raise InputError("is no step", place=step, remedy=f"Steps: {', '.join(STAGES)}")
    api = client.CoreV1Api()
    for pod in api.list_namespaced_pod(namespace, label_selector=f"{RUN_LABEL}={run}").items:
        if _component(pod) == step:
            return str(api.read_namespaced_pod_log(pod.metadata.name, namespace, container="main"))
    record = read_step_record(store, run, step)
    if record is None:
        raise KubePipeError("has neither a pod nor a record", place=f"{run} {step}", remedy="It has not started yet")
    said = record.error.message if record.error else f"{record.status} in {record.seconds:.1f} s"
    return f"the pod is gone; its record says: {said}"


def _component(pod: Any) -> str | None:
    """The step of an executor pod: KFP hands the launcher the component's name among its arguments."""
    for container in pod.spec.containers:
        for argument in [*(container.command or []), *(container.args or [])]:
            for step in STAGES:
                if argument in {f"comp-{step}", step} or f'"taskName":"{step}"' in argument.replace(" ", ""):
                    return step if "driver" not in (pod.metadata.annotations or {}).get(_NODE, "") else None
    return None


_NODE: Final = "workflows.argoproj.io/node-name"
