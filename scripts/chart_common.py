"""Building blocks of the chart's values: images, pods, and what all parts of a release share."""

# ruff: noqa: N815 - values of charts are written in camelCase

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|Ti|k|M|G|T)?$")]
Cidr = Annotated[str, Field(pattern=r"^[0-9a-fA-F:.]+/[0-9]{1,3}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Objects = list[dict[str, Any]]


class Part(BaseModel):
    """Base of all sections: a name that does not exist is refused, and so is a text where a number belongs."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class Image(Part):
    """A container image; registry, tag and digest are apart, so that a mirror changes one value."""

    registry: str = Field("docker.io", description="Registry; global.imageRegistry wins over it.")
    repository: str = Field(description="Repository below the registry.")
    tag: str = Field(description="Tag. It is kept beside a digest, for people to read.")
    digest: str = Field(
        "",
        pattern="^$|^sha256:[0-9a-f]{64}$",
        description="Digest that pins the image, for example sha256:...; wins over the tag.",
    )
    pullPolicy: Literal["IfNotPresent", "Always", "Never"] = Field(
        "IfNotPresent", description="When the kubelet pulls the image."
    )


class Amount(Part):
    """An amount of cores and memory."""

    cpu: Quantity | None = Field(None, description="Cores, for example 500m.")
    memory: Quantity | None = Field(None, description="Memory, for example 512Mi.")


class Requests(Amount):
    """An amount of the resources of a container."""

    ephemeral_storage: Quantity | None = Field(
        None, alias="ephemeral-storage", description="Space on the node's disk, for example 10Gi."
    )


class Resources(Part):
    """Requests and limits of a container."""

    requests: Requests = Field(default_factory=Requests, description="What the scheduler sets aside.")
    limits: Requests = Field(default_factory=Requests, description="What the container may use at most.")


def resources(cpu: str, memory: str, limit: str) -> Resources:
    """Requests, and a limit on memory only: a limit on CPU slows a pod while cores are idle."""
    return Resources(requests=Requests(cpu=cpu, memory=memory), limits=Requests(memory=limit))


class PodOptions(Part):
    """What can be said about any pod of the release, hooks and tests included."""

    resources: Resources = Field(default_factory=Resources, description="Requests and limits of the main container.")
    extraEnv: Objects = Field(
        default_factory=list, description="More environment variables; one of the same name replaces the chart's."
    )
    podLabels: dict[str, str] = Field(default_factory=dict, description="More labels on the pods.")
    podAnnotations: dict[str, str] = Field(default_factory=dict, description="More annotations on the pods.")
    nodeSelector: dict[str, str] = Field(
        default_factory=dict, description="Labels that a node must have; added to global.nodeSelector."
    )
    tolerations: Objects = Field(
        default_factory=list, description="Taints that are borne; added to global.tolerations."
    )
    affinity: dict[str, Any] = Field(default_factory=dict, description="Affinity of the pods.")
    topologySpreadConstraints: Objects = Field(
        default_factory=list,
        description="How pods spread over zones or nodes; a labelSelector is filled in when absent.",
    )
    priorityClassName: str = Field("", description="Priority class; empty takes global.priorityClassName.")


class Budget(Part):
    """A PodDisruptionBudget."""

    enabled: bool = Field(True, description="Make one.")
    maxUnavailable: int | str = Field(
        1, description="Pods that a drain may take at once. 1 never blocks the drain of a node with the only pod."
    )


class Workload(PodOptions):
    """A long-running program."""

    image: Image = Field(description="Image of the program.")
    pdb: Budget = Field(default_factory=Budget, description="Disruption budget.")


class Account(Part):
    """A service account."""

    create: bool = Field(True, description="Make it; otherwise it must exist.")
    name: str = Field("", description="Its name; empty takes the chart's own.")
    annotations: dict[str, str] = Field(
        default_factory=dict, description="Annotations, for example eks.amazonaws.com/role-arn for a workload identity."
    )


class Storage(Part):
    """A persistent volume."""

    enabled: bool = Field(
        True, description="Keep the data on a volume. Off, it lives as long as the pod: for experiments only."
    )
    size: Quantity = Field("10Gi", description="Size of the volume.")
    storageClass: str = Field("", description="Storage class; empty takes global.storageClass.")
    accessModes: list[str] = Field(default_factory=lambda: ["ReadWriteOnce"], description="Access modes.")
