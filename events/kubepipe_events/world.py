"""What the controller works on, and how an outage of it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from kubepipe.errors import KubePipeError, OutputError
from kubepipe.pipeline.kfp_api import KfpError
from kubepipe.storage import Store
from kubepipe_events.arrivals import Arrivals
from kubepipe_events.resources import DatasetRuns, KubernetesError


class Pipelines(Protocol):
    """The part of the KFP API that is needed here; `kubepipe.pipeline.kfp_api.KfpApi` has it."""

    def pipeline_id(self, name: str) -> str | None:
        """Id of a registered pipeline."""
        ...

    def create_run(self, name: str, pipeline: str, parameters: Mapping[str, Any]) -> str:
        """Start a run; its id."""
        ...

    def runs_named(self, name: str) -> list[dict[str, Any]]:
        """Runs of a name, oldest first."""
        ...

    def run(self, run: str) -> dict[str, Any]:
        """A run."""
        ...

    def terminate(self, run: str) -> None:
        """Stop a run."""
        ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside the controller.

    Attributes:
        store: Records, claims, wrapped keys.
        quarantine: Where approvals and mappings lie; steps behind the gate cannot write there.
        arrivals: The bucket for incoming data.
        kfp: Kubeflow Pipelines.
        runs: DatasetRuns in the Kubernetes API.
        settle: Writes the records that failed steps of a run could not write, from what the engine knows.
        post: Puts a notice into the outbox: its id, its kind, its words.
        now: The clock.
    """

    store: Store
    quarantine: Store
    arrivals: Arrivals
    kfp: Pipelines
    runs: DatasetRuns
    settle: Callable[[str], None]
    post: Callable[[str, str, str], None]
    now: Callable[[], datetime] = _utc_now


class OutageError(KubePipeError):
    """Something outside is away; the same work goes through later."""


def words_of(error: Exception) -> str:
    """An error for the log: its type and the store's code, never its words, for these can hold a key."""
    code = getattr(error, "code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


def outage_of(error: Exception) -> str | None:
    """Which part is away when an error says so: pipelines, kubernetes or store; None for any other error."""
    import urllib3
    from minio.error import InvalidResponseError, S3Error, ServerError

    if isinstance(error, KfpError):
        return "pipelines" if error.is_outage else None
    if isinstance(error, KubernetesError):
        return "kubernetes" if error.is_outage else None
    # The store's client raises what the transport raises.
    if isinstance(error, OutputError | S3Error | ServerError | InvalidResponseError | urllib3.exceptions.HTTPError):
        return "store"
    return None
