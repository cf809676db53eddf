"""Schedules become CronJobs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import SCHEDULES


def _set(**schedule: Any) -> str:
    return "--set-json=events.schedules=" + json.dumps(
        [{"name": "s", "cron": "@daily", "dataset": "x.json", **schedule}]
    )


def test_schedules_of_the_example(helm: Any) -> None:
    """A schedule is a CronJob with its times, zone and deadline, whose job makes the DatasetRun of the tick."""
    release = helm.scenario("events")
    nightly, weekdays = (release.typed("CronJob", f"kubepipe-{name}").spec for name in ("nightly", "weekdays"))
    assert (nightly.schedule, nightly.time_zone, nightly.starting_deadline_seconds) == (
        "0 2 * * *",
        "Europe/Berlin",
        3600,
    )
    assert (weekdays.schedule, weekdays.time_zone, weekdays.suspend) == ("*/15 7-18 * * MON-FRI", "Etc/UTC", True)
    assert nightly.suspend is False
    assert weekdays.starting_deadline_seconds is None
    assert nightly.concurrency_policy == "Allow"
    container = nightly.job_template.spec.template.spec.containers[0]
    assert container.command == ["python", "-m", "kubepipe_events"]
    assert container.args == ["tick", "--schedule", "nightly"]
    job = next(each for each in container.env if each.name == "KUBEPIPE_JOB")
    assert job.value_from.field_ref.field_path == "metadata.labels['batch.kubernetes.io/job-name']"
    told = json.loads(release.get("ConfigMap", "kubepipe-events")["data"]["events.json"])["schedules"]
    assert [each["name"] for each in told] == ["nightly", "weekdays"]


def test_rights_of_ticks(full: Any) -> None:
    """A tick may look at DatasetRuns and make them, and nothing else."""
    rules = full.get("Role", "kubepipe-events-tick")["rules"]
    assert [(each["resources"], each["verbs"]) for each in rules] == [(["datasetruns"], ["get", "list", "create"])]


def test_without_schedules(helm: Any) -> None:
    """Without schedules there is no account, role or policy for them."""
    names = {each["metadata"]["name"] for each in helm().objects}
    assert "kubepipe-events-tick" not in names
    assert "kubepipe-events-tick" in {each["metadata"]["name"] for each in helm(f"--set-json={SCHEDULES}").objects}


GOOD = [
    "* * * * *", "0 2 * * *", "*/5 0-6,12 1,15 JAN-mar mon", "59 23 31 12 6", "@hourly", "@midnight", "0  0 * * 0",
    "05 07 01 * *",
]  # fmt: skip
BAD = [
    "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * FOO *",
    "* * * * 8",
    "*/0 * * * *", "@reboot", "@every 5m", "TZ=UTC * * * * *", "a * * * *", "1- * * * *", "* * * * * ",
]  # fmt: skip


@pytest.mark.parametrize("cron", GOOD)
def test_good_times(helm: Any, cron: str) -> None:
    """Expressions that Kubernetes takes are taken."""
    assert helm(_set(cron=cron)).all("CronJob")[0]["spec"]["schedule"] == cron


WRONG = [
    *({"cron": each} for each in BAD),
    *({"timezone": each} for each in ("", "Local", "utc", "Berlin!", "Europe/", "Europe/Berlin; rm", "+02:00")),
    *({"name": each} for each in ("", "A", "a_b", "-a", "a-", "a" * 41)),
    {"concurrencyPolicy": "Never"},
    {"startingDeadline": 5},
    {"dataset": ""},
    {"unknown": 1},
]


@pytest.mark.parametrize("schedule", WRONG, ids=[json.dumps(each) for each in WRONG])
def test_bad_schedules(helm: Any, schedule: dict[str, Any]) -> None:
    """A schedule that Kubernetes would refuse, or never run, is refused while the chart is rendered."""
    done = helm.run(_set(**schedule))
    assert done.returncode != 0
    assert "schema" in done.stderr


def test_names_are_unique(helm: Any) -> None:
    """Two schedules of one name are refused by words."""
    twice = [{"name": "s", "cron": "@daily", "dataset": "x.json"}] * 2
    done = helm.run("--set-json=events.schedules=" + json.dumps(twice))
    assert 'events.schedules has the name "s" twice' in done.stderr


def test_longest_name(helm: Any) -> None:
    """The longest name of a schedule under the longest name of a release still fits a CronJob."""
    release = helm(_set(name="s" * 40), release="r" * 53)
    name = release.all("CronJob")[0]["metadata"]["name"]
    assert len(name) <= 52
    assert name.endswith("s" * 40)
