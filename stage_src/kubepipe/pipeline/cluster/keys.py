"""The public halves of the keys of permits and models, where training and serving find them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.cluster.connection import connect
from kubepipe.releases import public_half
from kubepipe.sealing import load_signing_key
from kubepipe.sealing.keys import public_pem


def publish_permit_key(keys: Mapping[str, str]) -> None:
    """Derive the public key of permits and write it into its ConfigMap.

    Raises:
        IntegrityError: The signing key is missing or no Ed25519 key.
        KubePipeError: The cluster refuses.
    """
    _publish(keys, public_pem(load_signing_key(Path(keys["privateKeyFile"]).parent).public_key()))


def publish_model_key(keys: Mapping[str, str]) -> None:
    """Derive the public key of the model signature and write it into its ConfigMap.

    Raises:
        IntegrityError: The signing key is missing or no elliptic curve key.
        KubePipeError: The cluster refuses.
    """
    _publish(keys, public_half(Path(keys["privateKeyFile"])))


def _publish(keys: Mapping[str, str], pem: bytes) -> None:
    from kubernetes import client

    connect()
    try:
        client.CoreV1Api().patch_namespaced_config_map(
            keys["publicKeyConfigMap"], keys["namespace"], {"data": {keys["publicKeyName"]: pem.decode()}}
        )
    except client.ApiException as error:
        raise KubePipeError(
            f"ConfigMap {keys['publicKeyConfigMap']} cannot be written ({error.status} {error.reason})",
            place=f"namespace {keys['namespace']}",
            remedy="Check the Role of the setup hook",
        ) from error
