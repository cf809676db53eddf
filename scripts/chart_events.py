"""Values of the events: what turns arrived objects and ticks of schedules into runs.

What the controller is told has one source: the models that it reads its configuration with.
"""

# ruff: noqa: N815 - values of charts are written in camelCase

from __future__ import annotations

from typing import Any, Literal

from chart_common import Budget, Objects, Part, PodOptions, Port, Quantity, Resources, resources
from pydantic import BaseModel, Field

from kubepipe_events.config import EventsConfig, Limits, Retry, Rule, Schedule, Sweep
from kubepipe_events.config import Notifications as Told


def _said(model: type[BaseModel], name: str) -> str:
    """The description that a field of the controller's configuration has."""
    return model.model_fields[name].description or ""


def _cron() -> str:
    """Pattern of cron expressions that Kubernetes takes: five fields, each in its range, or a name for the five."""

    def part(number: str) -> str:
        one = rf"(\*|{number}(-{number})?)(/[1-9][0-9]?)?"
        return f"{one}(,{one})*"

    def words(text: str) -> str:
        return "|".join("".join(f"[{letter.upper()}{letter}]" for letter in word) for word in text.split())

    numbers = (
        "[0-5]?[0-9]",
        "([01]?[0-9]|2[0-3])",
        "(0?[1-9]|[12][0-9]|3[01])",
        f"(0?[1-9]|1[0-2]|{words('jan feb mar apr may jun jul aug sep oct nov dec')})",
        f"([0-6]|{words('sun mon tue wed thu fri sat')})",
    )
    return rf"^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|{' +'.join(map(part, numbers))})$"


class ScheduleValues(Schedule):
    """A schedule, checked for what Kubernetes takes in a CronJob."""

    name: str = Field(
        pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        max_length=40,
        description="Name; with that of the release in front, a CronJob has at most 52 characters.",
    )
    cron: str = Field(
        pattern=_cron(),
        description="Minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly.",
    )
    timezone: str = Field(
        "Etc/UTC",
        pattern="^(UTC|GMT|[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){1,2})$",
        description="Time zone of the expression by its name in the tz database, for example Europe/Berlin.",
    )


class Controller(PodOptions):
    """The controller of DatasetRuns: one pod, since it alone writes their status."""

    resources: Resources = Field(default_factory=lambda: resources("50m", "128Mi", "512Mi"), description="Resources.")
    pdb: Budget = Field(default_factory=Budget, description="Disruption budget.")
    serviceAccountAnnotations: dict[str, str] = Field(
        default_factory=dict, description="Annotations of its service account, for example for a workload identity."
    )


class ArgoPod(Part):
    """What can be said about a pod that the controller of Argo Events makes."""

    resources: Resources = Field(default_factory=lambda: resources("10m", "48Mi", "256Mi"), description="Resources.")
    podLabels: dict[str, str] = Field(default_factory=dict, description="More labels on the pods.")
    podAnnotations: dict[str, str] = Field(default_factory=dict, description="More annotations on the pods.")
    nodeSelector: dict[str, str] = Field(
        default_factory=dict, description="Labels that a node must have; added to global.nodeSelector."
    )
    tolerations: Objects = Field(
        default_factory=list, description="Taints that are borne; added to global.tolerations."
    )
    affinity: dict[str, Any] = Field(default_factory=dict, description="Affinity of the pods.")
    priorityClassName: str = Field("", description="Priority class; empty takes global.priorityClassName.")
    pdb: Budget = Field(default_factory=Budget, description="Disruption budget.")


class ArgoProgram(ArgoPod):
    """A program of Argo Events itself."""

    extraEnv: Objects = Field(
        default_factory=list, description="More environment variables; one of the same name replaces the chart's."
    )


class Source(ArgoProgram):
    """The event source: takes the store's notifications and answers when the bus has them on its disk."""

    replicas: int = Field(1, ge=1, description="Pods.")
    allowFrom: Objects = Field(
        default_factory=list,
        description="NetworkPolicy peers that may post besides the bundled MinIO: the store, when it is outside.",
    )


class SensorRetry(Part):
    """Tries of the sensor while the Kubernetes API refuses; after them the dead letter, and the sweep."""

    steps: int = Field(8, ge=1, description="Tries in all. Events behind it wait meanwhile.")
    seconds: int = Field(1, ge=1, description="Pause after the first.")
    factor: int = Field(2, ge=1, description="Factor by which the pause grows.")


class Sensor(ArgoProgram):
    """The sensor: makes a DatasetRun of each notification about a data set."""

    retry: SensorRetry = Field(default_factory=SensorRetry, description="Tries.")


class BusVolume(Part):
    """Volume of a server of the bus."""

    size: Quantity = Field("1Gi", description="Size.")
    storageClass: str = Field("", description="Storage class; empty takes global.storageClass.")
    accessMode: Literal["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"] = Field(
        "ReadWriteOnce", description="Access mode."
    )


class Bus(ArgoPod):
    """The event bus, NATS JetStream. Its volume cannot be left out: without one, events are lost for good."""

    resources: Resources = Field(default_factory=lambda: resources("20m", "48Mi", "256Mi"), description="Resources.")
    sidecarResources: Resources = Field(
        default_factory=lambda: resources("1m", "12Mi", "32Mi"), description="Of its reloader and its exporter, each."
    )
    replicas: Literal[1, 3, 5] = Field(1, description="Servers, and copies of each event; 3 survive the loss of one.")
    version: str = Field(
        "", description="Version as the controller of Argo Events names it; empty takes the bundled controller's."
    )
    runAsUser: int = Field(1000, ge=1, description="User id; left to the cluster on OpenShift.")
    volume: BusVolume = Field(default_factory=BusVolume, description="Volume of each server.")
    maxAge: str = Field("168h", pattern="^[0-9]+h$", description="How long an event waits for the sensor.")


class Webhook(Part):
    """Where notifications come from when the store is not the bundled MinIO."""

    arn: str = Field(
        "arn:minio:sqs::KUBEPIPE:webhook",
        pattern="^arn:",
        description="Target that an existing MinIO was given; the bundled one has this.",
    )
    hintArn: str = Field(
        "",
        pattern="^(arn:.*)?$",
        description="Target without a queue that an existing MinIO was given for hints; the bundled one has "
        "arn:minio:sqs::KUBEPIPEHINT:webhook.",
    )


class Ticks(PodOptions):
    """Pods of schedules."""

    resources: Resources = Field(default_factory=lambda: resources("50m", "96Mi", "256Mi"), description="Resources.")
    timeoutSeconds: int = Field(300, ge=10, description="A tick that takes longer fails and is tried again.")
    backoffLimit: int = Field(4, ge=0, description="Further tries of a tick.")
    keepSeconds: int = Field(3600, ge=0, description="Finished jobs are removed after this time.")
    serviceAccountAnnotations: dict[str, str] = Field(
        default_factory=dict, description="Annotations of their service account, for example for a workload identity."
    )


class NotificationValues(Part):
    """Telling people by the apprise library: e-mail, chat, webhooks."""

    existingSecret: str = Field("", description="Secret with one URL a line; wins over urls.")
    key: str = Field("urls", description="Key in that secret.")
    urls: list[str] = Field(
        default_factory=list,
        description="URLs of apprise, for example mailtos://user:password@example.com; they hold passwords, so "
        "a secret of your own is better. None tells nobody.",
    )
    about: list[Literal["success", "failure", "quarantine", "stuck"]] = Field(
        default_factory=lambda: ["failure", "quarantine", "stuck"], description=_said(Told, "on")
    )
    stuckAfterSeconds: float = Field(3600, gt=0, description=_said(Told, "stuck_after_seconds"))
    egress: Objects = Field(
        default_factory=list,
        description="Egress rules of a NetworkPolicy towards the receivers, for example [{to: [{ipBlock: {cidr: "
        "203.0.113.0/24}}], ports: [{port: 443}]}].",
    )


class Users(Part):
    """A role for people who look after DatasetRuns: look, make, rerun, suspend, decide, delete."""

    create: bool = Field(True, description="Make the Role RELEASE-users.")
    subjects: Objects = Field(
        default_factory=list,
        description="Who gets it, as subjects of a RoleBinding, for example [{kind: Group, name: research, apiGroup: "
        "rbac.authorization.k8s.io}]; none makes no binding.",
    )


class Decisions(Part):
    """Decisions of people on what the privacy gate left open."""

    enforceIdentity: bool = Field(
        True,
        description="Let the API server refuse a decision under another name than that of who makes it, by a "
        "cluster-wide ValidatingAdmissionPolicy for this namespace. From Kubernetes 1.30 on; before, nothing is made.",
    )


class ServiceMonitor(Part):
    """ServiceMonitor of the Prometheus operator."""

    enabled: bool = Field(False, description="Make it.")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels by which Prometheus finds it.")
    interval: str = Field("30s", pattern="^[0-9]+(s|m)$", description="Time between two scrapes.")


class Alerts(Part):
    """PrometheusRule of the Prometheus operator."""

    enabled: bool = Field(False, description="Make it.")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels by which Prometheus finds it.")
    unprocessedSeconds: int = Field(900, ge=1, description="Age of the oldest unprocessed object that is too much.")
    queueLength: int = Field(20, ge=1, description="Waiting runs that are too many.")


class Dashboard(Part):
    """Dashboard of Grafana, in a ConfigMap that its sidecar finds."""

    enabled: bool = Field(False, description="Make it.")
    labels: dict[str, str] = Field(
        default_factory=lambda: {"grafana_dashboard": "1"}, description="Labels by which Grafana finds it."
    )


class Metrics(Part):
    """Metrics of the controller."""

    allowFrom: Objects = Field(default_factory=list, description="NetworkPolicy peers that may read them: Prometheus.")
    serviceMonitor: ServiceMonitor = Field(default_factory=ServiceMonitor, description="ServiceMonitor.")
    alerts: Alerts = Field(default_factory=Alerts, description="Alert rules.")
    dashboard: Dashboard = Field(default_factory=Dashboard, description="Dashboard.")


class Events(Part):
    """Runs that start by themselves: when a data set arrives in the incoming bucket, and at the times of schedules."""

    enabled: bool = Field(True, description="Run the controller of DatasetRuns. It needs pipeline.enabled.")
    mode: Literal["auto", "webhook", "poll"] = Field(
        "auto",
        description="webhook: the store tells, through Argo Events. poll: the controller lists the bucket; works with "
        "any store. auto: webhook when MinIO and Argo Events are the bundled ones, else poll.",
    )
    hint: bool = Field(
        True,
        description="Let the store tell the controller of new objects at once too, beside the durable way by Argo "
        "Events, which takes up to 3 s more; with an existing MinIO only where webhook.hintArn is set. An upload waits "
        "for the controller's answer, some milliseconds.",
    )
    rules: list[Rule] = Field(
        default_factory=lambda: [Rule()],
        description="Which objects are data sets; the first rule whose prefix fits decides. What a rule leaves out is "
        "taken from ruleDefaults.",
    )
    ruleDefaults: Rule = Field(default_factory=Rule, description="What holds where a rule says nothing.")
    schedules: list[ScheduleValues] = Field(
        default_factory=list,
        description="Runs at fixed times, for example [{name: nightly, cron: '0 2 * * *', timezone: Europe/Berlin, "
        "dataset: squad.json}]; further keys: settings, concurrencyPolicy, startingDeadline, suspend.",
    )
    sweep: Sweep = Field(default_factory=Sweep, description="Listing the bucket for what no notification told.")
    limits: Limits = Field(default_factory=Limits, description="What runs may take.")
    retry: Retry = Field(default_factory=Retry, description="New attempts.")
    keepSeconds: int = Field(30 * 86_400, ge=0, description=_said(EventsConfig, "keep_seconds"))
    port: Port = Field(8080, description=_said(EventsConfig, "port"))
    notifications: NotificationValues = Field(default_factory=NotificationValues, description="Telling people.")
    controller: Controller = Field(default_factory=Controller, description="Controller.")
    webhook: Webhook = Field(default_factory=Webhook, description="The store's notifications.")
    source: Source = Field(default_factory=Source, description="Event source.")
    bus: Bus = Field(default_factory=Bus, description="Event bus.")
    sensor: Sensor = Field(default_factory=Sensor, description="Sensor.")
    ticks: Ticks = Field(default_factory=Ticks, description="Pods of schedules.")
    users: Users = Field(default_factory=Users, description="People.")
    decisions: Decisions = Field(default_factory=Decisions, description="Decisions of people.")
    metrics: Metrics = Field(default_factory=Metrics, description="Metrics.")
