"""Credentials and keys: generated once, kept, or brought along."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kubepipe.releases import public_half
from kubepipe.releases.keys import load_private

GENERATED = {
    "kubepipe-object-store": {"accesskey", "secretkey"},
    "mlpipeline-minio-artifact": {"accesskey", "secretkey"},
    "kubepipe-source-store": {"accesskey", "secretkey"},
    "kubepipe-webhook": {"token"},
    "kubepipe-database": {"password", "root-password"},
    "kubepipe-privacy-keys": {"wrapping.key", "pseudonym.key", "mapping.key", "permit-signing.pem"},
    "kubepipe-model-signing": {"model-signing.pem"},
}


def test_generated_secrets(helm: Any) -> None:
    """A plain install makes six secrets, which outlive the release."""
    secrets = {each["metadata"]["name"]: each for each in helm().all("Secret")}
    assert {name: set(each["data"]) for name, each in secrets.items()} == GENERATED
    for each in secrets.values():
        assert each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_keys_are_usable(helm: Any) -> None:
    """The two symmetric keys are 32 random bytes each, the signing key is Ed25519."""
    data = {
        name: base64.b64decode(text) for name, text in helm().get("Secret", "kubepipe-privacy-keys")["data"].items()
    }
    assert len(data["wrapping.key"]) == len(data["pseudonym.key"]) == 32
    assert data["wrapping.key"] != data["pseudonym.key"]
    assert isinstance(load_pem_private_key(data["permit-signing.pem"], None), Ed25519PrivateKey)


def test_the_key_of_models_signs(helm: Any, tmp_path: Path) -> None:
    """The generated key is one that the model signature takes, and its public half is derived."""
    text = helm().get("Secret", "kubepipe-model-signing")["data"]["model-signing.pem"]
    (tmp_path / "model-signing.pem").write_bytes(base64.b64decode(text))
    assert load_private(tmp_path / "model-signing.pem").curve.name == "secp256r1"
    assert public_half(tmp_path / "model-signing.pem").startswith(b"-----BEGIN PUBLIC KEY-----")


def test_passwords_are_random_and_long(helm: Any) -> None:
    """No password is the same twice, and none is short."""
    passwords = [
        base64.b64decode(each["data"][key])
        for name, each in ((each["metadata"]["name"], each) for each in helm().all("Secret"))
        for key in GENERATED[name]
        if key in {"secretkey", "password", "root-password", "token"}
    ]
    assert len(set(passwords)) == len(passwords) == 6
    assert min(len(each) for each in passwords) >= 32


@pytest.mark.parametrize("scenario", ["gitops", "external", "identity"])
def test_nothing_is_generated(helm: Any, scenario: str) -> None:
    """Where secrets are brought along, or none are needed, the only generated ones are those that are not named."""
    made = {each["metadata"]["name"] for each in helm.scenario(scenario).all("Secret")}
    expected = {
        "gitops": set(),
        "external": {"kubepipe-privacy-keys", "kubepipe-model-signing"},
        "identity": {"kubepipe-privacy-keys", "kubepipe-model-signing", "kubepipe-database"},
    }
    assert made == expected[scenario]


def test_existing_secrets_are_used(helm: Any, overlay_of: Any) -> None:
    """Every reference goes to the secret that was named, keys of other names included."""
    release = helm.scenario("gitops", "--set=global.objectStore.accessKeyKey=user,global.database.passwordKey=pw")
    server = release.typed("StatefulSet", "kubepipe-minio").spec.template.spec.containers[0]
    assert server.env[0].value_from.secret_key_ref.to_dict() == {"name": "store-admin", "key": "user", "optional": None}
    api = release.typed("Deployment", "kubepipe-kfp-api").spec.template.spec.containers[0]
    refs = {
        each.name: each.value_from.secret_key_ref
        for each in api.env
        if each.value_from and each.value_from.secret_key_ref
    }
    assert refs["DBCONFIG_MYSQLCONFIG_PASSWORD"].name == "database"
    assert refs["DBCONFIG_MYSQLCONFIG_PASSWORD"].key == "pw"
    assert "secretName: store-artifacts" in release.get("ConfigMap", "kfp-launcher")["data"]["providers"]
    steps = overlay_of(release)["steps"]
    assert steps["prepare-data"]["secretEnv"][0]["secret"] == "store-source"
    assert steps["prepare-data"]["secretVolumes"][0]["secret"] == "privacy-keys"
    assert steps["fine-tune-model"]["secretEnv"][0]["secret"] == "store-artifacts"


def test_identity_needs_no_secret(helm: Any, overlay_of: Any) -> None:
    """With workload identity no pod or step reads a credential of the store, and the account carries the annotation."""
    release = helm.scenario("identity")
    assert "fromEnv: true" in release.get("ConfigMap", "kfp-launcher")["data"]["providers"]
    assert "eks.amazonaws.com/role-arn" in release.get("ServiceAccount", "pipeline-runner")["metadata"]["annotations"]
    assert all(not step["secretEnv"] for step in overlay_of(release)["steps"].values())
    assert not [rule for rule in release.get("Role", "pipeline-runner")["rules"] if "secrets" in rule["resources"]]


def test_one_user_for_all(helm: Any, overlay_of: Any) -> None:
    """Without separate users no further secret is made, and everybody uses the one of the store."""
    release = helm("--set=global.objectStore.separateUsers=false")
    assert "mlpipeline-minio-artifact" not in {each["metadata"]["name"] for each in release.all("Secret")}
    assert overlay_of(release)["steps"]["prepare-data"]["secretEnv"][0]["secret"] == "kubepipe-object-store"


def test_public_key_can_be_given(helm: Any) -> None:
    """A public key in the values stands in the ConfigMap at once, and the hook needs neither key nor token."""
    release = helm.scenario("gitops")
    assert "BEGIN PUBLIC KEY" in release.get("ConfigMap", "kubepipe-permits")["data"]["permit-public.pem"]
    job = release.typed("Job", "kubepipe-setup").spec.template.spec
    assert not job.automount_service_account_token
    assert not {"keys", "signing"} & {volume.name for volume in job.volumes}


def test_hook_sees_the_signing_key_only(helm: Any) -> None:
    """The setup hook mounts the two keys of which it derives the public halves."""
    job = helm().typed("Job", "kubepipe-setup").spec.template.spec
    for name, key in (("keys", "permit-signing.pem"), ("signing", "model-signing.pem")):
        volume = next(each for each in job.volumes if each.name == name)
        assert [item.key for item in volume.secret.items] == [key]
