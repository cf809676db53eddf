"""The Workflow behind a run, as far as it tells why something failed.

KFP's API gives no reasons; Argo's Workflow does, until `argoWorkflows.runs.ttlSeconds` after its end. Large Workflows
carry their nodes packed (`status.compressedNodes`, argo util/packer).
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kubepipe.stages.catalogue import STAGES

RUN_LABEL: Final = "pipeline/runid"
_ATTEMPT: Final = re.compile(r"\((\d+)\)$")
_DRIVER: Final = "-driver"
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of a run, as its Workflow tells of it.

    Attributes:
        step: Step of the graph.
        is_driver: Whether it is the driver that goes before the step, and not the step itself.
        attempt: Number of the attempt, from 0.
        phase: Pending, Running, Succeeded, Failed, Error, Omitted or Skipped.
        message: Argo's words about it; empty when it has none.
        started_at: ISO 8601, UTC; empty when unknown.
        finished_at: ISO 8601, UTC; empty while it runs.
        name: Name of the pod.
        patch: What KFP's driver wrote into the pod: image, resources.
    """

    step: str
    is_driver: bool
    attempt: int
    phase: str
    message: str = ""
    started_at: str = ""
    finished_at: str = ""
    name: str = ""
    patch: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_failed(self) -> bool:
        """Whether it ended badly."""
        return self.phase in {"Failed", "Error"}

    @property
    def image(self) -> str:
        """Image of the step's own container; empty when unknown."""
        return str(self._main.get("image", ""))

    @property
    def memory_limit(self) -> str:
        """Memory limit of the step's own container; empty when unknown."""
        return str(self._main.get("resources", {}).get("limits", {}).get("memory", ""))

    @property
    def _main(self) -> Mapping[str, Any]:
        return next(iter(self.patch.get("containers", [])), {})


@dataclass(frozen=True, slots=True)
class Workflow:
    """The Workflow of a run.

    Attributes:
        phase: Pending, Running, Succeeded, Failed or Error.
        message: Argo's words about the whole.
        pods: Its pods, in the order of their start.
    """

    phase: str
    message: str
    pods: tuple[Pod, ...]

    def last_attempts(self) -> list[Pod]:
        """The newest pod of each step, and of each step's driver."""
        newest: dict[tuple[str, bool], Pod] = {}
        for pod in self.pods:
            known = newest.get((pod.step, pod.is_driver))
            if known is None or pod.attempt >= known.attempt:
                newest[pod.step, pod.is_driver] = pod
        return list(newest.values())


def find_workflow(namespace: str, run: str) -> Workflow | None:
    """The Workflow of a run, or None once it is gone or where its kind is unknown.

    Raises:
        kubernetes.client.ApiException: The cluster refuses.
    """
    from kubernetes import client

    try:
        found = client.CustomObjectsApi().list_namespaced_custom_object(
            "argoproj.io", "v1alpha1", namespace, "workflows", label_selector=f"{RUN_LABEL}={run}"
        )["items"]
    except client.ApiException as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    if not found:
        return None
    # KFP's retry of a run takes the same Workflow again, so there is one.
    return parse_workflow(max(found, key=lambda each: str(each["metadata"].get("creationTimestamp", ""))))


def parse_workflow(document: Mapping[str, Any]) -> Workflow:
    """The Workflow of its document."""
    status = document.get("status", {})
    nodes = status.get("nodes") or {}
    if not nodes and status.get("compressedNodes"):
        nodes = json.loads(gzip.decompress(base64.b64decode(status["compressedNodes"])))
    pods = [_pod(node) for node in nodes.values() if node.get("type") == "Pod"]
    ordered = sorted((pod for pod in pods if pod is not None), key=lambda pod: pod.started_at)
    return Workflow(str(status.get("phase", "")), str(status.get("message", "")), tuple(ordered))


def _pod(node: Mapping[str, Any]) -> Pod | None:
    """A pod node; its path is `workflow.root.STEP.executor(N)`, that of a driver `workflow.root.STEP-driver`."""
    parts = str(node.get("name", "")).split(".")
    attempt = _ATTEMPT.search(parts[-1])
    plain = [_ATTEMPT.sub("", part) for part in parts]
    step = next((part for part in plain if part.removesuffix(_DRIVER) in STAGES), None)
    if step is None:
        return None
    given = {each["name"]: each.get("value") for each in node.get("inputs", {}).get("parameters", [])}
    return Pod(
        step=step.removesuffix(_DRIVER),
        is_driver=step.endswith(_DRIVER),
        attempt=int(attempt[1]) if attempt else 0,
        phase=str(node.get("phase", "")),
        message=str(node.get("message") or ""),
        started_at=str(node.get("startedAt") or ""),
        finished_at=str(node.get("finishedAt") or ""),
        name=_pod_name(node),
        patch=_patch(given.get("pod-spec-patch")),
    )


def _patch(text: Any) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _pod_name(node: Mapping[str, Any]) -> str:
    """Name of a node's pod: workflow, template, the number at the end of its id (argo workflow/util/pod_name.go)."""
    workflow = str(node.get("name", "")).partition(".")[0]
    template, number = str(node.get("templateName", "")), str(node.get("id", "")).rpartition("-")[2]
    return f"{workflow}-{template}-{number}" if template else str(node.get("id", ""))
