"""The public half of the permit key, where training finds it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.cluster.connection import connect
from kubepipe.sealing import load_signing_key
from kubepipe.sealing.keys import public_pem


def publish_public_key(keys: Mapping[str, str]) -> None:
    """Derive the public key and write it into its ConfigMap.

    Raises:
        IntegrityError: The signing key is missing or no Ed25519 key.
        KubePipeError: The cluster refuses.
    """
    from kubernetes import client

    pem = public_pem(load_signing_key(Path(keys["privateKeyFile"]).parent).public_key()).decode()
    connect()
    try:
        client.CoreV1Api().patch_namespaced_config_map(
            keys["publicKeyConfigMap"], keys["namespace"], {"data": {keys["publicKeyName"]: pem}}
        )
    except client.ApiException as error:
        raise KubePipeError(
            f"ConfigMap {keys['publicKeyConfigMap']} cannot be written ({error.status} {error.reason})",
            place=f"namespace {keys['namespace']}",
            remedy="Check the Role of the setup hook",
        ) from error
