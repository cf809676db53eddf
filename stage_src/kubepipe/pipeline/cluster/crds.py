"""Renewing the custom resource definitions before an upgrade; Helm installs them once and never again."""

from __future__ import annotations

from pathlib import Path

import yaml

from kubepipe.errors import InputError, KubePipeError
from kubepipe.pipeline.cluster.connection import connect

_MANAGER = "kubepipe"


def apply_crds(folder: Path) -> list[str]:
    """Apply every definition in a folder on the server's side; their names.

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
    for document in documents:
        name = document["metadata"]["name"]
        try:
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
    return [document["metadata"]["name"] for document in documents]
