from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kubepipe.errors import OutputError
from kubepipe.records.claim import claim_key, read_claim
from kubepipe_events import agenda, engine, outages
from kubepipe_events.config import Limits, Notifications
from kubepipe_events.engine import Engine
from kubepipe_events.metrics import Metrics
from kubepipe_events.reconcile import Reconciler
from kubepipe_events.resources import KubernetesError
from kubepipe_events.sweep import sweep

from .test_reconcile import CONFIG
from .world import MemoryWorld


class Loop:
    """A world, a controller's loop that turns when told, a watch, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
        self.seconds = 1000.0
        for module in (agenda, engine, outages):
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.seconds))
        self.effects: list[str] = []
        self.down: dict[str, Exception] = {}
        self.outside = MemoryWorld(self._before)
        self.config = CONFIG.model_copy(update=changes)
        self.restart()

    def _before(self, what: str) -> None:
        self.effects.append(what)
        for part, error in self.down.items():
            if what.startswith(part):
                raise error

    def restart(self) -> None:
        """Another controller takes over."""
        self.metrics = Metrics()
        self.reconciler = Reconciler(self.config, self.outside.world())
        self.engine = Engine(self.reconciler, self.metrics)
        self.effects.clear()

    def drop(self, key: str = "a.jsonl", **fields: Any) -> str:
        """An object arrives."""
        return self.outside.drop(key, **fields).name

    def settle(self) -> None:
        """Turn until nothing is due, telling of each change."""
        told: dict[str, str] = {}
        for _ in range(300):
            for resource in self.outside.runs.list():
                if told.get(resource.name) != repr(resource):
                    told[resource.name] = repr(resource)
                    self.engine.observe("MODIFIED", resource)
            self.engine.turn()
            if self.engine._pause() > 0 and self.engine._seen.empty():
                return
        raise AssertionError("the loop does not come to rest")

    def wait(self, seconds: float, step: float = 1.0) -> None:
        """Time goes by."""
        while seconds > 0:
            self.seconds += step
            self.outside.time += timedelta(seconds=step)
            seconds -= step
            self.settle()

    def phase(self, name: str) -> str:
        return str(self.outside.runs.bodies[name]["status"].get("phase"))

    def phases(self, *names: str) -> list[str]:
        return [self.phase(name) for name in names]

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        found = self.outside.runs.bodies[name]["status"].get("conditions", [])
        return next((each for each in found if each["type"] == kind), {})

    def run_of(self, name: str) -> str:
        return str(self.outside.runs.bodies[name]["status"]["runId"])

    def finish(self, name: str) -> None:
        """Its run publishes, and the loop sees it."""
        self.outside.finish(self.run_of(name))
        self.wait(4)

    def delete(self, name: str) -> None:
        """A person deletes it while the controller watches."""
        resource = self.outside.runs.get(name)
        assert resource is not None
        self.outside.runs.delete(name)
        self.engine.observe("DELETED", resource)
        self.settle()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    return Loop(monkeypatch)


def test_one_after_the_other_in_order_of_arrival(loop: Loop) -> None:
    """All are claimed at once; a slot goes to the one that came first."""
    first, second, third = (loop.drop(key) for key in "abc")
    loop.settle()
    assert loop.phases(first, second, third) == ["Submitted", "Pending", "Pending"]
    assert loop.condition(second, "Submitted")["reason"] == "Queued"
    loop.finish(first)
    assert loop.phases(first, second, third) == ["Succeeded", "Submitted", "Pending"]
    loop.finish(second)
    loop.finish(third)
    assert loop.phases(first, second, third) == ["Succeeded"] * 3


def test_whoever_arrives_as_a_slot_becomes_free_waits_behind_the_others(loop: Loop) -> None:
    """The new one is visited in the same round as the end of the running one, and does not overtake."""
    first, second = loop.drop("a"), loop.drop("b")
    loop.settle()
    loop.outside.finish(loop.run_of(first))
    third = loop.drop("c")
    loop.wait(4)
    assert loop.phases(first, second, third) == ["Succeeded", "Submitted", "Pending"]


def test_as_many_at_once_as_the_limit_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a restart that finds some running and some waiting."""
    loop = Loop(monkeypatch, limits=Limits(concurrent_runs=2))
    names = [loop.drop(key) for key in "abcde"]
    loop.settle()
    assert loop.phases(*names) == ["Submitted"] * 2 + ["Pending"] * 3
    loop.restart()
    loop.wait(10)
    assert loop.phases(*names) == ["Submitted"] * 2 + ["Pending"] * 3
    loop.finish(names[1])
    assert loop.phases(*names) == ["Submitted", "Succeeded", "Submitted", "Pending", "Pending"]


def test_a_suspended_one_takes_no_place_in_the_queue(loop: Loop) -> None:
    """Those behind it go on; released it takes the next slot."""
    first, second = loop.drop("a"), loop.drop("b")
    loop.outside.runs.patch_spec(first, {"suspend": True})
    loop.settle()
    assert loop.phases(first, second) == ["Pending", "Submitted"]
    loop.outside.runs.patch_spec(first, {"suspend": False})
    loop.settle()
    loop.finish(second)
    assert loop.phases(first, second) == ["Submitted", "Succeeded"]


def test_while_kfp_is_down_all_are_claimed_and_it_is_asked_less_and_less(loop: Loop) -> None:
    """New arrivals do not make the pauses short again; when it is back they go in order."""
    loop.outside.kfp.is_down = True
    names = []
    for number in range(60):
        if number % 10 == 0:
            names.append(loop.drop(f"{number}"))
        loop.wait(1)
    assert all(read_claim(loop.outside.store, name) for name in names)
    assert loop.outside.kfp.started == {}
    asked = [each for each in loop.effects if each.startswith(("find ds-", "submit "))]
    assert 4 <= len(asked) <= 8
    assert loop.metrics.registry.get_sample_value("kubepipe_pipelines_up") == 0
    loop.outside.kfp.is_down = False
    loop.wait(31)
    assert loop.phases(*names) == ["Submitted"] + ["Pending"] * 5
    assert loop.metrics.registry.get_sample_value("kubepipe_pipelines_up") == 1


@pytest.mark.parametrize("part", ["write claims/", "create claims/", "read claims/", "create contents/"])
def test_an_outage_of_the_store_loses_nothing(loop: Loop, part: str) -> None:
    """Wherever it begins: afterwards there is one run, and the limit was never passed."""
    loop.down[part] = OutputError("the store answers SlowDown")
    first, second = loop.drop("a"), loop.drop("b")
    loop.wait(20)
    loop.down.clear()
    loop.wait(31)
    assert loop.phases(first, second) == ["Submitted", "Pending"]
    assert len(loop.outside.kfp.started) == 1


def test_a_status_that_cannot_be_written_is_written_later(loop: Loop) -> None:
    """The API is away after the submission: no second run, no second slot."""
    loop.down["status "] = KubernetesError("the Kubernetes API cannot be reached")
    first, second = loop.drop("a"), loop.drop("b")
    loop.wait(20)
    assert len(loop.outside.kfp.started) == 1
    loop.down.clear()
    loop.wait(31)
    assert loop.phases(first, second) == ["Submitted", "Pending"]
    assert len(loop.outside.kfp.started) == 1


def test_the_loop_rests_when_nothing_can_be_listed(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not ready, rests longer and longer, and begins when the API answers."""
    name = loop.drop()

    def away(_selector: str = "") -> Any:
        raise KubernetesError("the Kubernetes API cannot be reached")

    with monkeypatch.context() as patch:
        patch.setattr(loop.outside.runs, "list", away)
        rests = []
        for _ in range(3):
            rests.append(loop.engine.turn())
            loop.seconds += rests[-1]
    assert rests == [1.0, 2.0, 4.0]
    assert not loop.engine.ready.is_set()
    loop.settle()
    assert loop.engine.ready.is_set()
    assert loop.phase(name) == "Submitted"


def test_a_deletion_that_was_seen_stops_the_run(loop: Loop) -> None:
    """The slot is free for the next."""
    first, second = loop.drop("a"), loop.drop("b")
    loop.settle()
    run = loop.run_of(first)
    loop.delete(first)
    assert loop.outside.kfp.started[run]["state"] == "FAILED"
    assert loop.phase(second) == "Submitted"
    assert sweep(loop.outside.world(), "incoming", CONFIG.rules, loop.engine.names()) == 0


def test_a_deletion_while_nobody_watched_stops_the_run(loop: Loop) -> None:
    """An open claim without DatasetRun is found at the start and at every comparison."""
    name = loop.drop()
    loop.settle()
    run = loop.run_of(name)
    loop.outside.runs.delete(name)
    loop.restart()
    loop.settle()
    assert loop.outside.kfp.started[run]["state"] == "FAILED"
    claim = read_claim(loop.outside.store, name)
    assert claim is not None
    assert claim.state == "deleted"


def test_a_deletion_while_kfp_is_down_holds_up_nobody(loop: Loop) -> None:
    """Others are claimed; the run is stopped when KFP is back."""
    first = loop.drop("a")
    loop.settle()
    run = loop.run_of(first)
    loop.outside.kfp.is_down = True
    loop.delete(first)
    second = loop.drop("b")
    loop.wait(5)
    assert read_claim(loop.outside.store, second) is not None
    loop.outside.kfp.is_down = False
    loop.wait(31)
    assert loop.outside.kfp.started[run]["state"] == "FAILED"
    assert loop.phase(second) == "Submitted"


def test_a_deletion_before_the_first_visit_is_remembered(loop: Loop) -> None:
    """The sweep does not make it again; what is no data set leaves no claim."""
    loop.settle()
    name, temporary = loop.drop("a"), loop.drop("a.part")
    for resource in list(loop.outside.runs.list()):
        loop.outside.runs.delete(resource.name)
        loop.engine.observe("DELETED", resource)
    loop.settle()
    assert temporary != name
    assert sweep(loop.outside.world(), "incoming", CONFIG.rules, ()) == 0
    assert loop.outside.kfp.started == {}
    assert [key for key in loop.outside.store.objects if key.startswith("claims/")] == [claim_key(name)]
    assert list(loop.outside.store.keys("active/")) == []


def test_one_that_was_deleted_and_made_anew_unseen_stops_the_run(loop: Loop) -> None:
    """Its uid tells; the new one shows why nothing runs."""
    source = loop.outside.drop("a")
    loop.settle()
    run = loop.run_of(source.name)
    loop.outside.runs.delete(source.name)
    loop.outside.runs.create(source.name, {"source": source.spec()})
    loop.wait(4)
    assert loop.outside.kfp.started[run]["state"] == "FAILED"
    assert loop.phase(source.name) == "Skipped"
    assert len(loop.outside.kfp.started) == 1


def test_a_restart_visits_nothing_that_is_settled(loop: Loop) -> None:
    """Neither a visit nor a read of a claim; a rerun that was asked for meanwhile is taken up."""
    first, second = loop.drop("a"), loop.drop("b")
    loop.settle()
    loop.finish(first)
    loop.finish(second)
    loop.restart()
    loop.wait(10)
    assert loop.effects == []
    loop.outside.runs.patch_spec(second, {"rerun": 1})
    loop.restart()
    loop.settle()
    assert loop.phases(first, second) == ["Succeeded", "Submitted"]


def test_a_rerun_that_is_asked_for_during_a_run_follows_it(loop: Loop) -> None:
    """The run at hand goes to its end first."""
    name = loop.drop()
    loop.settle()
    loop.outside.runs.patch_spec(name, {"rerun": 1})
    loop.wait(4)
    assert len(loop.outside.kfp.started) == 1
    loop.finish(name)
    assert (loop.phase(name), len(loop.outside.kfp.started)) == ("Submitted", 2)


def test_stuck_is_told_once_and_goes_with_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """The condition stays while it lasts, also over a restart, and falls when a step begins."""
    loop = Loop(monkeypatch, notifications=Notifications(stuck_after_seconds=30))
    name = loop.drop()
    loop.settle()
    loop.wait(29)
    assert loop.condition(name, "Stuck") == {}
    loop.wait(60)
    assert loop.condition(name, "Stuck")["status"] == "True"
    loop.restart()
    loop.wait(60)
    assert [notice[0] for notice in loop.outside.notices] == [f"{name}-1-stuck"]
    assert loop.outside.runs.told.count((name, "Stuck")) == 1
    loop.outside.fence(loop.run_of(name))
    loop.outside.record(loop.run_of(name), "prepare-data")
    loop.wait(4)
    assert loop.condition(name, "Stuck")["status"] == "False"
    assert loop.phase(name) == "Running"


def _tick(loop: Loop, number: int, policy: str) -> str:
    source = loop.outside.arrivals.newest("incoming", "a") or loop.outside.arrivals.put("a")
    about = {"name": "nightly", "tick": f"2026-03-0{number}T00:00:00Z", "concurrencyPolicy": policy}
    name = f"nightly-{number}"
    loop.outside.runs.create(name, {"source": source.spec(), "trigger": "schedule", "schedule": about})
    loop.settle()
    return name


@pytest.mark.parametrize(
    ("policy", "phases"),
    [
        ("Forbid", ["Submitted", "Skipped"]),
        ("Replace", ["Skipped", "Submitted"]),
        ("Allow", ["Submitted", "Submitted"]),
    ],
)
def test_a_later_tick_follows_the_schedules_policy(
    monkeypatch: pytest.MonkeyPatch, policy: str, phases: list[str]
) -> None:
    """Forbid skips it, Replace ends the earlier one, Allow runs both; the next tick after the end is run."""
    loop = Loop(monkeypatch, limits=Limits(concurrent_runs=2))
    names = [_tick(loop, number, policy) for number in (1, 2)]
    loop.wait(4)
    assert loop.phases(*names) == phases
    for name in names:
        if loop.phase(name) == "Submitted":
            loop.finish(name)
    third = _tick(loop, 3, policy)
    assert loop.phase(third) == "Submitted"


def test_a_claim_that_is_not_intact_is_shown_and_holds_up_nobody(loop: Loop) -> None:
    """Phase Failed with the reason, told once, looked at less and less; mended it goes on, also after a restart."""
    name, other = loop.drop("a"), loop.drop("b")
    loop.outside.store.objects[claim_key(name)] = b'{"schema_version": 1}'
    loop.outside.store.objects[f"active/{name}"] = b""
    loop.wait(60)
    assert loop.phases(name, other) == ["Failed", "Submitted"]
    assert loop.condition(name, "Blocked")["reason"] == "IntegrityError"
    assert len([each for each in loop.effects if each == f"read {claim_key(name)}"]) <= 7
    assert [notice[0] for notice in loop.outside.notices] == [f"{name}-1-blocked"]
    loop.restart()
    loop.wait(4)
    assert loop.engine.ready.is_set()
    loop.finish(other)
    assert loop.phases(name, other) == ["Failed", "Succeeded"]
    del loop.outside.store.objects[claim_key(name)]
    loop.wait(300, step=10)
    assert loop.phase(name) == "Submitted"
    assert loop.condition(name, "Blocked") == {}


def test_a_deleted_claim_that_is_not_intact_holds_up_nobody(loop: Loop) -> None:
    """Nothing can be stopped for it; the rest goes on."""
    loop.outside.store.objects[claim_key("ds-broken")] = b"{}"
    loop.outside.store.objects["active/ds-broken"] = b""
    name = loop.drop()
    loop.wait(10)
    assert loop.phase(name) == "Submitted"


def test_what_the_api_refuses_of_one_holds_up_no_other(loop: Loop) -> None:
    """422 is about that one status; the others are visited, and its run keeps its slot."""
    name, other = loop.drop("a"), loop.drop("b")
    loop.down[f"status {name}"] = KubernetesError("PATCH answers 422", status=422)
    loop.wait(10)
    assert loop.phase(other) == "Pending"
    assert loop.condition(other, "Submitted")["reason"] == "Queued"


def test_metrics_tell_phases_queue_and_age(loop: Loop) -> None:
    """Runs by phase, who waits, and for how long; what is suspended waits for a person and does not count."""
    names = [loop.drop(key) for key in "abc"]
    suspended = loop.drop("d")
    loop.outside.runs.patch_spec(suspended, {"suspend": True})
    loop.wait(20)
    value = loop.metrics.registry.get_sample_value
    assert value("kubepipe_runs", {"phase": "Pending"}) == 3
    assert value("kubepipe_runs", {"phase": "Submitted"}) == 1
    assert value("kubepipe_queue_length") == 2
    created = loop.outside.runs.bodies[names[1]]["metadata"]["creationTimestamp"]
    assert created.endswith("12:00:02Z")
    assert value("kubepipe_oldest_unprocessed_seconds") == pytest.approx(18, abs=1)
    assert value("kubepipe_submit_seconds_count") == 1


def _body(name: str, number: int, phase: str) -> dict[str, Any]:
    source = {"bucket": "incoming", "key": name, "versionId": "v", "etag": "e", "size": 1}
    created = f"2026-03-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    waits = {"type": "Submitted", "status": "False", "reason": "Queued", "lastTransitionTime": created}
    return {
        "metadata": {"name": name, "uid": name, "creationTimestamp": created, "generation": 1},
        "spec": {"source": source, "trigger": "upload"},
        "status": {"phase": phase, "observedGeneration": 1, "conditions": [waits] if phase == "Pending" else []},
    }


@pytest.mark.parametrize("phase", ["Succeeded", "Pending"])
def test_ten_thousand_of_them_cost_a_turn_nothing(loop: Loop, phase: str) -> None:
    """A hundred turns beside 10,000 that are settled or wait take well below a second of work, and no reads."""
    busy = loop.drop("busy")
    loop.settle()
    loop.outside.runs.bodies |= {f"n-{number}": _body(f"n-{number}", number, phase) for number in range(10_000)}
    loop.engine.relist()
    loop.engine.turn()
    assert len(loop.engine.names()) == 10_001
    loop.effects.clear()
    began = time.process_time()
    for _ in range(100):
        resource = loop.outside.runs.get(busy)
        assert resource is not None
        loop.engine.observe("MODIFIED", resource)
        loop.engine.turn()
    assert time.process_time() - began < 0.5
    assert [each for each in loop.effects if "claims/n-" in each] == []
