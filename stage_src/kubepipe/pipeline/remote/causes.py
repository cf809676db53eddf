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

_ENGINES: Final = frozenset({"init", "wait", "kfp-launcher"})
"""Containers of Argo and KFP beside the step's own."""
_EXIT: Final = re.compile(r"\(exit code (\d+)\)")
_RULES: Final[tuple[tuple[str, str, Cause, str], ...]] = (
    (
        r"OOMKilled",
        "OutOfMemoryError",
        "memory",
        "used more than its memory limit{limit}. Raise {options}.resources.limits.memory",
    ),
    (
        r"ImagePullBackOff|ErrImagePull|ErrImageNeverPull|InvalidImageName",
        "ImagePullError",
        "image",
        "{image} cannot be pulled. Load or push it, or set global.imageRegistry and global.imagePullSecrets",
    ),
    (
        r"[Ee]vict|[Pp]reempt|low on resource|[Nn]ode[ -]?(?:shutdown|lost|is not ready)|pod deleted|TaintManager",
        "EvictedError",
        "evicted",
        "the node took its pod (eviction, drain or shutdown). Run it again",
    ),
    (
        r"longer than the specified deadline|exceeded its deadline|DeadlineExceeded",
        "TimeLimitError",
        "time",
        "took longer than its time limit. Raise {options}.timeoutSeconds, or argoWorkflows.runs.activeDeadlineSeconds",
    ),
    (
        r"[Ss]topped with strategy|shutdown with strategy|Terminate",
        "StoppedError",
        "unknown",
        "was stopped by a person or a program",
    ),
    (
        r"Unschedulable|Insufficient|nodes are available",
        "UnschedulableError",
        "infrastructure",
        "no node takes its pod. Look at {options}.resources, nodeSelector, tolerations and gpu",
    ),
    (
        r"is forbidden|exceeded quota|violates PodSecurity|CreateContainerConfigError",
        "PodRefusedError",
        "infrastructure",
        "the cluster refuses its pod. See `kubectl describe pod` and quotas",
    ),
)
"""What is looked for, the error's name, its cause, and the line; the first that fits holds."""


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
    line = words.partition("\n")[0]
    fields = {
        "options": f"pipeline.steps.{pod.step}",
        "image": pod.image or "its image",
        "limit": f" of {pod.memory_limit}" if pod.memory_limit else "",
    }
    is_own = not pod.is_driver and line.partition(":")[0].strip() not in _ENGINES
    for pattern, name, cause, text in _RULES:
        # The memory limit of the engines' own containers is not the step's.
        if re.search(pattern, line, re.ASCII) and (is_own or cause != "memory"):
            return Explanation(name, cause, text.format(**fields))
    if pod.is_driver:
        text = "KFP could not prepare it: its driver ended. See the driver pod's log, metadata-grpc and ml-pipeline"
        return Explanation("DriverError", "infrastructure", text)
    return _by_exit_code(line)


def _by_exit_code(line: str) -> Explanation:
    found = _EXIT.search(line)
    if found is None:
        return Explanation("StepFailedError", "unknown", "ended without a reason that is known")
    code, container = int(found[1]), line.partition(":")[0].strip()
    if container in _ENGINES:
        remedy = "Raise argoWorkflows.executor.resources.limits.memory" if "OOMKilled" in line else "Run it again"
        text = f"container {container} of its pod ended with code {code}. {remedy}"
        return Explanation("ExitCodeError", "infrastructure", text)
    text = f"ended with exit code {code}. See `kubepipe logs`"
    return Explanation("ExitCodeError", OF_EXIT_CODE.get(code, "unknown"), text)
