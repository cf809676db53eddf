"""What the controller is told: the JSON document that the chart renders from its values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from kubepipe.errors import SettingsError

DEFAULT_FILE: Final = Path("/etc/kubepipe/events/events.json")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Rule(_Part):
    """Which objects below a prefix are data sets; the first rule whose prefix fits decides."""

    prefix: str = Field("", description="Prefix of the keys; empty fits all.")
    suffixes: tuple[str, ...] = Field((), description="Endings of data sets, for example .jsonl; none fits all.")
    ignore: tuple[str, ...] = Field(
        ("*.part", "*.partial", "*.tmp", "*.crdownload", ".*", "~*", "_*", "kubepipe.yaml"),
        description="Patterns of file names that are no data sets.",
    )
    min_bytes: int = Field(1, ge=0, description="A smaller object is skipped.")
    max_bytes: int = Field(5_000_000_000, ge=1, description="A larger object is skipped.")
    marker: str = Field(
        "", description="Name of the object that completes a folder, for example _SUCCESS; empty: each object counts."
    )
    identical: Literal["skip", "run"] = Field(
        "skip", description="What to do when a key gets the same bytes again that it had in an earlier version."
    )


class Hint(_Part):
    """Where the store tells of new objects at once, beside the durable way; nothing relies on it."""

    token_file: Path = Field(description="File with the token that the store shows.")
    port: int = Field(12_001, description="Port.")


class Sweep(_Part):
    """Listing the bucket for what no notification told."""

    interval_seconds: float = Field(300, gt=0, description="Time between two sweeps; with mode poll it is the trigger.")


class Limits(_Part):
    """What runs may take."""

    concurrent_runs: int = Field(1, ge=1, description="Runs at the same time; the others wait in order of arrival.")
    run_seconds: int = Field(86_400, ge=1, description="A run that takes longer is stopped; its phase is Capped.")
    run_energy_kwh: float | None = Field(
        None, gt=0, description="A run whose finished steps took more energy is stopped; its phase is Capped."
    )


class Retry(_Part):
    """New attempts after failures that another one can cure; bad data sets and the gate's verdicts get none."""

    attempts: int = Field(3, ge=1, description="Runs in all, the first included.")
    backoff_seconds: float = Field(30, gt=0, description="Pause before the second attempt.")
    backoff_factor: float = Field(2, ge=1, description="Factor by which the pause grows.")
    max_seconds: float = Field(1800, gt=0, description="Longest pause.")
    causes: tuple[str, ...] = Field(
        ("image", "evicted", "store", "infrastructure"), description="Causes that are tried again."
    )


class Notifications(_Part):
    """Telling people; where to is in a secret, one URL of the apprise library a line."""

    urls_file: Path | None = Field(None, description="File with the URLs; none tells nobody.")
    on: tuple[Literal["success", "failure", "quarantine", "stuck"], ...] = Field(
        ("failure", "quarantine", "stuck"), description="What is told."
    )
    stuck_after_seconds: float = Field(3600, gt=0, description="Time without progress after which a run is stuck.")


class Schedule(_Part):
    """A data set that is run at times; the chart makes a CronJob of it."""

    name: str = Field(min_length=1, max_length=52, description="Name, as Kubernetes takes one.")
    cron: str = Field(description="When, in the five fields of cron.")
    timezone: str = Field("Etc/UTC", description="Time zone of the fields.")
    dataset: str = Field(min_length=1, max_length=1024, description="Key of the data set; its newest version is run.")
    settings: dict[str, Any] = Field(default_factory=dict, description="Settings over those of the release.")
    concurrency_policy: Literal["Allow", "Forbid", "Replace"] = Field(
        "Forbid", description="While an earlier run of the schedule goes on: start beside it, skip, or take its place."
    )
    starting_deadline: int | None = Field(
        None, ge=10, description="Seconds after which a missed tick is not made up for; null makes up for the last one."
    )
    suspend: bool = Field(False, description="Make no ticks.")


class EventsConfig(_Part):
    """The controller's configuration.

    The object store's address and credentials come from the environment, as for steps (KUBEPIPE_S3_*, KUBEPIPE_STORE).
    """

    bucket: str = Field(description="Bucket for incoming data sets.")
    kfp_endpoint: str = Field(description="URL of the KFP API.")
    pipeline: str = Field(description="Name of the registered pipeline.")
    settings: dict[str, Any] = Field(default_factory=dict, description="The release's default settings of a run.")
    mode: Literal["webhook", "poll"] = Field("webhook", description="poll leaves the notifications to the sweep.")
    hint: Hint | None = Field(None, description="Where the store tells of new objects at once; none is told.")
    rules: tuple[Rule, ...] = Field((Rule(),), min_length=1, description="Which objects are data sets.")
    sweep: Sweep = Field(default_factory=Sweep, description="Sweep.")
    limits: Limits = Field(default_factory=Limits, description="Limits.")
    retry: Retry = Field(default_factory=Retry, description="Retry.")
    notifications: Notifications = Field(default_factory=Notifications, description="Notifications.")
    schedules: tuple[Schedule, ...] = Field((), description="Data sets that are run at times.")
    keep_seconds: int = Field(
        30 * 86_400, ge=0, description="Time after which an ended DatasetRun is removed; its claim stays."
    )
    quarantine_seconds: int = Field(
        30 * 86_400,
        ge=0,
        description="Time after which a DatasetRun whose data the privacy gate keeps is removed, and the key of that "
        "data destroyed, when nobody has decided; 0 keeps it.",
    )
    port: int = Field(8080, description="Port of /metrics, /healthz and /readyz.")


def read_config(file: Path = DEFAULT_FILE) -> EventsConfig:
    """Read the controller's configuration.

    Raises:
        SettingsError: The file is missing, no JSON, or has a wrong value.
    """
    try:
        return EventsConfig.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(first["msg"], place=f"{file}: {place}", remedy="Correct the chart's values") from error
    except (OSError, ValueError) as error:
        raise SettingsError("is no readable JSON", place=str(file), remedy="Render the chart again") from error
