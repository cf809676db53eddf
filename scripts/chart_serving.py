"""Values of the component that answers questions over HTTP."""

# ruff: noqa: N815 - values of charts are written in camelCase

from __future__ import annotations

from chart_common import Budget, Objects, PodOptions, Quantity, Resources, resources
from pydantic import Field

from kubepipe.settings.model import Settings


class Serving(PodOptions):
    """Answers questions over HTTP by the current release, which it verifies first, and follows."""

    enabled: bool = Field(False, description="Run it.")
    replicas: int = Field(1, ge=0, description="Pods; each holds the model in memory, twice for the time of a swap.")
    tokenSecret: str = Field(
        "", description="Secret with the bearer token under the key token; empty makes one and keeps it."
    )
    settings: Settings = Field(
        default_factory=Settings,
        description="Settings of the server, for example {serving: {batch_size: 32}, training: {threads: 2}}; see "
        "docs/settings.md.",
    )
    cacheSize: Quantity = Field("5Gi", description="Space for releases out of the bucket, on the node's disk.")
    clients: Objects = Field(
        default_factory=list,
        description="Who may ask, as NetworkPolicy peers. Pods of the namespace with the label kubepipe/client=true "
        "always may.",
    )
    terminationSeconds: int = Field(
        75, ge=10, description="Time that a pod gets to answer what it has; more than serving.drain_seconds and 5."
    )
    resources: Resources = Field(
        default_factory=lambda: resources("500m", "1500Mi", "4Gi"), description="Requests and limits."
    )
    pdb: Budget = Field(default_factory=Budget, description="Disruption budget.")
