"""Renewing the custom resource definitions before an upgrade; Helm installs them once and never again."""

from __future__ import annotations

from pathlib import Path

import yaml

from kubepipe.errors import InputError, KubePipeError
from kubepipe.pipeline.cluster.connection import connect

_MANAGER = "kubepipe"
_PART_OF = "app.kubernetes.io/part-of"
_NOT_FOUND = 404


def apply_crds(folder: Path) -> dict[str, bool]:
    """Apply every definition in a folder on the server's side.

    A definition that another installation brought is left alone: ours is open where theirs may be strict.

    Returns:
        Whether each definition was applied, by its name.

    Raises:
        InputError: The folder holds no definition.
        KubePipeError: The cluster refuses.
    """
    from kubernetes import client

    connect()
    api = client.ApiClient()
    documents = [
        document
        for file in sorted(folder.glob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
        if document
    ]
    if not documents:
        raise InputError("holds no definition", place=str(folder), remedy="Mount the chart's crds")
    applied = {}
    for document in documents:
        name = document["metadata"]["name"]
        try:
            applied[name] = _is_ours(name)
            if not applied[name]:
                continue
            api.call_api(
                f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}",
                "PATCH",
                query_params=[("fieldManager", _MANAGER), ("force", "true")],
                header_params={"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"},
                body=document,
                auth_settings=["BearerToken"],
                response_type="object",
            )
        except client.ApiException as error:
            raise KubePipeError(
                f"cannot be renewed ({error.status} {error.reason})",
                place=f"definition {name}",
                remedy="Let an administrator apply the chart's crds folder, and set crds.upgrade=false",
            ) from error
    return applied


def _is_ours(name: str) -> bool:
    """Whether a definition is not there yet, or came with this chart."""
    from kubernetes import client

    try:
        found = client.ApiextensionsV1Api().read_custom_resource_definition(name)
    except client.ApiException as error:
        if error.status == _NOT_FOUND:
            return True
        raise
    return (found.metadata.labels or {}).get(_PART_OF) == _MANAGER
