"""Schedules of a release: its CronJobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from kubepipe.errors import KubePipeError

_SELECTOR: Final = "app.kubernetes.io/part-of=kubepipe,app.kubernetes.io/component=events-tick"
_NAME: Final = "kubepipe.io/schedule"


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """A schedule.

    Attributes:
        name: Its name.
        cron: When, in the five fields of cron.
        timezone: Time zone of the fields.
        last: Last tick, ISO 8601; None before the first.
        following: Next tick; None while suspended.
    """

    name: str
    cron: str
    timezone: str
    last: str | None
    following: str | None


def list_schedules(namespace: str) -> list[ScheduleState]:
    """The schedules of the release in a namespace, by name.

    Raises:
        KubePipeError: CronJobs cannot be listed.
    """
    from kubernetes import client

    try:
        jobs = client.BatchV1Api().list_namespaced_cron_job(namespace, label_selector=_SELECTOR).items
    except client.ApiException as error:
        raise KubePipeError(
            f"CronJobs cannot be listed ({error.status} {error.reason})", place=f"namespace {namespace}"
        ) from error
    return sorted((_state(job) for job in jobs), key=lambda state: state.name)


def _state(job: Any) -> ScheduleState:
    zone = job.spec.time_zone or "Etc/UTC"
    last = job.status.last_schedule_time
    return ScheduleState(
        name=job.metadata.annotations[_NAME],
        cron=job.spec.schedule,
        timezone=zone,
        last=last.isoformat() if last else None,
        following=None if job.spec.suspend else next_tick(job.spec.schedule, zone, datetime.now(UTC)).isoformat(),
    )


def next_tick(cron: str, timezone: str, after: datetime) -> datetime:
    """The next time that the fields name after a moment."""
    from croniter import croniter

    return datetime.fromisoformat(croniter(cron, after.astimezone(ZoneInfo(timezone))).get_next(datetime).isoformat())
