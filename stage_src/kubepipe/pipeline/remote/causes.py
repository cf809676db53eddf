"""Why a pod of a run ended: Argo's and Kubernetes' words, read into a cause that a policy can be built on.

Sources of the words: argo v4.0.5 workflow/controller/operator.go (inferFailedReason, assessNodeStatus), the kubelet's
reasons, and runs that were made to fail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from kubepipe.pipeline.remote.workflow import Pod

Cause = Literal[
    "input", "quarantined", "fenced", "memory", "image", "time", "evicted", "store", "infrastructure", "unknown"
]
"""input: the data set, a setting or the environment of the user. quarantined: the privacy gate. fenced: another run
works on it. memory, image, time: the step's limit, image or time limit. evicted: the node took the pod. store: the
object store. infrastructure: anything else of the cluster. unknown: none of these can be told."""

OF_EXIT_CODE: Final[dict[int, Cause]] = {2: "input", 3: "quarantined", 4: "input", 5: "fenced"}
"""Causes of the exit codes that the error tree gives (kubepipe/errors.py)."""
STORE_ERRORS: Final = frozenset({"OutputError", "StoreError", "S3Error", "MaxRetryError"})
MAY_PASS: Final[frozenset[Cause]] = frozenset({"evicted", "store", "infrastructure"})
"""Causes that a later try may not meet again."""

_EXIT: Final = re.compile(r"\(exit code (\d+)\)")
_IMAGE: Final = re.compile(r"ImagePullBackOff|ErrImagePull|ErrImageNeverPull|InvalidImageName|pulling image", re.ASCII)
_TIME: Final = re.compile(r"longer than the specified deadline|exceeded its deadline|DeadlineExceeded", re.ASCII)
_NODE: Final = re.compile(
    r"[Ee]vict|[Pp]reempt|node was low on resource|[Nn]ode[ -]?(shutdown|lost|is not ready)|pod deleted|"
    r"terminated in response to imminent node shutdown|TaintManager",
    re.ASCII,
)
_STOPPED: Final = re.compile(r"[Ss]topped with strategy|shutdown with strategy|Terminate", re.ASCII)
_UNSCHEDULABLE: Final = re.compile(r"Unschedulable|Insufficient|nodes are available", re.ASCII)
_FORBIDDEN: Final = re.compile(r"is forbidden|exceeded quota|violates PodSecurity|CreateContainerConfigError", re.ASCII)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a pod ended.

    Attributes:
        type: Name of the error, as it stands in the step's record.
        cause: What a policy goes by.
        message: One line: what happened, with which value, and what to do.
    """

    type: str
    cause: Cause
    message: str


def explain_pod(pod: Pod, words: str) -> Explanation:
    """Read the words about a pod.

    Args:
        pod: The pod.
        words: Argo's message, or the kubelet's where that tells more.
    """
    # The container's own last words may follow; the first line has all that is looked for.
    line = (words or pod.message).partition("\n")[0]
    options = f"pipeline.steps.{pod.step}"
    if "OOMKilled" in line:
        limit = f" of {pod.memory_limit}" if pod.memory_limit else ""
        remedy = f"Raise {options}.resources.limits.memory, or let it use less (training.tokens_per_batch)"
        return Explanation("OutOfMemoryError", "memory", f"used more than its memory limit{limit}. {remedy}")
    if _IMAGE.search(line):
        image = pod.image or "the image"
        remedy = "Load or push it, or set global.imageRegistry and global.imagePullSecrets"
        return Explanation("ImagePullError", "image", f"{image} cannot be pulled. {remedy}")
    if _NODE.search(line):
        return Explanation("EvictedError", "evicted", "the node took its pod (eviction, drain or shutdown). Run it again")
    if _TIME.search(line):
        remedy = f"Raise {options}.timeoutSeconds, or argoWorkflows.runs.activeDeadlineSeconds for the whole run"
        return Explanation("TimeLimitError", "time", f"took longer than its time limit. {remedy}")
    if _STOPPED.search(line):
        return Explanation("StoppedError", "unknown", "was stopped by a person or a program")
    if _UNSCHEDULABLE.search(line):
        remedy = f"Look at {options}.resources, nodeSelector, tolerations and gpu"
        return Explanation("UnschedulableError", "infrastructure", f"no node takes its pod. {remedy}")
    if _FORBIDDEN.search(line):
        return Explanation(
            "PodRefusedError", "infrastructure", "the cluster refuses its pod. See `kubectl describe pod` and quotas"
        )
    if pod.is_driver:
        return Explanation(
            "DriverError",
            "infrastructure",
            "KFP could not prepare it: its driver ended. See the driver pod's log, metadata-grpc and ml-pipeline",
        )
    return _by_exit_code(line)


def _by_exit_code(line: str) -> Explanation:
    found = _EXIT.search(line)
    if found is None:
        return Explanation("StepFailedError", "unknown", "ended without a reason that is known")
    code = int(found[1])
    container = line.partition(":")[0].strip()
    if container in {"init", "wait", "kfp-launcher"}:
        return Explanation("ExitCodeError", "infrastructure", f"container {container} of its pod ended with code {code}")
    cause: Cause = "unknown" if code not in OF_EXIT_CODE else OF_EXIT_CODE[code]
    return Explanation("ExitCodeError", cause, f"ended with exit code {code}. See `kubepipe logs`")
