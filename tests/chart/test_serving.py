"""The component that answers questions."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from kubepipe.settings import parse_settings


@pytest.fixture(scope="module")
def served(helm: Any) -> Any:
    """A rendering with it."""
    return helm("--set=serving.enabled=true,serving.settings.serving.batch_size=32")


def test_it_is_off_by_default(helm: Any) -> None:
    """A plain install renders nothing of it."""
    assert not [
        each for each in helm().objects if each["metadata"]["labels"].get("app.kubernetes.io/component") == "serving"
    ]


def test_it_follows_the_store_and_waits_for_a_release(served: Any) -> None:
    """Readiness asks whether a verified release is loaded; the old pod stays until then."""
    deployment = served.typed("Deployment", "kubepipe-serving").spec
    container = deployment.template.spec.containers[0]
    assert container.args[:2] == ["serve", "s3://kubepipe"]
    assert "--wait" in container.args
    assert (container.readiness_probe.http_get.path, container.liveness_probe.http_get.path) == ("/readyz", "/healthz")
    assert deployment.strategy.rolling_update.max_unavailable == 0
    assert deployment.template.spec.termination_grace_period_seconds > 30 + 5


def test_it_holds_public_keys_and_its_token_only(served: Any) -> None:
    """No private key, no account token; the store's user may only read the bucket of models."""
    spec = served.typed("Deployment", "kubepipe-serving").spec.template.spec
    secrets = {volume.secret.secret_name for volume in spec.volumes if volume.secret}
    assert secrets == {"kubepipe-serving-token"}
    references = {each.value_from.secret_key_ref.name for each in spec.containers[0].env if each.value_from}
    assert references == {"kubepipe-serving-store"}
    setup = json.loads(served.get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
    assert setup["users"][-1] == {
        "folder": "/etc/kubepipe/users/serving", "policy": "kubepipe-serving", "grants": {"kubepipe": "read"},
    }  # fmt: skip
    assert setup["accounts"][-1] == {
        "name": "serving", "secret": "kubepipe-serving-store", "buckets": ["kubepipe"],
        "accessKeyKey": "accesskey", "secretKeyKey": "secretkey",
    }, "doctor tries it"  # fmt: skip
    token = base64.b64decode(served.get("Secret", "kubepipe-serving-token")["data"]["token"])
    assert len(token) == 40


def test_keys_from_before_a_rotation_are_trusted(helm: Any, tmp_path: Path) -> None:
    """They lie beside the public key in the folder that the server checks models with."""
    old = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    (tmp_path / "old.pem").write_text(old, encoding="utf-8")
    release = helm("--set=serving.enabled=true", f"--set-file=signing.trustedKeys[0]={tmp_path / 'old.pem'}")
    assert release.get("ConfigMap", "kubepipe-permits")["data"] == {"model-trusted-1.pem": old}
    spec = release.typed("Deployment", "kubepipe-serving").spec.template.spec
    environment = {each.name: each.value for each in spec.containers[0].env}
    mounts = {mount.name: mount.mount_path for mount in spec.containers[0].volume_mounts}
    assert environment["KUBEPIPE_MODEL_KEY"] == mounts["permits"]
    (volume,) = [each for each in spec.volumes if each.name == "permits"]
    assert (volume.config_map.name, volume.config_map.items) == ("kubepipe-permits", None)
    setup = json.loads(release.get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
    assert setup["models"] == {
        "secret": "kubepipe-model-signing", "publicKeyConfigMap": "kubepipe-permits",
        "publicKeyName": "model-public.pem",
    }, "doctor looks at them"  # fmt: skip


def test_settings_are_those_of_the_product(served: Any) -> None:
    """The server reads what the values say."""
    text = served.get("ConfigMap", "kubepipe-serving")["data"]["settings.json"]
    assert parse_settings(text).serving.batch_size == 32


def test_only_clients_reach_it_and_it_reaches_the_store_only(helm: Any) -> None:
    """Ingress from labelled pods and the peers of the values; egress to DNS and the store."""
    release = helm("--set=serving.enabled=true,serving.clients[0].namespaceSelector.matchLabels.team=web")
    policy = release.get("NetworkPolicy", "kubepipe-serving")["spec"]
    (rule,) = policy["ingress"]
    assert rule["from"][0]["podSelector"]["matchLabels"] == {"kubepipe/client": "true"}
    assert rule["from"][-1]["namespaceSelector"]["matchLabels"] == {"team": "web"}
    assert [port["port"] for rule in policy["egress"] for port in rule["ports"]] == [53, 53, 9000]
    store = release.get("NetworkPolicy", "kubepipe-minio")["spec"]["ingress"]
    reached = [
        value
        for rule in store
        for peer in rule["from"]
        for each in peer.get("podSelector", {}).get("matchExpressions", [])
        for value in each["values"]
    ]
    assert "serving" in reached
