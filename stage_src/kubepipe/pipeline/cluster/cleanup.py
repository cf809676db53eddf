"""Before an uninstall: end schedules, then runs, while the controllers that clean up after them still live."""

from __future__ import annotations

import time
from typing import Any, Final

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.cluster.connection import connect

_KINDS: Final = (
    ("kubeflow.org", "v1beta1", "scheduledworkflows"),
    ("argoproj.io", "v1alpha1", "workflows"),
)
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
