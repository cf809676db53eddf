"""Values of the engines: each is a subchart that can be left out where an existing installation is used."""

# ruff: noqa: N815 - values of charts are written in camelCase

from __future__ import annotations

from chart_common import Image, Objects, Part, Quantity, Requests, Resources, Storage, Workload, resources
from pydantic import Field

KFP = "2.17.0"
ARGO = "v4.0.5"


def kfp(name: str) -> Image:
    """An image of Kubeflow Pipelines."""
    return Image(registry="ghcr.io", repository=f"kubeflow/{name}", tag=KFP)


class ApiServer(Workload):
    """The pipelines API."""

    image: Image = Field(default_factory=lambda: kfp("kfp-api-server"), description="Image.")
    resources: Resources = Field(default_factory=lambda: resources("50m", "96Mi", "384Mi"), description="Resources.")
    replicas: int = Field(1, ge=1, description="Pods.")
    serviceName: str = Field("ml-pipeline", description="Name of the Service; KFP's SDK expects this one.")
    logLevel: str = Field("info", description="Level of the log.")
    serviceAccountAnnotations: dict[str, str] = Field(
        default_factory=dict, description="Annotations of its service account."
    )


class PersistenceAgent(Workload):
    """Carries the state of workflows into the API's database."""

    image: Image = Field(default_factory=lambda: kfp("kfp-persistence-agent"), description="Image.")
    resources: Resources = Field(default_factory=lambda: resources("10m", "32Mi", "128Mi"), description="Resources.")


class ScheduledWorkflows(Workload):
    """Starts recurring runs."""

    image: Image = Field(default_factory=lambda: kfp("kfp-scheduled-workflow-controller"), description="Image.")
    resources: Resources = Field(default_factory=lambda: resources("10m", "32Mi", "128Mi"), description="Resources.")
    timezone: str = Field("UTC", description="Time zone of cron expressions.")


class Metadata(Workload):
    """ML Metadata, where drivers and launchers look up artifacts."""

    image: Image = Field(
        default_factory=lambda: Image(
            registry="gcr.io", repository="tfx-oss-public/ml_metadata_store_server", tag="1.14.0"
        ),
        description="Image.",
    )
    resources: Resources = Field(default_factory=lambda: resources("10m", "64Mi", "256Mi"), description="Resources.")
    serviceName: str = Field("metadata-grpc-service", description="Name of the Service.")


class Envoy(Workload):
    """Speaks gRPC-web to browsers on behalf of ML Metadata."""

    image: Image = Field(default_factory=lambda: kfp("kfp-metadata-envoy"), description="Image.")
    resources: Resources = Field(default_factory=lambda: resources("10m", "32Mi", "128Mi"), description="Resources.")


class Ui(Workload):
    """The web interface of Kubeflow Pipelines, with upstream's image. It is not part of this chart's own tests."""

    enabled: bool = Field(False, description="Run it. Whoever reaches it may do everything that the API can.")
    image: Image = Field(default_factory=lambda: kfp("kfp-frontend"), description="Image.")
    resources: Resources = Field(default_factory=lambda: resources("10m", "96Mi", "384Mi"), description="Resources.")
    envoy: Envoy = Field(default_factory=Envoy, description="Proxy to ML Metadata.")


class StepParts(Part):
    """What KFP adds to each step."""

    driverImage: Image = Field(
        default_factory=lambda: kfp("kfp-driver"), description="Image of the driver of each step."
    )
    launcherImage: Image = Field(
        default_factory=lambda: kfp("kfp-launcher"),
        description="Image that the launcher is copied from into each step.",
    )
    runAsUser: int = Field(
        65532, ge=1, description="User id of step containers; left to the cluster on OpenShift. Must not be root."
    )
    keepRowsSeconds: int = Field(86400, ge=60, description="Seconds for which a finished workflow is still reported.")


class KubeflowPipelines(Part):
    """Kubeflow Pipelines without its web interface (which is optional)."""

    enabled: bool = Field(True, description="Bring it; otherwise set global.kubeflowPipelines.endpoint.")
    apiServer: ApiServer = Field(default_factory=ApiServer, description="API server.")
    persistenceAgent: PersistenceAgent = Field(default_factory=PersistenceAgent, description="Persistence agent.")
    scheduledWorkflows: ScheduledWorkflows = Field(default_factory=ScheduledWorkflows, description="Recurring runs.")
    metadata: Metadata = Field(default_factory=Metadata, description="ML Metadata.")
    ui: Ui = Field(default_factory=Ui, description="Web interface.")
    steps: StepParts = Field(default_factory=StepParts, description="What KFP adds to each step.")


class Archive(Part):
    """Logs of steps in the object store."""

    enabled: bool = Field(False, description="Keep the logs of finished steps in the artifacts bucket.")


class Runs(Part):
    """Defaults of all workflows."""

    activeDeadlineSeconds: int = Field(
        43200,
        ge=60,
        description="A run that takes longer fails. Without it, one whose image is missing would never end.",
    )
    ttlSeconds: int = Field(
        3600, ge=60, description="Finished workflows are removed after this time; the API's database keeps their state."
    )
    podGcDelaySeconds: int = Field(600, ge=0, description="Pods of finished runs are removed after this time.")
    tmpSizeLimit: Quantity = Field("4Gi", description="Space of /tmp in drivers and steps; their root is read-only.")
    priorityClassName: str = Field("", description="Priority class of all pods of runs.")
    runtimeClassName: str = Field("", description="Runtime class of all pods of runs, for example nvidia or gvisor.")
    parallelism: int = Field(0, ge=0, description="Workflows that run at once; 0 sets no limit.")
    archiveLogs: Archive = Field(default_factory=Archive, description="Logs of steps.")


class Executor(Part):
    """Argo's own containers beside each step."""

    image: Image = Field(
        default_factory=lambda: Image(registry="quay.io", repository="argoproj/argoexec", tag=ARGO),
        description="Image.",
    )
    runAsUser: int = Field(65532, ge=1, description="User id; left to the cluster on OpenShift.")
    resources: Resources = Field(
        default_factory=lambda: Resources(requests=Requests(cpu="10m", memory="32Mi"), limits=Requests(memory="128Mi")),
        description="Resources.",
    )


class WorkflowController(Workload):
    """Argo's workflow controller."""

    image: Image = Field(
        default_factory=lambda: Image(registry="quay.io", repository="argoproj/workflow-controller", tag=ARGO),
        description="Image.",
    )
    resources: Resources = Field(default_factory=lambda: resources("20m", "64Mi", "1Gi"), description="Resources.")
    replicas: int = Field(1, ge=1, description="Pods; more than one elect a leader.")
    requeueTime: str = Field(
        "1s",
        pattern="^[0-9]+(ms|s)$",
        description="Pause between two looks at a workflow; each pod of a run costs one.",
    )


class ArgoWorkflows(Part):
    """The workflow controller of Argo, confined to the release's namespace."""

    enabled: bool = Field(True, description="Bring it; otherwise one must already watch the namespace.")
    controller: WorkflowController = Field(default_factory=WorkflowController, description="Controller.")
    executor: Executor = Field(default_factory=Executor, description="Executor.")
    runs: Runs = Field(default_factory=Runs, description="Defaults of all workflows.")


def _nats(repository: str, tag: str) -> Image:
    return Image(registry="docker.io", repository=repository, tag=tag)


class BusImages(Part):
    """Images of the JetStream event bus."""

    nats: Image = Field(default_factory=lambda: _nats("library/nats", "2.10.26"), description="NATS server.")
    reloader: Image = Field(
        default_factory=lambda: _nats("natsio/nats-server-config-reloader", "0.14.0"),
        description="Configuration reloader.",
    )
    exporter: Image = Field(
        default_factory=lambda: _nats("natsio/prometheus-nats-exporter", "0.14.0"), description="Metrics exporter."
    )


class EventsController(Workload):
    """Argo Events' controller."""

    image: Image = Field(
        default_factory=lambda: Image(registry="quay.io", repository="argoproj/argo-events", tag="v1.9.11"),
        description="Image, also of event sources and sensors.",
    )
    resources: Resources = Field(default_factory=lambda: resources("10m", "64Mi", "256Mi"), description="Resources.")
    replicas: int = Field(1, ge=1, description="Pods; more than one elect a leader.")


class ArgoEvents(Part):
    """The controller of Argo Events, confined to the release's namespace."""

    enabled: bool = Field(
        True, description="Bring it; otherwise data sets are found by listing the bucket, or set events.mode=webhook."
    )
    controller: EventsController = Field(default_factory=EventsController, description="Controller.")
    bus: BusImages = Field(default_factory=BusImages, description="Event bus.")


class Minio(Workload):
    """MinIO, for clusters without an object store. AGPL-3.0, a program of its own; any S3 store does as well."""

    enabled: bool = Field(True, description="Bring it; otherwise set global.objectStore.endpoint.")
    image: Image = Field(
        default_factory=lambda: Image(registry="quay.io", repository="minio/minio", tag="RELEASE.2025-09-07T16-13-09Z"),
        description="Image.",
    )
    resources: Resources = Field(default_factory=lambda: resources("20m", "150Mi", "600Mi"), description="Resources.")
    replicas: int = Field(
        1, ge=1, le=16, description="1, or from 4 on a distributed store that survives the loss of a node."
    )
    runAsUser: int = Field(1000, ge=1, description="User id; left to the cluster on OpenShift.")
    persistence: Storage = Field(default_factory=Storage, description="Volume of each pod.")
    allowFrom: Objects = Field(default_factory=list, description="More NetworkPolicy peers that may reach it.")


class Mariadb(Workload):
    """MariaDB, for clusters without a MySQL database."""

    enabled: bool = Field(True, description="Bring it; otherwise set global.database.host.")
    image: Image = Field(default_factory=lambda: Image(repository="library/mariadb", tag="10.11"), description="Image.")
    resources: Resources = Field(default_factory=lambda: resources("20m", "100Mi", "400Mi"), description="Resources.")
    runAsUser: int = Field(999, ge=1, description="User id; left to the cluster on OpenShift.")
    arguments: list[str] = Field(
        default_factory=lambda: ["--innodb-buffer-pool-size=32M", "--performance-schema=OFF"],
        description="Arguments of mariadbd.",
    )
    persistence: Storage = Field(default_factory=lambda: Storage(size="5Gi"), description="Volume.")
