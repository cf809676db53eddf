from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.remote.causes import explain_pod
from kubepipe.pipeline.remote.failures import StepFailure, explain, known_failures, record_failures
from kubepipe.pipeline.remote.workflow import Pod
from kubepipe.records import digest_json
from kubepipe.records.step import Artifact, Failure, StepRecord, read_step_record, write_step_record
from kubepipe.storage import FolderStore

RUN = "8f4d"
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/models/workflows"
EVENTS = "/api/v1/namespaces/models/events"
DIGEST = digest_json(None)
PATCH = {"containers": [{"name": "main", "image": "registry/train:1", "resources": {"limits": {"memory": "4Gi"}}}]}


def _node(path: str, phase: str, message: str = "", kind: str = "Pod", number: int = 7) -> dict[str, Any]:
    return {
        "id": f"kubepipe-abc-{number}", "name": f"kubepipe-abc.{path}", "displayName": path.rpartition(".")[2],
        "type": kind, "templateName": "system-container-impl", "phase": phase, "message": message,
        "startedAt": "2026-01-01T10:00:00Z", "finishedAt": "2026-01-01T10:01:30Z",
        "inputs": {"parameters": [{"name": "pod-spec-patch", "value": json.dumps(PATCH)}]},
    }  # fmt: skip


def _workflow(cluster: Any, *nodes: dict[str, Any], packed: bool = False) -> None:
    by_id = {f"n{number}": node for number, node in enumerate(nodes)}
    content = base64.b64encode(gzip.compress(json.dumps(by_id).encode())).decode()
    status = {"phase": "Failed", **({"compressedNodes": content} if packed else {"nodes": by_id})}
    cluster.items(WORKFLOWS, {"metadata": {"name": "kubepipe-abc"}, "status": status})


def _record(store: FolderStore, step: str, error: Failure | None = None) -> StepRecord:
    time = "2026-01-01T10:00:00+00:00"
    outputs = {} if error else {"output_model": Artifact(DIGEST, DIGEST, "s3://a/b")}
    record = StepRecord(
        RUN, step, "failed" if error else "succeeded", time, time, 12.0, 30.0, 5, {"energy_kwh": 0.5}, DIGEST, DIGEST,
        outputs=outputs, error=error,
    )  # fmt: skip
    write_step_record(store, record)
    return record


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """An empty store."""
    return FolderStore(tmp_path / "store")


@pytest.mark.parametrize(
    ("words", "kind", "cause", "told"),
    [
        ("main: OOMKilled (exit code 137)", "OutOfMemoryError", "memory", "4Gi"),
        ('ImagePullBackOff: Back-off pulling image "registry/train:1"', "ImagePullError", "image", "registry/train:1"),
        ("Pod failed before main container starts due to ErrImagePull: x", "ImagePullError", "image", "imageRegistry"),
        ("Pod was active on the node longer than the specified deadline", "TimeLimitError", "time", "timeoutSeconds"),
        ("Step exceeded its deadline", "TimeLimitError", "time", "activeDeadlineSeconds"),
        ("The node was low on resource: memory. Threshold", "EvictedError", "evicted", "again"),
        ("Pod was terminated in response to imminent node shutdown.", "EvictedError", "evicted", "again"),
        ("pod deleted", "EvictedError", "evicted", "again"),
        ("Preempted in order to admit critical pod", "EvictedError", "evicted", "again"),
        ("workflow shutdown with strategy:  Terminate", "StoppedError", "unknown", "stopped"),
        (
            "Unschedulable: 0/1 nodes are available: 1 Insufficient memory.",
            "UnschedulableError",
            "infrastructure",
            "gpu",
        ),
        ('pods "x" is forbidden: exceeded quota: small', "PodRefusedError", "infrastructure", "quota"),
        ("init: Error (exit code 64)", "ExitCodeError", "infrastructure", "init"),
        ("wait: OOMKilled (exit code 137)", "ExitCodeError", "infrastructure", "argoWorkflows.executor.resources"),
        ("wait: Error (exit code 2)", "ExitCodeError", "infrastructure", "wait"),
        ("main: Error (exit code 1)", "ExitCodeError", "unknown", "code 1"),
        ("main: Error (exit code 2)", "ExitCodeError", "input", "code 2"),
        ("main: Error (exit code 3)", "ExitCodeError", "quarantined", "code 3"),
        ("main: Error (exit code 5)", "ExitCodeError", "fenced", "code 5"),
        ("", "StepFailedError", "unknown", "without a reason"),
    ],
)
def test_words_become_a_cause_and_a_remedy(words: str, kind: str, cause: str, told: str) -> None:
    """Each thing that ends a pod has a name, a cause for a policy of retries, and a line that says what to set."""
    found = explain_pod(Pod("fine-tune-model", False, 0, "Failed", words, patch=PATCH), words)
    assert (found.type, found.cause) == (kind, cause)
    assert told in found.message
    assert "\n" not in found.message


def test_the_last_words_of_a_container_are_not_repeated() -> None:
    """Only the first line is looked at: what follows is a container's own text."""
    found = explain_pod(Pod("prepare-data", False, 0, "Failed"), "main: Error (exit code 1): \nOOMKilled Anna Schmidt")
    assert (found.cause, "Schmidt" in found.message) == ("unknown", False)


@pytest.mark.parametrize("packed", [False, True])
def test_the_newest_attempt_of_each_step_counts(cluster: Any, packed: bool) -> None:
    """A step that went well at its second attempt has not failed; one that failed thrice is told once."""
    _workflow(
        cluster,
        _node("root.prepare-data-driver", "Succeeded"),
        _node("root.prepare-data.executor(0)", "Failed", "main: OOMKilled (exit code 137)"),
        _node("root.prepare-data.executor(1)", "Succeeded"),
        _node("root.fine-tune-model.executor", "Failed", "No more retries left", kind="Retry"),
        *(_node(f"root.fine-tune-model.executor({n})", "Failed", "main: OOMKilled (exit code 137)") for n in range(3)),
        _node("root.model-inference-driver", "Omitted"),
        packed=packed,
    )
    (failure,) = explain("models", RUN)
    assert (failure.step, failure.type, failure.cause, failure.attempts) == (
        "fine-tune-model", "OutOfMemoryError", "memory", 3,
    )  # fmt: skip
    assert "memory limit of 4Gi. Raise pipeline.steps.fine-tune-model.resources.limits.memory" in failure.message
    assert any(f"labelSelector=pipeline%2Frunid%3D{RUN}" in each for each in cluster.asked)


def test_a_step_that_waits_for_its_image_is_told_before_it_ends(cluster: Any) -> None:
    """Waiting for an image that never comes ends at the time limit only."""
    _workflow(cluster, _node("root.prepare-data.executor(0)", "Pending", "ImagePullBackOff: Back-off pulling image"))
    assert [each.cause for each in explain("models", RUN)] == ["image"]
    _workflow(cluster, _node("root.prepare-data.executor(0)", "Pending", "PodInitializing"))
    assert explain("models", RUN) == ()


def _event(reason: str, message: str, container: str = "main") -> dict[str, Any]:
    involved = {"kind": "Pod", "fieldPath": f"spec.containers{{{container}}}"}
    return {"metadata": {"name": "e"}, "involvedObject": involved, "reason": reason, "message": message}


@pytest.mark.parametrize(("started", "cause"), [(False, "image"), (True, "time")])
def test_a_time_limit_that_an_image_used_up_is_the_images_fault(cluster: Any, started: bool, cause: str) -> None:
    """The Workflow speaks of the limit only; the kubelet's events tell that the container never started."""
    deadline = "Pod was active on the node longer than the specified deadline"
    _workflow(cluster, _node("root.prepare-data.executor(0)", "Failed", deadline))
    extra = [_event("Started", "Started container main")] if started else []
    cluster.items(EVENTS, _event("Failed", 'Failed to pull image "registry/train:1": not found'), *extra)
    assert [each.cause for each in explain("models", RUN)] == [cause]
    assert any("involvedObject.name%3Dkubepipe-abc-system-container-impl-7" in each for each in cluster.asked)


@pytest.mark.parametrize("words", ["main: Error (exit code 1)", "main: OOMKilled (exit code 137)", ""])
def test_a_driver_that_failed_is_the_infrastructures(cluster: Any, words: str) -> None:
    """The step itself never started."""
    _workflow(cluster, _node("root.anonymize-data-driver", "Failed", words))
    (failure,) = explain("models", RUN)
    assert (failure.step, failure.type, failure.may_pass) == ("anonymize-data", "DriverError", True)


def test_without_a_workflow_nothing_is_known(cluster: Any) -> None:
    """Its time is over, or Argo is not there."""
    cluster.items(WORKFLOWS)
    assert explain("models", RUN) == ()
    cluster.on(WORKFLOWS, {}, status=404)
    assert explain("models", RUN) == ()


def test_a_missing_right_is_said(cluster: Any) -> None:
    """One line that names the right."""
    cluster.on(WORKFLOWS, {}, status=403)
    with pytest.raises(KubePipeError, match=r"right to list workflows\.argoproj\.io"):
        explain("models", RUN)


OOM = StepFailure(
    "fine-tune-model", "OutOfMemoryError", "memory", "fine-tune-model: used more", 1,
    "2026-01-01T10:00:00+00:00", "2026-01-01T10:01:30+00:00", 3,
)  # fmt: skip


def test_a_step_that_left_no_record_could_not_reach_the_store(store: Any) -> None:
    """Whatever a program ends by, it records first; so a later attempt may go well, and the record says so."""
    bare = StepFailure("prepare-data", "ExitCodeError", "unknown", "prepare-data: ended with exit code 1")
    (found,) = record_failures(store, RUN, [bare])
    assert (found.type, found.cause) == ("StoreError", "store")
    assert known_failures(store, RUN)[0].cause == "store"


def test_a_killed_step_gets_its_record(store: FolderStore) -> None:
    """The record that the step could not write: failed, why, and how long its last attempt took."""
    assert record_failures(store, RUN, [OOM]) == (OOM,)
    record = read_step_record(store, RUN, "fine-tune-model")
    assert record is not None
    assert (record.status, record.error) == ("failed", Failure("OutOfMemoryError", "fine-tune-model: used more", 1))
    assert record.seconds == 90.0
    assert [(each.type, each.cause) for each in known_failures(store, RUN)] == [("OutOfMemoryError", "memory")]


def test_writing_twice_changes_nothing(store: FolderStore) -> None:
    """`submit --wait`, `runs` and a controller may all come to it."""
    record_failures(store, RUN, [OOM])
    before = store.read(f"runs/{RUN}/fine-tune-model.json")
    record_failures(store, RUN, [OOM])
    assert store.read(f"runs/{RUN}/fine-tune-model.json") == before


@pytest.mark.parametrize(
    ("kind", "code", "cause"),
    [("InputError", 2, "input"), ("QuarantinedError", 3, "quarantined"), ("FencedError", 5, "fenced"),
     ("OutputError", 2, "store"), ("StepFailedError", 1, "unknown")],
)  # fmt: skip
def test_a_steps_own_words_go_before_an_exit_code(store: FolderStore, kind: str, code: int, cause: str) -> None:
    """The step knows why; the engine knows only that it ended with a code."""
    own = _record(store, "prepare-data", Failure(kind, "the step's own line", code))
    engine = StepFailure("prepare-data", "ExitCodeError", "unknown", "ended with exit code 1", attempts=2)
    (found,) = record_failures(store, RUN, [engine])
    assert (found.cause, found.exit_code, found.message, found.attempts) == (cause, code, "the step's own line", 2)
    assert read_step_record(store, RUN, "prepare-data") == own


def test_what_ended_the_last_attempt_from_outside_goes_before_what_an_earlier_one_wrote(store: FolderStore) -> None:
    """A pod that is taken away writes that it was stopped; the node knows why."""
    _record(store, "fine-tune-model", Failure("InterruptedStageError", "was stopped by SIGTERM", 130))
    record_failures(store, RUN, [OOM])
    record = read_step_record(store, RUN, "fine-tune-model")
    assert record is not None
    assert record.error is not None
    assert record.error.type == "OutOfMemoryError"


def test_a_step_whose_outputs_were_lost_has_not_succeeded(store: FolderStore) -> None:
    """Its record said so before KFP's launcher gave up on the store; time and energy stay, outputs go."""
    _record(store, "fine-tune-model")
    engine = StepFailure("fine-tune-model", "ExitCodeError", "unknown", "ended with exit code 1")
    (found,) = record_failures(store, RUN, [engine])
    assert (found.type, found.cause, found.may_pass) == ("LauncherError", "store", True)
    record = read_step_record(store, RUN, "fine-tune-model")
    assert record is not None
    assert (record.status, record.outputs, record.seconds, record.energy) == ("failed", {}, 12.0, {"energy_kwh": 0.5})


def test_a_run_of_which_nothing_failed_leaves_no_record(store: FolderStore) -> None:
    """No failure, no record."""
    assert record_failures(store, RUN, []) == ()
    assert known_failures(store, RUN) == ()
    assert list(store.keys("")) == []


@pytest.mark.parametrize("step", ["prepare-data", "anonymize-data", "fine-tune-model"])
def test_a_run_that_was_killed_can_be_fetched(store: FolderStore, tmp_path: Path, step: str) -> None:
    """Report and run.json are made from a record that the step did not write itself."""
    from kubepipe.pipeline.finish import collect
    from kubepipe.pipeline.folder import RunFolder
    from kubepipe.settings import load_settings

    record_failures(store, RUN, [replace(OOM, step=step)])
    folder = RunFolder(tmp_path / "run")
    with folder.opened():
        outcome = collect(folder, store, RUN, load_settings(overrides=[]))
    assert (outcome.exit_code, outcome.document["verdict"]) == (1, "failed")
    assert outcome.document["error"] == {
        "step": step, "type": "OutOfMemoryError", "message": "fine-tune-model: used more",
    }  # fmt: skip
    assert "used more" in folder.report.read_text(encoding="utf-8")
