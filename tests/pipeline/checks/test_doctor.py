from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from kubepipe.cli.main import app
from kubepipe.errors import SettingsError
from kubepipe.pipeline.checks import check_cluster
from kubepipe.pipeline.cluster.register import version_name
from kubepipe.pipeline.overlay import apply_overlay, parse_compiled
from kubepipe.releases import create_model_keys
from kubepipe.sealing.keys import public_pem

CHART = Path(__file__).parents[3] / "charts" / "kubepipe"
NS = "/api/v1/namespaces/models"
APPS = "/apis/apps/v1/namespaces/models"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
KFP = f"{NS}/services/ml-pipeline:8888/proxy/apis/v2beta1"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
OVERLAY: dict[str, Any] = {"images": {}, "imagePullSecrets": [], "steps": {}}
GRAPH = """
deploymentSpec: {executors: {}}
root: {dag: {tasks: {}}, inputDefinitions: {parameters: {settings: {}}}}
"""
LABELS = {"app.kubernetes.io/instance": "kubepipe", "app.kubernetes.io/component": "minio"}


def _versioning(status: str) -> bytes:
    return f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>".encode()


def _denied(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()


def _secret(**files: bytes) -> dict[str, Any]:
    return {"metadata": {"name": "s"}, "data": {key: base64.b64encode(data).decode() for key, data in files.items()}}


def _config_map(name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"app.kubernetes.io/instance": "kubepipe"}}
    return {"metadata": metadata, "data": {key.replace("__", "."): text for key, text in data.items()}}


def _workload(name: str, ready: int) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {
            "replicas": 1, "serviceName": name, "selector": {"matchLabels": LABELS},
            "template": {"spec": {"containers": [{"name": "main"}]}},
        },
        "status": {"readyReplicas": ready, "replicas": 1},
    }  # fmt: skip


def _pod(state: dict[str, Any], *, last: dict[str, Any] | None = None, scheduled: str = "True") -> dict[str, Any]:
    status = {"name": "main", "ready": False, "restartCount": 4, "image": "x", "imageID": "", "state": state}
    return {
        "metadata": {"name": "minio-0"},
        "spec": {"containers": [{"name": "main", "image": "quay.io/minio/minio:1"}]},
        "status": {
            "phase": "Pending",
            "conditions": [{"type": "PodScheduled", "status": scheduled, "message": "0/1 nodes: Insufficient memory"}],
            "containerStatuses": [{**status, "lastState": last or {}}] if scheduled == "True" else [],
        },
    }


def _claim(phase: str, storage_class: str | None) -> dict[str, Any]:
    spec = {"storageClassName": storage_class} if storage_class else {}
    return {"metadata": {"name": "data-0"}, "spec": spec, "status": {"phase": phase, "capacity": {"storage": "5Gi"}}}


class Site:
    """A release in which everything is as it should be; a test breaks one thing."""

    def __init__(self, cluster: Any, folder: Path) -> None:
        self.cluster = cluster
        key = Ed25519PrivateKey.generate()
        self.files = {
            "wrapping.key": b"w" * 32,
            "pseudonym.key": b"p" * 32,
            "permit-signing.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        }
        create_model_keys(folder)
        self.signing = (folder / "model-signing.pem").read_bytes()
        self.model_public = (folder / "model-public.pem").read_text(encoding="utf-8")
        self.public = public_pem(key.public_key()).decode()
        self.version = ""
        self.setup = {
            "release": "kubepipe",
            "kfp": {"endpoint": "http://ml-pipeline.models.svc.cluster.local:8888"},
            "s3": {"endpoint": cluster.address, "secure": False, "region": "us-east-1"},
            "buckets": [{"name": "incoming", "versioning": True}, {"name": "kubepipe", "versioning": False}],
            "pipeline": {"name": "kubepipe"},
            "definitions": {"workflows.argoproj.io": {"version": "v1alpha1", "release": "v4.0.5"}},
            "accounts": [
                {"name": name, "secret": f"{name}-store", "accessKeyKey": "accesskey", "secretKeyKey": "secretkey",
                 "buckets": buckets}
                for name, buckets in (("source", ["incoming", "kubepipe"]), ("artifacts", ["kubepipe"]))
            ],
            "privacy": {"secret": "keys", "publicKeyConfigMap": "permits", "publicKeyName": "permit-public.pem"},
            "models": {"secret": "signing", "publicKeyConfigMap": "permits", "publicKeyName": "model-public.pem"},
        }  # fmt: skip
        definition = CHART / "charts" / "argo-workflows" / "crds" / "workflows.yaml"
        self.definition = yaml.safe_load(definition.read_text(encoding="utf-8"))
        self._answer()

    def _answer(self) -> None:
        on, items = self.cluster.on, self.cluster.items
        on("/version/", {
            "major": "1", "minor": "34", "gitVersion": "v1.34.4", "gitCommit": "", "gitTreeState": "", "buildDate": "",
            "goVersion": "", "compiler": "", "platform": "",
        })  # fmt: skip
        self.rights(lambda _: True)
        self.tell()
        on(f"{CRDS}/workflows.argoproj.io", self.definition)
        items(f"{APPS}/deployments", _workload("ml-pipeline", 1))
        items(f"{APPS}/statefulsets", _workload("minio", 1))
        items(f"{NS}/persistentvolumeclaims", _claim("Bound", "local"))
        on(f"{KFP}/healthz", {})
        on(f"{KFP}/runs", {"runs": []})
        on(f"{KFP}/pipelines/names/kubepipe", {"pipeline_id": "p"})
        for user in ("source", "artifacts"):
            on(f"{NS}/secrets/{user}-store", _secret(accesskey=b"me", secretkey=b"hidden"))
        on("/incoming", _versioning("Enabled"))
        on("/kubepipe", _versioning("Suspended"))
        on(f"{NS}/secrets/keys", _secret(**self.files))
        on(f"{NS}/secrets/signing", _secret(**{"model-signing.pem": self.signing}))
        self.publish()

    def publish(self, **more: str) -> None:
        """Write the ConfigMap of public keys."""
        known = {"permit-public.pem": self.public, "model-public.pem": self.model_public}
        held = {**known, **{name.replace("__", "."): text for name, text in more.items()}}
        self.cluster.on(f"{NS}/configmaps/permits", _config_map("permits", **held))

    def tell(self, settings: str = "{}") -> None:
        """Write the release's ConfigMaps; all answer to the same list, whatever the selector."""
        overlay = {**OVERLAY, "parameters": {"settings": settings}}
        self.version = version_name("kubepipe", apply_overlay(parse_compiled(GRAPH, place="x"), overlay))
        self.cluster.on(f"{KFP}/pipelines/p/versions", {"pipeline_versions": [{"display_name": self.version}]})
        self.cluster.items(
            f"{NS}/configmaps",
            _config_map("setup", setup__json=json.dumps(self.setup)),
            _config_map("overlay", overlay__json=json.dumps(overlay)),
            _config_map("graph", kubepipe__yaml=GRAPH),
        )

    def rights(self, allowed: Any) -> None:
        """Answer reviews of rights."""
        answer = lambda review: {**review, "status": {"allowed": allowed(review["spec"]["resourceAttributes"])}}  # noqa: E731
        self.cluster.on(REVIEW, answer, status=201, method="POST")


@pytest.fixture
def site(cluster: Any, tmp_path: Path) -> Site:
    """A healthy release."""
    return Site(cluster, tmp_path)


def _bad(namespace: str | None = None) -> dict[str, str]:
    return {check.name: check.one_line() for check in check_cluster(namespace) if check.good is False}


def test_a_healthy_release_has_no_problem(site: Site) -> None:
    """Every group of checks says ok, by the rights and the namespace of the context."""
    checks = {check.name: check.good for check in check_cluster(None)}
    assert site.version.startswith("kubepipe-")
    assert checks == dict.fromkeys(
        [
            "Kubernetes API", "rights", "release", "definition workflows.argoproj.io", "volume data-0",
            "deployment ml-pipeline", "statefulset minio", "pipelines API", "database", "pipeline kubepipe",
            "object store as source", "bucket incoming as source", "bucket kubepipe as source",
            "object store as artifacts", "bucket kubepipe as artifacts",
            "privacy keys in secret keys", "public key of permits",
            "key of models in secret signing", "public key of models",
        ],
        True,
    )  # fmt: skip


def _break_rights(site: Site) -> None:
    site.rights(lambda asked: not (asked["resource"] == "services" and asked.get("subresource") == "proxy"))


def _break_definition(site: Site, **change: Any) -> None:
    site.definition["spec"]["versions"][0].update(change)
    site.cluster.on(f"{CRDS}/workflows.argoproj.io", site.definition)


def _old_definition(site: Site) -> None:
    site.definition["metadata"]["labels"]["app.kubernetes.io/version"] = "v3.6.0"
    site.cluster.on(f"{CRDS}/workflows.argoproj.io", site.definition)


def _sick(site: Site, pod: dict[str, Any] | None) -> None:
    site.cluster.items(f"{APPS}/statefulsets", _workload("minio", 0))
    site.cluster.items(f"{NS}/pods", *([pod] if pod else []))


def _claims(site: Site, storage_class: str | None, *classes: dict[str, Any]) -> None:
    site.cluster.items(f"{NS}/persistentvolumeclaims", _claim("Pending", storage_class))
    site.cluster.items("/apis/storage.k8s.io/v1/storageclasses", *classes)


LOCAL = {"metadata": {"name": "local"}, "provisioner": "x"}
BROKEN: dict[str, tuple[Any, str, list[str]]] = {
    "old kubernetes": (
        lambda s: s.cluster.answers["GET /version/"][1].update(minor="27+", gitVersion="v1.27.1"),
        "Kubernetes API", ["v1.27.1", "1.28 or newer"],
    ),
    "rights": (_break_rights, "rights", ["create services/proxy", "submit", "models"]),
    "no release": (lambda s: s.cluster.items(f"{NS}/configmaps"), "release", ["no release", "--namespace"]),
    "definition missing": (
        lambda s: s.cluster.on(f"{CRDS}/workflows.argoproj.io", {}, status=404),
        "definition workflows.argoproj.io", ["is missing", "crds"],
    ),
    "definition of another version": (
        lambda s: _break_definition(s, name="v1beta1"),
        "definition workflows.argoproj.io", ["serves v1beta1", "v1alpha1 is needed"],
    ),
    "definition of another release": (
        _old_definition, "definition workflows.argoproj.io", ["v3.6.0", "v4.0.5", "helm upgrade"],
    ),
    "image": (
        lambda s: _sick(s, _pod({"waiting": {"reason": "ImagePullBackOff"}})),
        "statefulset minio", ["quay.io/minio/minio:1 cannot be pulled", "global.imageRegistry"],
    ),
    "crash": (
        lambda s: _sick(s, _pod({"waiting": {"reason": "CrashLoopBackOff"}}, last={"terminated": {"exitCode": 3}})),
        "statefulset minio", ["code 3, 4 restarts", "kubectl logs minio-0 --container main --previous"],
    ),
    "out of memory": (
        lambda s: _sick(s, _pod({"waiting": {"reason": "CrashLoopBackOff"}},
                                last={"terminated": {"exitCode": 137, "reason": "OOMKilled"}})),
        "statefulset minio", ["OOMKilled", "resources.limits.memory"],
    ),
    "no room": (
        lambda s: _sick(s, _pod({}, scheduled="False")), "statefulset minio", ["Insufficient memory", "Make room"],
    ),
    "secret missing": (
        lambda s: _sick(s, _pod({"waiting": {"reason": "CreateContainerConfigError", "message": '"x" not found'}})),
        "statefulset minio", ['"x" not found'],
    ),
    "not ready": (
        lambda s: _sick(s, _pod({"running": {}})), "statefulset minio", ["readiness probe", "kubectl logs"],
    ),
    "no pod": (lambda s: _sick(s, None), "statefulset minio", ["no pod was made", "Pod Security"]),
    "storage class missing": (
        lambda s: _claims(s, "fast", LOCAL), "volume data-0", ["fast does not exist", "local", "global.storageClass"],
    ),
    "no default class": (lambda s: _claims(s, None, LOCAL), "volume data-0", ["no default storage class", "local"]),
    "pipelines API away": (
        lambda s: s.cluster.on(f"{KFP}/healthz", {}, status=503),
        "pipelines API", ["ml-pipeline.models.svc.cluster.local:8888", "503", "global.kubeflowPipelines.endpoint"],
    ),
    "database away": (lambda s: s.cluster.on(f"{KFP}/runs", {}, status=500), "database", ["500", "global.database"]),
    "not registered": (
        lambda s: s.cluster.on(f"{KFP}/pipelines/names/kubepipe", {}, status=404),
        "pipeline kubepipe", ["not registered", "job/kubepipe-setup"],
    ),
    "another version": (
        lambda s: s.cluster.on(f"{KFP}/pipelines/p/versions", {"pipeline_versions": [{"display_name": "old"}]}),
        "pipeline kubepipe", ["newest version is old", "helm upgrade"],
    ),
    "wrong credentials": (
        lambda s: s.cluster.on("/incoming", _denied("SignatureDoesNotMatch"), status=403),
        "object store as source", ["refuses the credentials of secret source-store", "SignatureDoes", "secretkey"],
    ),
    "no secret": (
        lambda s: s.cluster.on(f"{NS}/secrets/artifacts-store", {}, status=404),
        "object store as artifacts", ["secret artifacts-store does not exist"],
    ),
    "secret without key": (
        lambda s: s.cluster.on(f"{NS}/secrets/artifacts-store", _secret(other=b"x")),
        "object store as artifacts", ["secret artifacts-store has no key accesskey"],
    ),
    "no bucket": (
        lambda s: s.cluster.on("/incoming", _denied("NoSuchBucket"), status=404),
        "bucket incoming as source", ["does not exist", "setup hook"],
    ),
    "no right on the bucket": (
        lambda s: s.cluster.on("/incoming", _denied("AccessDenied"), status=403),
        "bucket incoming as source", ["AccessDenied", "s3:GetBucketVersioning"],
    ),
    "no versions": (
        lambda s: s.cluster.on("/incoming", _versioning("Suspended")),
        "bucket incoming as source", ["keeps no versions", "helm upgrade"],
    ),
    "key missing": (
        lambda s: s.cluster.on(f"{NS}/secrets/keys", _secret(**{"wrapping.key": b"w" * 32, "pseudonym.key": b"p"})),
        "privacy keys in secret keys", ["permit-signing.pem is missing", "pseudonym.key is no 32 bytes"],
    ),
    "key of mappings of another length": (
        lambda s: s.cluster.on(f"{NS}/secrets/keys", _secret(**s.files, **{"mapping.key": b"m"})),
        "privacy keys in secret keys", ["mapping.key is no 32 bytes"],
    ),
    "key of mappings missing": (
        lambda s: s.tell('{"privacy": {"mapping": "sealed"}}'),
        "privacy keys in secret keys", ["mapping.key is missing"],
    ),
    "another public key": (
        lambda s: s.publish(**{"permit-public__pem": "other"}),
        "public key of permits", ["does not belong", "keys.publicKey"],
    ),
    "no public key": (
        lambda s: s.publish(**{"permit-public__pem": ""}), "public key of permits", ["is missing"],
    ),
    "key of models missing": (
        lambda s: s.cluster.on(f"{NS}/secrets/signing", _secret()),
        "key of models in secret signing", ["model-signing.pem is missing", "signing.trustedKeys"],
    ),
    "key of models of the wrong kind": (
        lambda s: s.cluster.on(
            f"{NS}/secrets/signing", _secret(**{"model-signing.pem": s.files["permit-signing.pem"]})
        ),
        "key of models in secret signing", ["no elliptic curve key on P-256"],
    ),
    "secret of models missing": (
        lambda s: s.cluster.on(f"{NS}/secrets/signing", {}, status=404),
        "key of models in secret signing", ["secret signing does not exist"],
    ),
    "another public key of models": (
        lambda s: s.publish(**{"model-public__pem": s.public}),
        "public key of models", ["does not belong", "signing.publicKey"],
    ),
    "no public key of models": (
        lambda s: s.publish(**{"model-public__pem": ""}), "public key of models", ["is missing, so no model is served"],
    ),
    "a trusted key that is none": (
        lambda s: s.publish(**{"model-trusted-1__pem": "-----BEGIN PUBLIC KEY-----"}),
        "public key model-trusted-1.pem", ["is no public key", "signing.trustedKeys"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_named_with_its_remedy(site: Site, case: str) -> None:
    """One line names the thing, what is wrong with it, and what to set or do; everything else stays fine."""
    change, name, told = BROKEN[case]
    change(site)
    bad = _bad()
    assert list(bad) == [name]
    for text in told:
        assert text in bad[name]
    assert "\n" not in bad[name]


def test_a_store_that_is_not_there(site: Site, unused_port: int) -> None:
    """The endpoint is named, once for each user."""
    site.setup["s3"]["endpoint"] = f"127.0.0.1:{unused_port}"
    site.tell()
    bad = _bad()
    assert set(bad) == {"object store as source", "object store as artifacts"}
    assert f"127.0.0.1:{unused_port} does not answer" in bad["object store as source"]


def test_what_may_not_be_looked_at_is_a_note(site: Site) -> None:
    """Definitions are cluster-wide: whoever may not read them still gets the rest."""
    site.cluster.on(f"{CRDS}/workflows.argoproj.io", {}, status=403)
    found = {check.name: check for check in check_cluster(None)}
    assert found["definitions"].good is None
    assert found["pipelines API"].good


def test_a_foreign_definition_is_a_note(site: Site) -> None:
    """Another installation's definition is left alone; whether it fits shows in runs."""
    site.definition["metadata"]["labels"] = {}
    site.cluster.on(f"{CRDS}/workflows.argoproj.io", site.definition)
    found = {check.name: check for check in check_cluster(None)}
    assert found["definition workflows.argoproj.io"].good is None
    assert "another installation" in found["definition workflows.argoproj.io"].found


@pytest.mark.parametrize(("broken", "code"), [(False, 0), (True, 1)])
def test_the_command_prints_one_line_each_and_ends_with_1_for_a_problem(site: Site, broken: bool, code: int) -> None:
    """The exit code is for scripts, the lines are for people; no secret value is in them."""
    if broken:
        site.cluster.on("/incoming", _denied("NoSuchBucket"), status=404)
    done = CliRunner().invoke(app, ["doctor", "--cluster", "--namespace", "models"], standalone_mode=False)
    assert (done.return_value, done.exception) == (code, None)
    assert all(re.match(r"(ok|problem|note) +\S", line) for line in done.output.splitlines())
    assert ("problem bucket incoming as source" in done.output) is broken
    assert "hidden" not in done.output


def test_without_a_cluster_nothing_is_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Exit code 2: no cluster is configured."""
    from kubernetes.config import kube_config

    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="KUBECONFIG") as caught:
        list(check_cluster(None))
    assert caught.value.exit_code == 2


def test_a_cluster_that_does_not_answer_ends_the_checks(site: Site) -> None:
    """One problem that names the address, and nothing that hangs on it."""
    site.cluster.stop()
    assert list(_bad()) == ["Kubernetes API"]


def test_a_key_from_before_a_rotation_is_listed(site: Site) -> None:
    """A person sees that models of the older key hold, too."""
    site.publish(**{"model-trusted-1__pem": site.model_public})
    (found,) = [each for each in check_cluster(None) if each.name == "public key model-trusted-1.pem"]
    assert (found.good, found.found) == (True, "models of this key hold, too")
