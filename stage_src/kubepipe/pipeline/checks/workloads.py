"""Deployments and StatefulSets of a release, and what keeps them from being ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubepipe.pipeline.checks.model import Check
from kubepipe.pipeline.remote import Release

_PULL: Final = frozenset({"ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName"})
_PULL_REMEDY: Final = "Load or push it, or set global.imageRegistry and global.imagePullSecrets"


def workloads(release: Release) -> Iterator[Check]:
    """Each workload: ready, or why not."""
    from kubernetes import client

    selector = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/part-of=kubepipe"
    api = client.AppsV1Api()
    deployments = api.list_namespaced_deployment(release.namespace, label_selector=selector).items
    sets = api.list_namespaced_stateful_set(release.namespace, label_selector=selector).items
    found = [*(("deployment", each) for each in deployments), *(("statefulset", each) for each in sets)]
    for kind, workload in found:
        yield _workload(release.namespace, kind, workload)
    if not found:
        yield Check("workloads", None, "the release brings none: all engines are external")


def _workload(namespace: str, kind: str, workload: Any) -> Check:
    from kubernetes import client

    name = f"{kind} {workload.metadata.name}"
    wanted, ready = workload.spec.replicas or 0, workload.status.ready_replicas or 0
    if ready >= wanted:
        return Check(name, True, f"{ready} of {wanted} ready")
    selector = ",".join(f"{key}={value}" for key, value in workload.spec.selector.match_labels.items())
    pods = client.CoreV1Api().list_namespaced_pod(namespace, label_selector=selector).items
    reasons = [why for pod in pods if (why := explain(pod))] if pods else [_refused(workload)]
    found, remedy = reasons[0] if reasons else ("its pods are starting", "Wait, and look again")
    return Check(name, False, f"{ready} of {wanted} ready: {found}", remedy)


def _refused(workload: Any) -> tuple[str, str]:
    """Why there is no pod: quota and Pod Security stand in the conditions."""
    conditions = [each for each in workload.status.conditions or [] if each.type == "ReplicaFailure"]
    text = conditions[0].message if conditions else "no pod was made"
    return text, "kubectl get events tells more; check quotas and the namespace's Pod Security level"


def explain(pod: Any) -> tuple[str, str] | None:
    """Why a pod is not ready, and what to do; None for a ready one."""
    conditions = {each.type: each for each in pod.status.conditions or []}
    if "Ready" in conditions and conditions["Ready"].status == "True":
        return None
    scheduled = conditions.get("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return f"no node takes it ({scheduled.message})", "Make room, or mend its resources, nodeSelector or volume"
    images = {each.name: each.image for each in [*(pod.spec.init_containers or []), *pod.spec.containers]}
    for status in [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]:
        why = _container(pod, status, images.get(status.name, status.name))
        if why is not None:
            return why
    return None


def _container(pod: Any, status: Any, image: str) -> tuple[str, str] | None:
    waiting = status.state.waiting if status.state else None
    ended = (status.state.terminated if status.state else None) or (status.last_state and status.last_state.terminated)
    if waiting is not None and waiting.reason in _PULL:
        return f"image {image} cannot be pulled", _PULL_REMEDY
    if waiting is not None and waiting.reason in {"CreateContainerConfigError", "CreateContainerError"}:
        return (
            f"{waiting.reason}: {waiting.message}",
            "A secret or a ConfigMap that it names is missing, or lacks a key",
        )
    if ended is not None and ended.reason == "OOMKilled":
        return (
            f"container {status.name} was OOMKilled, {status.restart_count} restarts",
            "Raise its resources.limits.memory",
        )
    if ended is not None and ended.exit_code:
        text = f"container {status.name} ends with code {ended.exit_code}, {status.restart_count} restarts"
        return text, f"kubectl logs {pod.metadata.name} --container {status.name} --previous"
    if status.state and status.state.running is not None and not status.ready:
        text = f"container {status.name} runs, but its readiness probe fails"
        return text, f"kubectl logs {pod.metadata.name} --container {status.name}"
    return None
