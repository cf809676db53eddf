"""Volume claims and storage classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubepipe.pipeline.checks.model import Check
from kubepipe.pipeline.remote import Release

_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
_REMEDY: Final = "Set global.storageClass to one that exists, delete the claim, and upgrade"


def volumes(release: Release) -> Iterator[Check]:
    """Each claim of the release: bound, or why not."""
    from kubernetes import client

    selector = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/name=kubepipe"
    claims = client.CoreV1Api().list_namespaced_persistent_volume_claim(release.namespace, label_selector=selector)
    for claim in claims.items:
        yield _claim(claim)


def _claim(claim: Any) -> Check:
    name, phase, wanted = f"volume {claim.metadata.name}", claim.status.phase, claim.spec.storage_class_name
    if phase == "Bound":
        size = (claim.status.capacity or {}).get("storage", "")
        return Check(name, True, f"bound, {size} of class {wanted or 'none'}")
    if phase == "Lost":
        return Check(name, False, "its volume is gone", "Restore the volume, or delete the claim and lose the data")
    return _pending(name, wanted)


def _pending(name: str, wanted: str | None) -> Check:
    from kubernetes import client

    try:
        classes = client.StorageV1Api().list_storage_class().items
    except client.ApiException as error:
        text = f"pending; you may not look at storage classes ({error.status} {error.reason})"
        return Check(name, False, text, "kubectl describe pvc tells more")
    known = {each.metadata.name: each for each in classes}
    there = f"there are: {', '.join(known) or 'none'}"
    if wanted and wanted not in known:
        return Check(name, False, f"storage class {wanted} does not exist; {there}", _REMEDY)
    if not wanted and not any((each.metadata.annotations or {}).get(_DEFAULT) == "true" for each in classes):
        return Check(name, False, f"there is no default storage class; {there}", _REMEDY)
    if wanted and known[wanted].volume_binding_mode == "WaitForFirstConsumer":
        return Check(name, None, f"pending: class {wanted} waits for the pod", "See the workload's line")
    provisioner = known[wanted].provisioner if wanted else "the default class's provisioner"
    return Check(name, False, f"pending: {provisioner} has not made it", "kubectl describe pvc tells why")
