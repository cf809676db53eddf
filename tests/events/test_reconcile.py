from __future__ import annotations

from datetime import timedelta

import pytest

from kubepipe.errors import FencedError
from kubepipe.pipeline.kfp_api import KfpError
from kubepipe.records.claim import read_claim
from kubepipe.records.step import Failure
from kubepipe_events.case import Visit
from kubepipe_events.config import EventsConfig, Limits, Retry, Rule
from kubepipe_events.reconcile import Reconciler
from kubepipe_events.start import Turn

from .world import MemoryWorld

CONFIG = EventsConfig(bucket="incoming", kfp_endpoint="memory:", pipeline="kubepipe")


class Bench:
    """A world and a controller that visits when told."""

    def __init__(self, **changes: object) -> None:
        self.outside = MemoryWorld()
        self.config = CONFIG.model_copy(update=changes)
        self.reconciler = Reconciler(self.config, self.outside.world())

    def visit(self, name: str, *, may_start: bool = True, **turn: str) -> Visit:
        resource = self.outside.runs.get(name)
        assert resource is not None
        return self.reconciler.visit(resource, Turn(may_start, **turn))

    def status(self, name: str) -> dict[str, object]:
        return dict(self.outside.runs.bodies[name]["status"])

    def run_of(self, name: str) -> str:
        return str(self.status(name)["runId"])


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_object_becomes_a_run_and_its_status_a_dashboard(bench: Bench) -> None:
    """Claimed, submitted under a name that can be found again, followed, ended with verdict and scores."""
    name = bench.outside.drop().name
    bench.visit(name)
    assert bench.status(name)["phase"] == "Submitted"
    (run,) = bench.outside.kfp.started.values()
    assert run["display_name"] == f"{name}-1"
    assert run["runtime_config"]["parameters"]["source"] == f"claim:{name}/1"
    bench.outside.fence(run["run_id"])
    bench.outside.record(run["run_id"], "prepare-data")
    bench.visit(name)
    assert (bench.status(name)["phase"], bench.status(name)["step"]) == ("Running", "assess-privacy-risk")
    bench.outside.finish(run["run_id"])
    assert bench.visit(name).again is None
    status = bench.status(name)
    assert (status["phase"], status["verdict"]) == ("Succeeded", "published")
    assert status["exactMatch"] == {"before": 1.0, "after": 50.0}
    assert status["energyKwh"] == "0.003000"
    assert [kind for _, kind, _ in bench.outside.notices] == ["success"]
    assert list(bench.outside.store.keys("active/")) == []


def test_no_key_of_an_object_is_told_to_kfp_or_in_a_notice(bench: Bench) -> None:
    """A key can name a person."""
    name = bench.outside.drop("wards/jane-doe.jsonl").name
    bench.visit(name)
    bench.outside.finish(bench.run_of(name))
    bench.visit(name)
    assert "jane" not in repr(bench.outside.kfp.started) + repr(bench.outside.notices)


def test_a_run_that_was_submitted_before_a_crash_is_adopted(bench: Bench) -> None:
    """The claim says claimed, KFP has a run of the name: it is this one."""
    name = bench.outside.drop().name
    bench.outside.kfp.create_run(f"{name}-1", "pipeline-1", {"source": f"claim:{name}/1", "settings": "{}"})
    bench.visit(name)
    assert len(bench.outside.kfp.started) == 1
    assert bench.status(name)["phase"] == "Submitted"


def test_of_two_workflows_the_one_with_the_fence_is_followed(bench: Bench) -> None:
    """The second one is refused by its first step."""
    name = bench.outside.drop().name
    bench.visit(name)
    second = bench.outside.kfp.create_run(f"{name}-1", "pipeline-1", {"source": f"claim:{name}/1", "settings": "{}"})
    bench.outside.fence(second)
    with pytest.raises(FencedError, match="works on it already"):
        bench.outside.fence(bench.run_of(name))
    bench.outside.finish(second)
    bench.visit(name)
    assert (bench.status(name)["phase"], bench.status(name)["runId"]) == ("Succeeded", second)


def test_an_object_that_is_no_data_set_fails_with_its_reason_and_is_not_tried_again(bench: Bench) -> None:
    """Phase Failed, the line that a laptop prints, one attempt."""
    name = bench.outside.drop().name
    bench.visit(name)
    run = bench.run_of(name)
    bench.outside.record(run, "prepare-data", error=Failure("InputError", "the source: is no data set", 2))
    bench.outside.kfp.started[run]["state"] = "FAILED"
    bench.visit(name)
    status = bench.status(name)
    assert (status["phase"], status["step"]) == ("Failed", "prepare-data")
    assert status["message"] == "the source: is no data set"
    assert len(bench.outside.kfp.started) == 1


@pytest.mark.parametrize(
    ("error", "tries"),
    [("MaxRetryError", 3), ("EvictedError", 3), (None, 3), ("OutOfMemoryError", 1), ("TrainingError", 1)],
)
def test_what_another_attempt_can_cure_gets_one(error: str | None, tries: int) -> None:
    """An outage is tried again with growing pauses up to the limit; too little memory is not."""
    bench = Bench(retry=Retry(attempts=3, backoff_seconds=10, backoff_factor=3))
    bench.outside.failure = Failure(error, "it went wrong", 1) if error else None
    name = bench.outside.drop().name
    pauses = []
    for _ in range(10):
        visit = bench.visit(name)
        for run in bench.outside.kfp.started.values():
            run["state"] = "FAILED"
        if visit.claim is not None and visit.claim.next_attempt_at:
            pauses.append(visit.again)
            bench.outside.time += timedelta(seconds=visit.again or 0)
    assert len(bench.outside.kfp.started) == tries
    assert [pause for pause in pauses if pause] == [10.0, 30.0][: tries - 1]
    assert bench.status(name)["phase"] == "Failed"


def test_a_clock_that_was_set_back_does_not_hold_a_retry_up(bench: Bench) -> None:
    """The wait is never longer than the longest pause."""
    name = bench.outside.drop().name
    bench.visit(name)
    bench.outside.kfp.started[bench.run_of(name)]["state"] = "FAILED"
    bench.visit(name)
    bench.outside.time -= timedelta(days=2)
    assert bench.visit(name).again == bench.config.retry.max_seconds


@pytest.mark.parametrize(
    ("jump", "phase"),
    [(-400.0, "Succeeded"), (-0.2, "Succeeded"), (0.2, "Succeeded"), (400.0, "Capped")],
)
def test_clocks_that_disagree_start_nothing_twice(jump: float, phase: str) -> None:
    """Each visit by a clock that is days apart from the last: one run, which no clock but one far ahead ends early."""
    bench = Bench()
    source = bench.outside.drop()
    name = source.name
    bench.visit(name)
    for _ in range(4):
        bench.outside.time += timedelta(days=jump)
        bench.visit(name)
        jump = -jump  # another controller, by another clock
    bench.outside.fence(bench.run_of(name))
    bench.outside.finish(bench.run_of(name))
    bench.visit(name)
    assert (len(bench.outside.kfp.started), bench.status(name)["phase"]) == (1, phase)
    bench.outside.time -= timedelta(days=2 * abs(jump))
    bench.visit(name)
    assert (len(bench.outside.kfp.started), bench.status(name)["phase"]) == (1, phase)


def test_while_kfp_is_down_nothing_is_lost(bench: Bench) -> None:
    """The claim is there; the run comes when KFP does."""
    name = bench.outside.drop().name
    bench.outside.kfp.is_down = True
    with pytest.raises(KfpError):
        bench.visit(name)
    assert read_claim(bench.outside.store, name) is not None
    bench.outside.kfp.is_down = False
    bench.visit(name)
    assert bench.status(name)["phase"] == "Submitted"


def test_deleting_stops_the_run_and_a_late_duplicate_starts_nothing(bench: Bench) -> None:
    """Only a rerun starts it again."""
    source = bench.outside.drop()
    bench.visit(source.name)
    bench.outside.store.write(f"keys/{bench.run_of(source.name)}.json", b"{}")
    bench.outside.runs.delete(source.name)
    bench.reconciler.forget(source.name)
    (run,) = bench.outside.kfp.started.values()
    assert run["state"] == "FAILED"
    assert list(bench.outside.store.keys("keys/")) == []
    bench.outside.runs.create(source.name, {"source": source.spec()})
    bench.visit(source.name)
    assert (bench.status(source.name)["phase"], len(bench.outside.kfp.started)) == ("Skipped", 1)
    bench.outside.runs.patch_spec(source.name, {"rerun": 1})
    bench.visit(source.name)
    assert (bench.status(source.name)["phase"], len(bench.outside.kfp.started)) == ("Submitted", 2)


def test_a_rerun_is_another_attempt(bench: Bench) -> None:
    """What the earlier one came to is cleared from the status."""
    name = bench.outside.drop().name
    bench.visit(name)
    bench.outside.finish(bench.run_of(name))
    bench.visit(name)
    bench.outside.runs.patch_spec(name, {"rerun": 1})
    bench.visit(name)
    status = bench.status(name)
    assert (status["phase"], status["attempts"], status["reruns"]) == ("Submitted", 2, 1)
    assert not {"verdict", "f1", "finishedAt"} & set(status)


def test_suspended_ones_wait(bench: Bench) -> None:
    """spec.suspend holds it back until it is taken away."""
    name = bench.outside.drop().name
    bench.outside.runs.patch_spec(name, {"suspend": True})
    bench.visit(name)
    assert (bench.status(name)["phase"], bench.outside.kfp.started) == ("Pending", {})
    bench.outside.runs.patch_spec(name, {"suspend": False})
    bench.visit(name)
    assert bench.status(name)["phase"] == "Submitted"


def test_a_run_above_a_limit_is_stopped() -> None:
    """Phase Capped, with the limit named."""
    bench = Bench(limits=Limits(run_seconds=60))
    name = bench.outside.drop().name
    bench.visit(name)
    bench.outside.time += timedelta(seconds=61)
    bench.visit(name)
    assert bench.status(name)["phase"] == "Capped"
    assert "runSeconds" in str(bench.status(name)["message"])
    assert bench.outside.kfp.started[bench.run_of(name)]["state"] == "FAILED"


def test_objects_outside_the_limits_are_skipped_with_the_limit(bench: Bench) -> None:
    """The size in the bucket counts."""
    empty, large = bench.outside.drop("e.jsonl", size=0).name, bench.outside.drop("l.jsonl", size=6_000_000_000).name
    for name, limit in ((empty, "minBytes"), (large, "maxBytes")):
        bench.visit(name)
        assert bench.status(name)["phase"] == "Skipped"
        assert limit in str(bench.status(name)["message"])
    assert bench.outside.kfp.started == {}


def test_an_object_that_is_gone_is_skipped(bench: Bench) -> None:
    """Deleted before its run, or never there, as a forged notification would have it."""
    source = bench.outside.drop()
    bench.outside.arrivals.deleted.add(source.key)
    bench.visit(source.name)
    assert bench.status(source.name)["phase"] == "Skipped"
    assert bench.outside.kfp.started == {}


def test_the_same_bytes_again_are_skipped_unless_the_rule_says_run(bench: Bench) -> None:
    """A new version of a key with the bytes of an earlier one that succeeded is not run; another key's is."""
    first = bench.outside.drop("a.jsonl", "same").name
    bench.visit(first)
    bench.outside.finish(bench.run_of(first))
    bench.visit(first)
    again, other = bench.outside.drop("a.jsonl", "same").name, bench.outside.drop("b.jsonl", "same").name
    bench.visit(again)
    bench.visit(other)
    assert bench.status(again)["phase"] == "Skipped"
    assert first in str(bench.status(again)["message"])
    assert bench.status(other)["phase"] == "Submitted"
    eager = Bench(rules=(Rule(identical="run"),))
    for _ in range(2):
        eager.visit(eager.outside.drop("a.jsonl", "same").name)
    assert len(eager.outside.kfp.started) == 2


def test_an_ignored_object_leaves_no_trace(bench: Bench) -> None:
    """A notification of a temporary name makes nothing that stays."""
    name = bench.outside.drop("a.jsonl.part").name
    assert bench.visit(name).claim is None
    assert (bench.outside.runs.bodies, bench.outside.store.objects) == ({}, {})


def test_a_wrong_file_beside_the_data_fails_the_run_with_its_reason(bench: Bench) -> None:
    """It may tighten the policy, and it may not loosen it."""
    bench.outside.arrivals.files["ward"] = b"privacy: {max_dropped: 0.9}"
    name = bench.outside.drop("ward/a.jsonl").name
    bench.visit(name)
    assert bench.status(name)["phase"] == "Failed"
    assert "could loosen" in str(bench.status(name)["message"])


def test_a_tick_waits_for_nobody_when_the_schedule_forbids_two(bench: Bench) -> None:
    """Forbid skips the later tick, Replace ends the earlier one."""
    source = bench.outside.arrivals.put("a.jsonl")
    spec = {"source": source.spec(), "trigger": "schedule", "schedule": {"name": "nightly", "tick": "x"}}
    for name in ("nightly-1", "nightly-2"):
        bench.outside.runs.create(name, spec)
    bench.visit("nightly-1")
    bench.visit("nightly-2", held_by="nightly-1")
    assert bench.status("nightly-2")["phase"] == "Skipped"
    bench.visit("nightly-1", replaced_by="nightly-3")
    assert bench.status("nightly-1")["phase"] == "Skipped"
    assert bench.outside.kfp.started[bench.run_of("nightly-1")]["state"] == "FAILED"
