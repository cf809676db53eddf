"""The claim protocol, model-checked: the controller's own code under every schedule within the bounds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubepipe.errors import FencedError
from kubepipe.records.claim import fence_owner, read_claim
from kubepipe_events.reconcile import Reconciler
from kubepipe_events.start import Turn
from kubepipe_events.sweep import make, sweep

from .explorer import Scheduler, explore
from .test_reconcile import CONFIG
from .world import MemoryWorld

_MOST_VISITS = 12


class Play:
    """One object in the bucket, and everybody who works on it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.outside = MemoryWorld(self._point)
        self.world = self.outside.world()
        self.source = self.outside.arrivals.put("a.jsonl")
        self.name = self.source.name
        self.at_work: set[str] = set()

    def _point(self, what: str) -> None:
        """Records belong to one run alone, and what is shown is shown again: no schedule around these matters."""
        if not what.startswith(("read runs/", "write runs/", "status ", "pipeline ")):
            self.scheduler.point(what)

    def notify(self) -> None:
        """The sensor, told by a notification."""
        make(self.world, self.source, "upload")

    def sweep(self) -> None:
        """The sweep, which lists claims and bucket."""
        sweep(self.world, "incoming", CONFIG.rules, {each.name for each in self.outside.runs.list()})

    def controller(self, name: str) -> Callable[[], None]:
        """A controller: visits until nothing is due."""
        self.at_work.add(name)

        def work() -> None:
            self._visit_until_settled()
            self.at_work.discard(name)

        return work

    def _visit_until_settled(self) -> None:
        reconciler = Reconciler(CONFIG, self.world)
        for _ in range(_MOST_VISITS):
            self.scheduler.wait_for(lambda: self.outside.runs.get(self.name) is not None)
            resource = self.outside.runs.get(self.name)
            assert resource is not None
            visit = reconciler.visit(resource, Turn(may_start=True))
            if visit.again is None:
                return
            run = visit.claim.run if visit.claim else None
            self.scheduler.wait_for(lambda run=run: not self._goes_on(run))
        raise AssertionError("the controller does not come to an end")

    def workflows(self) -> None:
        """Kubeflow Pipelines: every run takes the fence and publishes, or ends as it is refused."""
        worked: set[str] = set()
        while True:
            self.scheduler.wait_for(lambda: bool(set(self.outside.kfp.started) - worked) or not self.at_work)
            waiting = sorted(set(self.outside.kfp.started) - worked)
            if not waiting:
                return
            worked.add(waiting[0])
            try:
                self.outside.finish(waiting[0])
            except FencedError:
                self.outside.kfp.started[waiting[0]]["state"] = "FAILED"

    def _goes_on(self, run: str | None) -> bool:
        return run is not None and self.outside.kfp.started[run]["state"] == "PENDING"

    def holds(self) -> None:
        """One effective run, one end, nothing left open."""
        claim = read_claim(self.outside.store, self.name)
        assert claim is not None
        assert (claim.state, claim.status["phase"], claim.attempt) == ("ended", "Succeeded", 1)
        fences = [key for key in self.outside.store.objects if key.startswith(f"claims/{self.name}/fence-")]
        assert len(fences) == 1
        owner = fence_owner(self.outside.store, self.name, 1)
        published = {key.split("/")[1] for key in self.outside.store.objects if key.endswith("publish-model.json")}
        assert published == {owner} == {claim.run}
        assert [run["state"] for run in self.outside.kfp.started.values() if run["run_id"] == owner] == ["SUCCEEDED"]
        for key in list(self.outside.store.keys("active/")):
            Reconciler(CONFIG, self.world).tidy(key.removeprefix("active/"))
        assert not list(self.outside.store.keys("active/"))


def _everybody(scheduler: Scheduler) -> None:
    play = Play(scheduler)
    actors = {
        "sensor": play.notify,
        "sweep": play.sweep,
        "controller": play.controller("one"),
        "pipelines": play.workflows,
    }
    scheduler.run(actors, crashing=["controller", "sensor", "sweep"])
    play.holds()


def _two_controllers(scheduler: Scheduler) -> None:
    """An old controller that does not know yet that it was replaced."""
    play = Play(scheduler)
    actors = {
        "sensor": play.notify,
        "old": play.controller("old"),
        "new": play.controller("new"),
        "pipelines": play.workflows,
    }
    scheduler.run(actors)
    play.holds()


@pytest.fixture(autouse=True)
def _unchecked_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checking documents against their schemas is most of the time, and is tested elsewhere."""
    for module in ("claim", "step"):
        monkeypatch.setattr(f"kubepipe.records.{module}.validate", lambda *_, **__: None)


CASTS = {"everybody": _everybody, "two controllers": _two_controllers}


@pytest.mark.parametrize(
    ("cast", "preemptions", "crashes", "least"),
    [("everybody", 1, 0, 500), ("everybody", 0, 1, 500), ("two controllers", 1, 0, 50)],
)
def test_every_version_gets_one_effective_run(cast: str, preemptions: int, crashes: int, least: int) -> None:
    """Whoever is interleaved with whom or crashes where: one run has the fence, publishes, and is what is shown."""
    assert explore(CASTS[cast], preemptions=preemptions, crashes=crashes) >= least


def test_the_explorer_finds_a_fault_that_is_there() -> None:
    """Without the fence two controllers let two runs publish: the explorer says so."""

    def unfenced(scheduler: Scheduler) -> None:
        play = Play(scheduler)
        play.outside.fence = lambda _run: None  # type: ignore[method-assign]
        actors = {
            "sensor": play.notify,
            "old": play.controller("old"),
            "new": play.controller("new"),
            "pipelines": play.workflows,
        }
        scheduler.run(actors)
        published = [key for key in play.outside.store.objects if key.endswith("publish-model.json")]
        assert len(published) == 1

    with pytest.raises(AssertionError):
        explore(unfenced, preemptions=1, crashes=0)
