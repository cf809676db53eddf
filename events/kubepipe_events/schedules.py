"""A tick of a schedule: the newest version of its data set gets a DatasetRun, named by schedule and tick."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from typing import Final

from kubepipe.errors import InputError, SettingsError
from kubepipe.pipeline.cluster.connection import connect
from kubepipe.storage.s3 import s3_client
from kubepipe_events.arrivals import Arrivals
from kubepipe_events.config import EventsConfig, Schedule
from kubepipe_events.resources import DatasetRuns
from kubepipe_events.status import timestamp

LABEL: Final = "kubepipe.io/schedule"
_LONGEST: Final = 40


def tick(config: EventsConfig, name: str) -> str:
    """Make the DatasetRun of the tick that this pod's job was made for; its name.

    The same tick twice (a job that is tried again) makes nothing new.

    Raises:
        SettingsError: There is no such schedule, or no job is named in the environment.
        InputError: There is no such object.
    """
    from kubernetes import client

    schedule = next((each for each in config.schedules if each.name == name), None)
    if schedule is None:
        raise SettingsError(f"there is no schedule '{name}'", place="events.schedules")
    at = tick_of(os.environ.get("KUBEPIPE_JOB", ""))
    namespace = os.environ.get("POD_NAMESPACE") or connect()
    connect()
    runs = DatasetRuns(namespace, client.ApiClient())
    made = run_name(name, at)
    if runs.get(made) is None:
        runs.create(made, spec_of(Arrivals(s3_client()), config.bucket, schedule, at), {LABEL: name})
    return made


def tick_of(job: str) -> datetime:
    """When a CronJob meant a job to start: Kubernetes names the job by it, in minutes.

    Raises:
        SettingsError: The name is not of that form.
    """
    minutes = job.rpartition("-")[2]
    if not minutes.isdecimal():
        raise SettingsError(
            f"'{job}' is no name of a CronJob's job", place="KUBEPIPE_JOB", remedy="Run it as the chart does"
        )
    return datetime.fromtimestamp(int(minutes) * 60, UTC)


def run_name(schedule: str, at: datetime) -> str:
    """Name of the DatasetRun of a tick; a long schedule name is cut and told apart by its digest."""
    digest = hashlib.sha256(schedule.encode()).hexdigest()[:6]
    stem = schedule if len(schedule) <= _LONGEST else f"{schedule[:_LONGEST]}-{digest}"
    return f"{stem}-{at:%Y%m%d%H%M}"


def spec_of(arrivals: Arrivals, bucket: str, schedule: Schedule, at: datetime) -> dict[str, object]:
    """The spec of the DatasetRun of a tick.

    Raises:
        InputError: There is no such object.
    """
    source = arrivals.newest(bucket, schedule.dataset)
    if source is None:
        raise InputError(
            "there is no such object", place=f"schedule {schedule.name}", remedy=f"Upload it to bucket {bucket}"
        )
    about = {"name": schedule.name, "tick": timestamp(at), "concurrencyPolicy": schedule.concurrency_policy}
    return {
        "source": source.spec(),
        "trigger": "schedule",
        "schedule": about,
        "settings": dict(schedule.settings),
    }
