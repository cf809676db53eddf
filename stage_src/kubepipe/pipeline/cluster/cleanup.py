"""Before an uninstall: end what starts runs, then the runs, while the controllers that clean up after them live."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.cluster.connection import connect

_KINDS: Final = (
    ("kubeflow.org", "v1beta1", "scheduledworkflows"),
    ("argoproj.io", "v1alpha1", "workflows"),
)
# In this order: Argo Events does not let a bus go while something is connected to it.
_ARGO_EVENTS: Final = ("sensors", "eventsources", "eventbus")
_NOT_FOUND: Final = 404
_RUN_LABEL: Final = "pipeline/runid"


def clean_up(namespace: str, seconds: float) -> dict[str, int]:
    """Delete the schedules and runs of KFP in a namespace and wait until they are gone; how many there were.

    Raises:
        KubePipeError: Some are still there after the given seconds.
    """
    from kubernetes import client

    connect()
    api = client.CustomObjectsApi()
    deadline = time.monotonic() + seconds
    found = {}
    for group, version, plural in _KINDS:
        names = _names(api, group, version, namespace, plural)
        found[plural] = len(names)
        for name in names:
            api.delete_namespaced_custom_object(
                group, version, namespace, plural, name, propagation_policy="Foreground"
            )
        while _names(api, group, version, namespace, plural):
            if time.monotonic() > deadline:
                raise KubePipeError(
                    f"some {plural} are still there",
                    place=f"namespace {namespace}",
                    remedy="Delete them by hand, then uninstall again",
                )
            time.sleep(1)
    return found


def stop_controller(namespace: str, name: str, seconds: float) -> None:
    """Scale the controller of DatasetRuns to nothing, so that it starts no run while they are ended.

    Raises:
        KubePipeError: It still works after the given seconds.
    """
    from kubernetes import client

    connect()
    apps, deadline = client.AppsV1Api(), time.monotonic() + seconds
    try:
        apps.patch_namespaced_deployment_scale(name, namespace, {"spec": {"replicas": 0}})
        while apps.read_namespaced_deployment(name, namespace).status.replicas:
            if time.monotonic() > deadline:
                raise KubePipeError(
                    f"{name} still works",
                    place=f"namespace {namespace}",
                    remedy="Look at its pod, then uninstall again",
                )
            time.sleep(1)
    except client.ApiException as error:
        if error.status != _NOT_FOUND:
            raise


def remove_intake(namespace: str, events: Mapping[str, Any], seconds: float) -> int:
    """Delete the sensor, the event source and the bus of a release and wait until they are gone; how many there were.

    Their finalizers need the controller of Argo Events, which goes with the release.

    Args:
        namespace: Where they are.
        events: Names by plural of their kind, as the chart tells.
        seconds: How long to wait.

    Raises:
        KubePipeError: Some are still there after the given seconds.
    """
    from kubernetes import client

    connect()
    api = client.CustomObjectsApi()
    deadline = time.monotonic() + seconds
    count = 0
    for plural in _ARGO_EVENTS:
        for name in events[plural]:
            there = _delete(api, namespace, plural, name)
            count += there
            while there and _is_there(api, namespace, plural, name):
                if time.monotonic() > deadline:
                    raise KubePipeError(
                        f"{name} of {plural} is still there",
                        place=f"namespace {namespace}",
                        remedy="Look at the controller of Argo Events, or remove the finalizer by hand",
                    )
                time.sleep(1)
    return count


def _delete(api: Any, namespace: str, plural: str, name: str) -> bool:
    from kubernetes import client

    try:
        api.delete_namespaced_custom_object("argoproj.io", "v1alpha1", namespace, plural, name)
    except client.ApiException as error:
        if error.status == _NOT_FOUND:
            return False
        raise
    return True


def _is_there(api: Any, namespace: str, plural: str, name: str) -> bool:
    from kubernetes import client

    try:
        api.get_namespaced_custom_object("argoproj.io", "v1alpha1", namespace, plural, name)
    except client.ApiException as error:
        if error.status == _NOT_FOUND:
            return False
        raise
    return True


def _names(api: Any, group: str, version: str, namespace: str, plural: str) -> list[str]:
    from kubernetes import client

    # A schedule is always KFP's; a workflow is ours to end only when KFP started it.
    selector = {"label_selector": _RUN_LABEL} if plural == "workflows" else {}
    try:
        answer = api.list_namespaced_custom_object(group, version, namespace, plural, **selector)
    except client.ApiException as error:
        if error.status == _NOT_FOUND:
            return []
        raise
    return [item["metadata"]["name"] for item in answer["items"]]
