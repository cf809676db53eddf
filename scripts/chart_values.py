"""The values of the chart: the one source of values.yaml, values.schema.json and the chart's README."""

# ruff: noqa: N815 - values of charts are written in camelCase

from __future__ import annotations

from typing import Any

from chart_common import Amount, Image, Objects, Part, PodOptions, Requests, Resources
from chart_engines import ArgoEvents, ArgoWorkflows, KubeflowPipelines, Mariadb, Minio
from chart_events import Events
from chart_global import Global
from chart_serving import Serving
from pydantic import Field

from kubepipe.settings.model import Settings

VERSION = "0.1.0"


def own(name: str) -> Image:
    """An image of this product."""
    return Image(repository=f"kubepipe/{name}", tag=VERSION)


class Images(Part):
    """Images of this product."""

    stages: Image = Field(
        default_factory=lambda: own("stages"), description="Data and privacy steps; also hooks and tests."
    )
    train: Image = Field(default_factory=lambda: own("train"), description="Steps that load the language model.")
    events: Image = Field(
        default_factory=lambda: own("events"), description="The controller of DatasetRuns, and ticks of schedules."
    )


class Gpu(Part):
    """Accelerators of a step."""

    count: int = Field(0, ge=0, description="How many; 0 asks for none.")
    resource: str = Field("nvidia.com/gpu", description="Name of the resource.")


class StepResources(Part):
    """Requests and limits of a step: what Kubeflow Pipelines can express."""

    requests: Amount = Field(default_factory=Amount, description="What the scheduler sets aside.")
    limits: Amount = Field(default_factory=Amount, description="What the step may use at most.")


class Retry(Part):
    """What happens after a failure of the infrastructure. KFP's launcher gives up on the store after 8 seconds."""

    count: int = Field(2, ge=0, description="Further tries.")
    backoffSeconds: int = Field(5, ge=0, description="Pause before the first of them.")
    backoffFactor: float = Field(2.0, ge=1, description="Factor by which the pause grows.")
    maxSeconds: int = Field(300, ge=1, description="Longest pause.")


class StepOptions(Part):
    """How the pods of a step run. In a single step, whatever is left out is taken from stepDefaults."""

    resources: StepResources | None = Field(None, description="Requests and limits.")
    gpu: Gpu | None = Field(None, description="Accelerators.")
    nodeSelector: dict[str, str] | None = Field(None, description="Labels that a node must have.")
    tolerations: Objects | None = Field(None, description="Taints that are borne.")
    sharedMemory: str | None = Field(
        None, description="Size of /dev/shm, for example 1Gi; empty leaves the runtime's 64 MiB."
    )
    retry: Retry | None = Field(None, description="Retries.")
    timeoutSeconds: int | None = Field(None, ge=1, description="A pod of the step that takes longer is ended.")
    env: dict[str, str] | None = Field(None, description="More environment variables.")


def _amounts(cpu: str, memory: str, limit: str) -> StepResources:
    return StepResources(requests=Amount(cpu=cpu, memory=memory), limits=Amount(memory=limit))


class StepDefaults(StepOptions):
    """How the pods of steps run, where a step says nothing else."""

    resources: StepResources = Field(
        default_factory=lambda: _amounts("100m", "512Mi", "2Gi"), description="Requests and limits."
    )
    gpu: Gpu = Field(default_factory=Gpu, description="Accelerators.")
    nodeSelector: dict[str, str] = Field(default_factory=dict, description="Labels that a node must have.")
    tolerations: Objects = Field(default_factory=list, description="Taints that are borne.")
    sharedMemory: str = Field("", description="Size of /dev/shm, for example 1Gi; empty leaves the runtime's 64 MiB.")
    retry: Retry = Field(default_factory=Retry, description="Retries.")
    timeoutSeconds: int = Field(3600, ge=1, description="A pod that takes longer is ended.")
    env: dict[str, str] = Field(
        default_factory=lambda: {"OMP_NUM_THREADS": "2"}, description="More environment variables of all steps."
    )


def _step(cpu: str, memory: str, limit: str, timeout: int | None = None) -> StepOptions:
    return StepOptions(resources=_amounts(cpu, memory, limit), timeoutSeconds=timeout)


class Steps(Part):
    """Each step of the graph by its name."""

    prepare_data: StepOptions = Field(
        default_factory=StepOptions, alias="prepare-data", description="Reads the data set."
    )
    assess_privacy_risk: StepOptions = Field(
        default_factory=lambda: _step("250m", "1Gi", "3Gi"), alias="assess-privacy-risk", description="Measures before."
    )
    anonymize_data: StepOptions = Field(
        default_factory=lambda: _step("250m", "1Gi", "3Gi"), alias="anonymize-data", description="Pseudonymises."
    )
    minimize_data: StepOptions = Field(
        default_factory=StepOptions, alias="minimize-data", description="Drops what is not needed."
    )
    verify_privacy: StepOptions = Field(
        default_factory=lambda: _step("250m", "1Gi", "3Gi"), alias="verify-privacy", description="The gate."
    )
    fine_tune_model: StepOptions = Field(
        default_factory=lambda: _step("500m", "2Gi", "6Gi", 21600), alias="fine-tune-model", description="Trains."
    )
    benchmark_model: StepOptions = Field(
        default_factory=lambda: _step("500m", "2Gi", "4Gi", 7200), alias="benchmark-model", description="Scores."
    )
    evaluate_and_plot_metrics: StepOptions = Field(
        default_factory=StepOptions, alias="evaluate-and-plot-metrics", description="Writes the report."
    )
    model_inference: StepOptions = Field(
        default_factory=lambda: _step("500m", "2Gi", "4Gi"), alias="model-inference", description="Answers questions."
    )
    publish_model: StepOptions = Field(default_factory=StepOptions, alias="publish-model", description="Publishes.")


class Pipeline(Part):
    """The pipeline of this product, and how its steps run. The setup hook registers it with all this written in."""

    enabled: bool = Field(True, description="Register the pipeline. Off, the chart brings the engines only.")
    name: str = Field("kubepipe", pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", description="Name in Kubeflow Pipelines.")
    keepVersions: int = Field(
        10,
        ge=1,
        description="Versions that stay registered; the setup hook deletes older ones, but not those of schedules.",
    )
    configMap: str = Field(
        "", description="ConfigMap with another compiled graph under the key kubepipe.yaml; empty takes the chart's."
    )
    settings: Settings = Field(
        default_factory=Settings,
        description="Default settings of a run, checked against the product's own schema; see docs/settings.md. "
        "For example {training: {epochs: 2.0}}.",
    )
    stepDefaults: StepDefaults = Field(default_factory=StepDefaults, description="All steps.")
    steps: Steps = Field(default_factory=Steps, description="Single steps.")


class Keys(Part):
    """Privacy keys: wrapping.key, pseudonym.key (32 random bytes each), permit-signing.pem (Ed25519, PKCS 8).

    For privacy.mapping=sealed mapping.key too (32 random bytes).
    """

    existingSecret: str = Field(
        "", description="Secret with the files; empty makes one and keeps it. Losing it means losing sealed data."
    )
    publicKey: str = Field(
        "", description="Public half of permit-signing.pem in PEM; empty lets the setup hook derive it."
    )


class Signing(Part):
    """Key of the model signature: model-signing.pem, an elliptic curve key on P-256. Only publish-model gets it."""

    existingSecret: str = Field(
        "",
        description="Secret with the file; empty makes one and keeps it. With a new key, models of the old one are "
        "refused unless trustedKeys names it.",
    )
    publicKey: str = Field(
        "", description="Public half of model-signing.pem in PEM; empty lets the setup hook derive it."
    )
    trustedKeys: list[str] = Field(
        default_factory=list,
        description="Public keys in PEM from before a rotation, whose models still hold; leave out one that leaked.",
    )


class Hook(PodOptions):
    """What all hook and test pods have in common."""

    resources: Resources = Field(
        default_factory=lambda: Resources(
            requests=Requests(cpu="50m", memory="128Mi"), limits=Requests(memory="512Mi")
        ),
        description="Requests and limits.",
    )
    timeoutSeconds: int = Field(600, ge=10, description="A hook that takes longer fails.")
    backoffLimit: int = Field(3, ge=0, description="Further tries of a hook.")


class Switch(Part):
    """A part that can be left out."""

    enabled: bool = Field(True, description="Run it.")


class Crds(Part):
    """Custom resource definitions. Helm installs those in crds/ and never changes or removes them again."""

    upgrade: bool = Field(
        True, description="Renew ours before an upgrade, by a hook that may write exactly these definitions."
    )


class Preflight(Part):
    """Checks of the cluster while the chart is rendered."""

    crds: bool = Field(
        True,
        description="Look for the resource kinds of engines that are left out. Switch off to render without a cluster.",
    )


class Launcher(Part):
    """ConfigMap kfp-launcher, from which steps learn where the store is."""

    create: bool = Field(True, description="Make it; switch off in a namespace that has one.")


class Upgrade(Part):
    """Safety catches of upgrades."""

    allowStoreRemoval: bool = Field(
        False, description="Let an upgrade switch off the bundled MinIO or MariaDB although they hold data."
    )


class Values(Part):
    """All values of the chart."""

    global_: Global = Field(default_factory=Global, alias="global", description="Shared by the chart and its engines.")
    images: Images = Field(default_factory=Images, description="Images of this product.")
    pipeline: Pipeline = Field(default_factory=Pipeline, description="The pipeline.")
    events: Events = Field(default_factory=Events, description="Events.")
    keys: Keys = Field(default_factory=Keys, description="Privacy keys.")
    signing: Signing = Field(default_factory=Signing, description="Key of the model signature.")
    serving: Serving = Field(default_factory=Serving, description="Serving.")
    launcher: Launcher = Field(default_factory=Launcher, description="Launcher's configuration.")
    setup: Switch = Field(
        default_factory=Switch, description="Hook after install and upgrade: buckets, users, public key, pipeline."
    )
    cleanup: Switch = Field(
        default_factory=Switch,
        description="Hook before uninstall: ends runs and schedules, so that nothing stays behind.",
    )
    tests: Switch = Field(default_factory=Switch, description="Pods for `helm test`.")
    hooks: Hook = Field(default_factory=Hook, description="Pods of hooks and tests.")
    crds: Crds = Field(default_factory=Crds, description="Custom resource definitions.")
    preflight: Preflight = Field(default_factory=Preflight, description="Checks at rendering.")
    upgrade: Upgrade = Field(default_factory=Upgrade, description="Safety catches of upgrades.")
    extraObjects: Objects = Field(
        default_factory=list, description="More objects of the release; texts in them may hold template code."
    )
    kubeflowPipelines: KubeflowPipelines = Field(default_factory=KubeflowPipelines, description="Kubeflow Pipelines.")
    argoWorkflows: ArgoWorkflows = Field(default_factory=ArgoWorkflows, description="Argo Workflows.")
    argoEvents: ArgoEvents = Field(default_factory=ArgoEvents, description="Argo Events.")
    minio: Minio = Field(default_factory=Minio, description="MinIO.")
    mariadb: Mariadb = Field(default_factory=Mariadb, description="MariaDB.")


def defaults() -> dict[str, Any]:
    """Default values as a plain document. Settings of runs stay empty: the product's own hold."""
    document = Values().model_dump(mode="json", by_alias=True, exclude_none=True)
    document["pipeline"]["settings"] = {}
    document["serving"]["settings"] = {}
    document["events"]["rules"] = [{"prefix": ""}]  # what it leaves out is in ruleDefaults
    return document
