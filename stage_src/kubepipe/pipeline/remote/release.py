"""An installed release, found in a namespace by its own ConfigMaps."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from kubepipe.errors import AccessError, KubePipeError, SettingsError
from kubepipe.pipeline.cluster.connection import connect
from kubepipe.pipeline.kfp_api import KfpApi
from kubepipe.pipeline.remote.forward import forwarded
from kubepipe.storage import Store, open_store

_GRAPH: Final = "kubepipe.yaml"
_NOT_FOUND: Final = 404
_REFUSED: Final = frozenset({401, 403})
_SELECTOR: Final = "app.kubernetes.io/part-of=kubepipe,app.kubernetes.io/component={}"


@dataclass(frozen=True, slots=True)
class Release:
    """A release of the chart.

    Attributes:
        namespace: Where it is installed.
        setup: What its setup hook was told: endpoints, buckets, the pipeline's name.
        overlay: What was written into its compiled pipeline: images, secrets, default settings.
    """

    namespace: str
    setup: Mapping[str, Any]
    overlay: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of the release."""
        return str(self.setup["release"])

    @property
    def incoming(self) -> str:
        """Bucket for incoming data."""
        return str(self.setup["buckets"][0]["name"])

    @property
    def pipeline(self) -> str:
        """Name of the registered pipeline."""
        return str(self.setup["pipeline"]["name"])

    def default_settings(self) -> dict[str, Any]:
        """Settings that the release gives every run."""
        settings: dict[str, Any] = json.loads(self.overlay["parameters"]["settings"])
        return settings

    def kfp(self) -> KfpApi:
        """The KFP API, reached through the Kubernetes API: no ingress and no forwarded port is needed."""
        from kubernetes import client

        endpoint = self.setup["kfp"]["endpoint"]
        service, port = _service(endpoint, self.namespace)
        if service is None:
            return KfpApi(endpoint)
        api = client.ApiClient()
        proxy = f"/api/v1/namespaces/{service[1]}/services/{service[0]}:{port}/proxy"
        return KfpApi(f"{api.configuration.host}{proxy}", pool=_AuthorisedPool(api))

    def public_keys(self) -> dict[str, str]:
        """Public keys of permits and models by file name, from their ConfigMap.

        Raises:
            KubePipeError: It is missing, or cannot be read.
        """
        from kubernetes import client

        name = self.overlay["steps"]["publish-model"]["configMapVolumes"][0]["configMap"]
        try:
            found = client.CoreV1Api().read_namespaced_config_map(name, self.namespace)
        except client.ApiException as error:
            raise KubePipeError(
                f"ConfigMap {name} cannot be read ({error.status} {error.reason})", place=f"namespace {self.namespace}"
            ) from error
        return dict(found.data or {})

    @contextmanager
    def store(self, account: str | None = None) -> Iterator[Store]:
        """The store with the records of runs, by a forwarded port where it lies in the cluster.

        Args:
            account: Whose credentials are taken: admin, source or artifacts; those of a step when left out.

        Raises:
            KubePipeError: The credentials cannot be read, or the store cannot be reached.
        """
        step = next(iter(self.overlay["steps"].values()))
        given = self._account(account) if account else step["secretEnv"]
        credentials = {each["name"]: self.secret(each["secret"], each["key"]) for each in given}
        environment = {
            **credentials,
            "KUBEPIPE_S3_SECURE": str(self.setup["s3"]["secure"]).lower(),
            "KUBEPIPE_S3_REGION": self.setup["s3"]["region"],
        }
        with self.store_address() as address, _environment({**environment, "KUBEPIPE_S3_ENDPOINT": address}):
            yield open_store(step["env"]["KUBEPIPE_STORE"])

    def quarantine(self) -> Store:
        """Where people's decisions lie; to be used while `store` is open, whose credentials it takes.

        Raises:
            SettingsError: The release has no such place.
        """
        url = self.overlay["steps"]["verify-privacy"]["env"].get("KUBEPIPE_QUARANTINE")
        if not url:
            raise SettingsError("has no quarantine bucket", place=f"release {self.name}", remedy="Upgrade it")
        return open_store(url)

    @contextmanager
    def store_address(self) -> Iterator[str]:
        """host:port at which this machine reaches the store: a forwarded port where it lies in the cluster.

        Raises:
            KubePipeError: The store's service has no ready pod.
        """
        endpoint = self.setup["s3"]["endpoint"]
        service, port = _service(endpoint, self.namespace)
        if service is None:
            yield endpoint
            return
        with forwarded(service[1], service[0], port) as local:
            yield local

    def _account(self, name: str) -> list[dict[str, str]]:
        account = next((each for each in self.setup.get("accounts", []) if each["name"] == name), None)
        if account is None:
            raise KubePipeError(
                f"the release has no credentials of the account {name}",
                place=f"namespace {self.namespace}",
                remedy="Upload with the store's own tools; the release runs what arrives",
            )
        parts = (("KUBEPIPE_S3_ACCESS_KEY", "accessKeyKey"), ("KUBEPIPE_S3_SECRET_KEY", "secretKeyKey"))
        return [{"name": variable, "secret": account["secret"], "key": account[key]} for variable, key in parts]

    def secret(self, name: str, key: str) -> str:
        """One value of a secret.

        Raises:
            KubePipeError: The secret cannot be read, or lacks the key.
        """
        files = self.secret_files(name)
        if key not in files:
            raise KubePipeError(
                f"secret {name} has no key {key}",
                place=f"namespace {self.namespace}",
                remedy="Put it there, or name another secret in the values",
            )
        return files[key].decode()

    def secret_files(self, name: str) -> dict[str, bytes]:
        """All values of a secret.

        Raises:
            KubePipeError: The secret cannot be read.
        """
        from kubernetes import client

        try:
            secret = client.CoreV1Api().read_namespaced_secret(name, self.namespace)
        except client.ApiException as error:
            if error.status in _REFUSED:
                raise AccessError(
                    f"you may not read secret {name} ({error.status} {error.reason})",
                    place=f"namespace {self.namespace}",
                    remedy=f"You need the right to get secrets/{name}",
                ) from error
            is_missing = error.status == _NOT_FOUND
            what = "does not exist" if is_missing else f"cannot be read ({error.status} {error.reason})"
            raise KubePipeError(
                f"secret {name} {what}",
                place=f"namespace {self.namespace}",
                remedy="Make it, or name another in the values" if is_missing else "Look at the Kubernetes API",
            ) from error
        return {key: base64.b64decode(value) for key, value in (secret.data or {}).items()}

    def config_map(self, name: str) -> dict[str, str]:
        """Content of a ConfigMap; empty when there is none."""
        from kubernetes import client

        try:
            return dict(client.CoreV1Api().read_namespaced_config_map(name, self.namespace).data or {})
        except client.ApiException as error:
            if error.status == _NOT_FOUND:
                return {}
            raise

    def graph(self) -> str | None:
        """The compiled graph that the release brought; None where the values name another ConfigMap."""
        from kubernetes import client

        selector = f"{_SELECTOR.format('pipeline')},app.kubernetes.io/instance={self.name}"
        maps = client.CoreV1Api().list_namespaced_config_map(self.namespace, label_selector=selector).items
        return next((each.data[_GRAPH] for each in maps if _GRAPH in (each.data or {})), None)


def find_release(namespace: str | None) -> Release:
    """The release in a namespace, that of the current context when none is named.

    Raises:
        SettingsError: No cluster is configured.
        KubePipeError: There is no release, or more than one.
    """
    from kubernetes import client

    namespace = namespace or connect()
    connect()
    api = client.CoreV1Api()
    documents = {
        component: _documents(api, namespace, component, key)
        for component, key in (("setup", "setup.json"), ("pipeline", "overlay.json"))
    }
    # A release that brings engines only has no pipeline, and may stand beside the one that has.
    names = sorted(documents["setup"].keys() & documents["pipeline"].keys())
    if len(names) != 1:
        what = "no release of the chart with the pipeline" if not names else f"{len(names)} releases"
        raise SettingsError(f"holds {what}", place=f"namespace {namespace}", remedy="Name another by --namespace")
    return Release(namespace, documents["setup"][names[0]], documents["pipeline"][names[0]])


def _documents(api: Any, namespace: str, component: str, key: str) -> dict[str, Any]:
    """What the releases of a namespace hold in the ConfigMap of a component, by the release's name."""
    from kubernetes import client

    try:
        maps = api.list_namespaced_config_map(namespace, label_selector=_SELECTOR.format(component)).items
    except client.ApiException as error:
        raise KubePipeError(
            f"ConfigMaps cannot be listed ({error.status} {error.reason})",
            place=f"namespace {namespace}",
            remedy="Check KUBECONFIG and your rights",
        ) from error
    return {
        each.metadata.labels["app.kubernetes.io/instance"]: json.loads(each.data[key])
        for each in maps
        if each.data and key in each.data
    }


class _AuthorisedPool:
    """The Kubernetes client's pool, with its credentials on every request."""

    def __init__(self, api: Any) -> None:
        self._pool = api.rest_client.pool_manager
        self._configuration = api.configuration

    def request(self, method: str, url: str, **options: Any) -> Any:
        settings = self._configuration.auth_settings().values()
        credentials = {each["key"]: each["value"] for each in settings if each["in"] == "header"}
        headers = {**options.pop("headers", {}), **credentials}
        return self._pool.request(method, url, headers=headers, timeout=60, **options)


def _service(endpoint: str, namespace: str) -> tuple[tuple[str, str] | None, int]:
    """Service and port behind an address of the cluster; no service for an address outside."""
    host, _, port = endpoint.removeprefix("http://").removeprefix("https://").rstrip("/").partition(":")
    labels = host.split(".")
    is_inside = len(labels) == 1 or (len(labels) > 1 and (len(labels) == 2 or labels[2] == "svc"))  # noqa: PLR2004
    if not is_inside:
        return None, 0
    return (labels[0], labels[1] if len(labels) > 1 else namespace), int(port or 80)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({name: value} if value is not None else {})
