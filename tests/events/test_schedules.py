from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes import client

from kubepipe.errors import InputError, KubePipeError, SettingsError
from kubepipe.pipeline.remote.schedules import list_schedules, next_tick
from kubepipe_events import schedules
from kubepipe_events.config import Schedule
from kubepipe_events.schedules import run_name, spec_of, tick, tick_of

from .test_reconcile import CONFIG
from .world import MemoryArrivals, MemoryRuns

NIGHTLY = Schedule(name="nightly", cron="0 2 * * *", dataset="a.jsonl", settings={"seed": 3})
AT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
JOB = f"kubepipe-nightly-{int(AT.timestamp()) // 60}"


def test_the_tick_is_in_the_jobs_name() -> None:
    """Kubernetes names a CronJob's job by the minute it was meant for: a late or repeated job is the same tick."""
    assert tick_of(JOB) == AT
    assert tick_of("a-b-0") == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("job", ["", "kubepipe-nightly", "kubepipe-nightly-x1", "kubepipe-nightly-", "nightly-²"])
def test_a_job_of_another_name_is_refused(job: str) -> None:
    """A job that a person made by hand from the CronJob has no tick."""
    with pytest.raises(SettingsError, match="KUBEPIPE_JOB"):
        tick_of(job)


@pytest.mark.parametrize("name", ["nightly", "a" * 40, "a" * 41, "a" * 52])
def test_a_run_is_named_by_schedule_and_tick(name: str) -> None:
    """A name that Kubernetes and the claim take; long ones are cut and stay apart."""
    made = run_name(name, AT)
    assert len(made) <= 63
    assert made.endswith("-202603010200")
    assert made.startswith(name[:40])
    assert made != run_name(f"{name[:-1]}b", AT)


def test_the_newest_version_is_run() -> None:
    """With the schedule's settings, and what the policy needs to know."""
    arrivals = MemoryArrivals()
    arrivals.put("a.jsonl")
    newest = arrivals.put("a.jsonl", "y")
    spec: dict[str, Any] = spec_of(arrivals, "incoming", NIGHTLY, AT)  # type: ignore[arg-type]
    assert spec["source"] == newest.spec()
    assert spec["settings"] == {"seed": 3}
    assert spec["trigger"] == "schedule"
    assert spec["schedule"] == {"name": "nightly", "tick": "2026-03-01T02:00:00Z", "concurrencyPolicy": "Forbid"}


def test_without_its_object_a_tick_is_an_error_without_the_key() -> None:
    """A key can name a person; the schedule's name is told."""
    with pytest.raises(InputError, match="schedule nightly") as caught:
        spec_of(MemoryArrivals(), "incoming", NIGHTLY, AT)  # type: ignore[arg-type]
    assert "a.jsonl" not in caught.value.one_line()


def test_the_same_tick_twice_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when a newer version came between the first job and its repetition."""
    runs, arrivals = MemoryRuns(), MemoryArrivals()
    first = arrivals.put("a.jsonl")
    monkeypatch.setattr(schedules, "DatasetRuns", lambda *_: runs)
    monkeypatch.setattr(schedules, "Arrivals", lambda _: arrivals)
    monkeypatch.setattr(schedules, "s3_client", lambda: None)
    monkeypatch.setattr(schedules, "connect", lambda: "lab")
    monkeypatch.setenv("KUBEPIPE_JOB", JOB)
    config = CONFIG.model_copy(update={"schedules": (NIGHTLY,)})
    made = tick(config, "nightly")
    arrivals.put("a.jsonl", "y")
    assert tick(config, "nightly") == made
    assert [body["spec"]["source"] for body in runs.bodies.values()] == [first.spec()]
    with pytest.raises(SettingsError, match="no schedule 'weekly'"):
        tick(config, "weekly")


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 2 * * *", "Etc/UTC", "2026-03-01T01:59:00+00:00", "2026-03-01T02:00:00+00:00"),
        ("0 2 * * *", "Etc/UTC", "2026-03-01T02:00:00+00:00", "2026-03-02T02:00:00+00:00"),
        ("30 9 * * 1", "Europe/Berlin", "2026-03-27T12:00:00+00:00", "2026-03-30T09:30:00+02:00"),
        ("30 9 * * *", "Europe/Berlin", "2026-03-28T12:00:00+00:00", "2026-03-29T09:30:00+02:00"),
        ("30 9 * * *", "Europe/Berlin", "2026-10-24T12:00:00+00:00", "2026-10-25T09:30:00+01:00"),
        ("0 0 1 * *", "America/New_York", "2026-01-01T04:59:00+00:00", "2026-01-01T00:00:00-05:00"),
        ("0 12 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00+00:00", "2026-01-01T12:00:00+05:45"),
    ],
)
def test_the_next_tick_follows_the_clock_on_the_wall(cron: str, zone: str, after: str, expected: str) -> None:
    """In the schedule's time zone, also on the days when it is changed."""
    found = next_tick(cron, zone, datetime.fromisoformat(after))
    assert found.isoformat() == expected


def _job(name: str, **fields: Any) -> Any:
    spec = {"schedule": "0 2 * * *", "time_zone": None, "suspend": False} | fields
    status = SimpleNamespace(last_schedule_time=AT)
    return SimpleNamespace(
        metadata=SimpleNamespace(annotations={"kubepipe.io/schedule": name}),
        spec=SimpleNamespace(**spec),
        status=status,
    )


def test_schedules_are_the_releases_cronjobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, with last and next tick; a suspended one has no next."""
    jobs = [_job("weekly", suspend=True), _job("nightly")]
    asked: list[tuple[str, str]] = []

    def listed(_api: Any, namespace: str, *, label_selector: str) -> Any:
        asked.append((namespace, label_selector))
        return SimpleNamespace(items=jobs)

    monkeypatch.setattr(client.BatchV1Api, "list_namespaced_cron_job", listed)
    nightly, weekly = list_schedules("lab")
    assert (nightly.name, nightly.timezone, nightly.last) == ("nightly", "Etc/UTC", "2026-03-01T02:00:00+00:00")
    assert nightly.following is not None
    assert nightly.following.endswith("T02:00:00+00:00")
    assert (weekly.name, weekly.following) == ("weekly", None)
    assert asked[0][0] == "lab"


def test_without_rights_the_error_names_the_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the API's answer."""

    def refused(*_: Any, **__: Any) -> Any:
        raise client.ApiException(status=403, reason="Forbidden")

    monkeypatch.setattr(client.BatchV1Api, "list_namespaced_cron_job", refused)
    with pytest.raises(KubePipeError, match=r"namespace lab: CronJobs cannot be listed \(403 Forbidden\)"):
        list_schedules("lab")
