"""Values below `global`: what the parent chart and all engines must agree on."""

# ruff: noqa: N815 - values of charts are written in camelCase

from __future__ import annotations

from typing import Literal

from chart_common import Account, Cidr, Objects, Part, Port
from pydantic import Field

from kubepipe.settings import RetentionSettings

PRIVATE_RANGES = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]


class Proxy(Part):
    """An HTTP proxy for programs of this product that go out of the cluster."""

    http: str = Field("", description="HTTP_PROXY, for example http://proxy.example.com:3128.")
    https: str = Field("", description="HTTPS_PROXY.")
    noProxy: str = Field("", description="NO_PROXY; the cluster's own names are added when a proxy is set.")


class CaBundle(Part):
    """Certificates of authorities that are trusted besides the usual ones."""

    configMap: str = Field("", description="ConfigMap with the certificates in PEM; empty mounts none.")
    key: str = Field("ca.crt", description="Key in the ConfigMap.")


class KubernetesApi(Part):
    """Where the Kubernetes API is, for network policies."""

    cidrs: list[Cidr] = Field(
        default_factory=lambda: list(PRIVATE_RANGES),
        description="Address ranges of the API server. The default, all private ranges, keeps pods off the internet; a "
        "cluster with a public API endpoint (AKS, for one) needs that address here.",
    )
    ports: list[Port] = Field(
        default_factory=lambda: [443, 6443], description="Ports of the service and of the endpoint behind it."
    )


class Dns(Part):
    """Where names are resolved, for network policies."""

    namespaceLabels: dict[str, str] = Field(
        default_factory=lambda: {"kubernetes.io/metadata.name": "kube-system"},
        description="Labels of the namespace of the DNS pods.",
    )
    cidrs: list[Cidr] = Field(
        default_factory=list,
        description="Addresses besides those pods, for example 169.254.20.10/32 of a node-local cache.",
    )
    ports: list[Port] = Field(default_factory=lambda: [53], description="Ports; OpenShift's DNS pods listen on 5353.")


class NetworkPolicies(Part):
    """Default-deny network policies and the flows that are needed."""

    enabled: bool = Field(
        True, description="Make them. They have an effect only where the network plug-in enforces them."
    )
    scope: Literal["release", "namespace"] = Field(
        "release",
        description="Whom default-deny covers: pods of this release and of its runs, or every pod of the namespace.",
    )
    kubernetesApi: KubernetesApi = Field(default_factory=KubernetesApi, description="The Kubernetes API.")
    dns: Dns = Field(default_factory=Dns, description="The cluster's DNS.")
    clients: Objects = Field(
        default_factory=list,
        description="Who else may call the pipelines API and the object store, as NetworkPolicy peers. Pods of the "
        "namespace with the label kubepipe/client=true always may.",
    )


class UserSecret(Part):
    """A secret with the credentials of one user of the store."""

    existingSecret: str = Field("", description="Secret with them; empty makes one and keeps it.")


class WebhookToken(Part):
    """The token that the store shows to the event source."""

    existingSecret: str = Field("", description="Secret with it; empty makes one and keeps it.")
    key: str = Field("token", description="Key in the secret.")


class ObjectStore(Part):
    """The S3 object store that all parts use."""

    endpoint: str = Field(
        "", description="host or host:port of an existing store, without a scheme; empty means the bundled MinIO."
    )
    secure: bool = Field(True, description="Speak TLS to the existing store. The bundled one is reached without.")
    region: str = Field("us-east-1", description="Region.")
    existingSecret: str = Field(
        "",
        description="Secret with the credentials of a user who may do everything on the buckets; needed for an "
        "existing store. Empty makes one for the bundled MinIO and keeps it.",
    )
    accessKeyKey: str = Field("accesskey", description="Key of the access key in this and the next two secrets.")
    secretKeyKey: str = Field("secretkey", description="Key of the secret key.")
    separateUsers: bool = Field(
        True,
        description="Give steps behind the privacy gate a user who cannot read the incoming and quarantine buckets. On "
        "the bundled MinIO the setup hook makes the two users; for an existing store name their secrets below.",
    )
    artifacts: UserSecret = Field(
        default_factory=UserSecret, description="User of the pipeline's artifacts and records."
    )
    source: UserSecret = Field(
        default_factory=UserSecret, description="User of the steps that read incoming data and write to quarantine."
    )
    serving: UserSecret = Field(
        default_factory=UserSecret, description="User of the server, who may only read records and models."
    )
    webhook: WebhookToken = Field(
        default_factory=WebhookToken, description="Token with which the store reports new objects to the event source."
    )
    workloadIdentity: bool = Field(
        False,
        description="No secrets: the store trusts the service accounts' own identity, see "
        "global.pipelineRunner.annotations.",
    )
    cidrs: list[Cidr] = Field(
        default_factory=lambda: ["0.0.0.0/0"], description="Addresses of the existing store, for network policies."
    )


class Database(Part):
    """The MySQL database of Kubeflow Pipelines."""

    host: str = Field("", description="Host of an existing MySQL or MariaDB; empty means the bundled MariaDB.")
    port: Port = Field(3306, description="Port.")
    user: str = Field(
        "kubepipe", pattern="^[A-Za-z0-9_]{1,32}$", description="User; needs all rights on the two databases."
    )
    pipelines: str = Field("mlpipeline", pattern="^[A-Za-z0-9_]+$", description="Database of the pipelines API.")
    metadata: str = Field("metadb", pattern="^[A-Za-z0-9_]+$", description="Database of ML Metadata.")
    existingSecret: str = Field(
        "", description="Secret with the password; needed for an existing database. Empty makes one and keeps it."
    )
    passwordKey: str = Field("password", description="Key of the user's password.")
    rootPasswordKey: str = Field("root-password", description="Key of root's password (bundled MariaDB only).")
    cidrs: list[Cidr] = Field(
        default_factory=lambda: ["0.0.0.0/0"], description="Addresses of the existing database, for network policies."
    )


class PipelinesApi(Part):
    """An existing Kubeflow Pipelines installation."""

    endpoint: str = Field(
        "",
        description="URL of the API of an existing installation, for example "
        "http://ml-pipeline.kubeflow.svc.cluster.local:8888; empty means the bundled one.",
    )
    cidrs: list[Cidr] = Field(
        default_factory=lambda: ["0.0.0.0/0"], description="Addresses of the existing API, for network policies."
    )


class Bucket(Part):
    """A bucket that the setup hook makes."""

    name: str = Field(pattern="^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="Name.")
    versioning: bool = Field(False, description="Keep older versions of objects.")
    expireDays: dict[str, int] = Field(
        default_factory=dict,
        description="Prefixes and the days after which objects below them go, where they differ from global.retention; "
        '"" is the whole bucket, 0 keeps.',
    )


class Buckets(Part):
    """The buckets, and how long what is in them is kept."""

    incoming: Bucket = Field(
        default_factory=lambda: Bucket(name="incoming", versioning=True), description="Where data sets are dropped."
    )
    quarantine: Bucket = Field(
        default_factory=lambda: Bucket(name="quarantine"),
        description="Decisions on what the privacy gate keeps, and mappings; steps behind the gate cannot read it.",
    )
    artifacts: Bucket = Field(
        default_factory=lambda: Bucket(name="mlpipeline"),
        description="What steps hand to each other; sealed before the gate.",
    )
    store: Bucket = Field(
        default_factory=lambda: Bucket(name="kubepipe", versioning=True),
        description="Records of runs, wrapped data keys, published models.",
    )


def _kept(name: str) -> int:
    return int(RetentionSettings.model_fields[name].default)


class Retention(Part):
    """Days that each class of artifacts is kept; 0 keeps it. The names are those of the settings' retention."""

    raw: int = Field(_kept("raw"), ge=0, description="Data sets in the bucket for incoming data.")
    intermediate: int = Field(
        _kept("intermediate"),
        ge=0,
        description="What the steps before the gate hand on, sealed, in the artifacts bucket.",
    )
    protected: int = Field(
        _kept("protected"),
        ge=0,
        description="Protected data sets and what steps behind the gate hand on, in the artifacts bucket: one rule "
        "holds for it and for intermediate: the longer of the two.",
    )
    permits: int = Field(_kept("permits"), ge=0, description="Copies of privacy permits in the store.")
    records: int = Field(_kept("records"), ge=0, description="Records of runs in the store.")
    models: int = Field(_kept("models"), ge=0, description="Releases in the store, the current one included.")
    quarantine: int = Field(
        _kept("quarantine"),
        ge=0,
        description="Data keys of what the privacy gate keeps, when nobody decides, and decisions. The controller ends "
        "a DatasetRun that waits so long.",
    )
    mappings: int = Field(_kept("mappings"), ge=0, description="Encrypted mappings, in the quarantine bucket.")


class Runner(Account):
    """The service account of steps."""

    name: str = Field("pipeline-runner", description="Its name; KFP expects this one.")


class Global(Part):
    """What the parent chart and all engines share."""

    imageRegistry: str = Field("", description="Registry that replaces every image's own: a mirror.")
    imagePullSecrets: list[dict[str, str]] = Field(
        default_factory=list, description="Pull secrets of all pods, for example [{name: regcred}]."
    )
    fullnameOverride: str = Field("", description="Start of all names; empty takes the release's name.")
    storageClass: str = Field("", description="Storage class of all volumes; empty takes the cluster's default.")
    clusterDomain: str = Field("cluster.local", description="Domain of the cluster's names.")
    commonLabels: dict[str, str] = Field(default_factory=dict, description="Labels on every object.")
    nodeSelector: dict[str, str] = Field(default_factory=dict, description="Labels of nodes for all pods.")
    tolerations: Objects = Field(default_factory=list, description="Tolerations of all pods.")
    priorityClassName: str = Field("", description="Priority class of all pods.")
    extraEnv: Objects = Field(default_factory=list, description="Environment variables of all programs.")
    openshift: Literal["auto", "true", "false"] = Field(
        "auto", description="Leave user ids to the cluster, as OpenShift wants it; auto looks whether it is one."
    )
    gitops: bool = Field(
        False,
        description="Refuse to generate secrets. Tools that render without a cluster (Argo CD, for one) would make "
        "new ones at every rendering; with this the missing existingSecret is named instead.",
    )
    proxy: Proxy = Field(default_factory=Proxy, description="Proxy.")
    caBundle: CaBundle = Field(default_factory=CaBundle, description="Further certificate authorities.")
    networkPolicy: NetworkPolicies = Field(default_factory=NetworkPolicies, description="Network policies.")
    objectStore: ObjectStore = Field(default_factory=ObjectStore, description="Object store.")
    buckets: Buckets = Field(default_factory=Buckets, description="Buckets.")
    retention: Retention = Field(default_factory=Retention, description="How long what is kept.")
    pipelineRunner: Runner = Field(default_factory=Runner, description="Service account of steps.")
    database: Database = Field(default_factory=Database, description="Database.")
    kubeflowPipelines: PipelinesApi = Field(default_factory=PipelinesApi, description="An existing Kubeflow Pipelines.")
