from __future__ import annotations

from typing import Any

import pytest

from kubepipe.records.approval import find_approval
from kubepipe.records.claim import read_claim
from kubepipe.records.step import Failure, write_record
from kubepipe.sealing import mapping_name
from kubepipe.settings import load_settings, settings_digest
from kubepipe_events.config import EventsConfig
from kubepipe_events.known import claim_of_status

from .test_reconcile import Bench

POLICY: dict[str, Any] = {"privacy": {"require_approval": True}}
DIGEST = f"sha256:{'a' * 64}"


class Gate(Bench):
    """A DatasetRun whose data waits at the gate for a person."""

    def __init__(self, verdict: str = "needs_human") -> None:
        super().__init__(settings=POLICY)
        self.name = self.outside.drop("wards/jane-doe.jsonl").name
        self.visit(self.name)
        self.run = self.run_of(self.name)
        self.outside.fence(self.run)
        self.outside.store.write(f"keys/{self.run}.json", b"{}")
        self.outside.record(self.run, "prepare-data")
        self.outside.record(self.run, "verify-privacy", error=Failure("QuarantinedError", verdict, 3))
        write_record(self.outside.store, f"runs/{self.run}/verdict.json", _verdict(verdict), "verdict")
        self.outside.kfp.started[self.run]["state"] = "FAILED"
        self.visit(self.name)

    def decide(self, verdict: str, digest: str = DIGEST, **fields: Any) -> None:
        decision = {"verdict": verdict, "by": "system:serviceaccount:lab:ada", "datasetDigest": digest} | fields
        self.outside.runs.patch_spec(self.name, {"decision": decision})
        self.visit(self.name)

    def condition(self, kind: str) -> dict[str, Any]:
        conditions: Any = self.status(self.name)["conditions"]
        return next(each for each in conditions if each["type"] == kind)

    def keys(self) -> list[str]:
        return list(self.outside.store.keys("keys/"))


def _verdict(verdict: str) -> dict[str, Any]:
    code = "approval_required" if verdict == "needs_human" else "redetected"
    reasons = [{"code": code, "text": "Words of the gate."}]
    return {"verdict": verdict, "reasons": reasons, "measures": {}, "after": {}, "dataset_digest": DIGEST}


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_data_that_waits_is_shown_and_told_and_stays_sealed(gate: Gate) -> None:
    """Quarantined, verdict needs_human, with the digest to decide on; the key is kept for now; no key of an object."""
    status = gate.status(gate.name)
    assert (status["phase"], status["verdict"], status["datasetDigest"]) == ("Quarantined", "needs_human", DIGEST)
    assert gate.condition("AwaitingDecision")["status"] == "True"
    assert gate.keys() == [f"keys/{gate.run}.json"]
    ((_, kind, words),) = gate.outside.notices
    assert kind == "quarantine"
    assert words == (
        f"DatasetRun {gate.name}: Quarantined, Kept, verdict needs_human, at verify-privacy, "
        "waits for `kubepipe approve` or `kubepipe reject`"
    )


def test_an_approval_is_what_the_gate_of_the_next_attempt_looks_for(gate: Gate) -> None:
    """Under the digests of data and policy, where steps behind the gate cannot write, with who and why."""
    gate.decide("approved", reason="seen", at="2026-03-01T13:00:00Z")
    assert isinstance(gate.config, EventsConfig)
    policy = settings_digest(load_settings(base=POLICY), ["privacy"])
    approval = find_approval(gate.outside.quarantine, DIGEST, policy)
    assert approval is not None
    assert (approval.verdict, approval.by, approval.reason) == ("approved", "system:serviceaccount:lab:ada", "seen")
    assert (approval.run, approval.at) == (gate.run, "2026-03-01T13:00:00Z")
    assert not [key for key in gate.outside.store.objects if key.startswith("approvals/")]
    status = gate.status(gate.name)
    assert (status["phase"], status["attempts"], len(gate.outside.kfp.started)) == ("Submitted", 2, 2)
    assert gate.condition("AwaitingDecision")["reason"] == "Approved"
    assert gate.keys() == []


def test_an_approved_data_set_goes_to_its_end(gate: Gate) -> None:
    """The decision is taken once: the second attempt's end is the end."""
    gate.decide("approved")
    gate.outside.finish(gate.run_of(gate.name))
    gate.visit(gate.name)
    gate.visit(gate.name)
    assert (gate.status(gate.name)["phase"], len(gate.outside.kfp.started)) == ("Succeeded", 2)


def test_a_rejection_destroys_the_key_and_starts_nothing(gate: Gate) -> None:
    """Verdict rejected, with who; visited again nothing changes."""
    gate.decide("rejected")
    gate.visit(gate.name)
    status = gate.status(gate.name)
    assert (status["phase"], status["verdict"]) == ("Quarantined", "rejected")
    assert "ada" in str(status["message"])
    assert gate.keys() == []
    assert len(gate.outside.kfp.started) == 1
    assert gate.condition("AwaitingDecision")["status"] == "False"


@pytest.mark.parametrize("verdict", ["approved", "rejected"])
def test_a_decision_on_other_data_decides_nothing(gate: Gate, verdict: str) -> None:
    """The digest must be the one that waits."""
    gate.decide(verdict, digest=f"sha256:{'c' * 64}")
    assert gate.status(gate.name)["verdict"] == "needs_human"
    assert gate.outside.quarantine.objects == {}
    assert gate.keys() == [f"keys/{gate.run}.json"]


def test_a_decision_before_the_gate_asked_decides_nothing() -> None:
    """Nobody can approve what was not measured yet."""
    bench = Bench(settings=POLICY)
    name = bench.outside.drop().name
    decision = {"verdict": "approved", "by": "ada", "datasetDigest": DIGEST}
    bench.outside.runs.patch_spec(name, {"decision": decision})
    bench.visit(name)
    assert bench.outside.quarantine.objects == {}
    assert bench.status(name)["phase"] == "Submitted"


@pytest.mark.parametrize("how", ["rerun", "delete"])
def test_the_key_of_what_waits_dies_with_a_rerun_or_a_deletion(gate: Gate, how: str) -> None:
    """Nothing is left that the sealed data of the earlier run could be opened with."""
    if how == "rerun":
        gate.outside.runs.patch_spec(gate.name, {"rerun": 1})
        gate.visit(gate.name)
    else:
        gate.outside.runs.delete(gate.name)
        gate.reconciler.forget(gate.name)
    assert gate.keys() == []
    assert read_claim(gate.outside.store, gate.name) is not None


def test_an_object_of_another_bucket_is_not_run() -> None:
    """Whoever makes DatasetRuns cannot have the controller read the release's other buckets."""
    bench = Bench()
    source = bench.outside.arrivals.put("a.jsonl").spec() | {"bucket": "store"}
    bench.outside.runs.create("by-hand", {"source": source, "trigger": "manual"})
    bench.visit("by-hand")
    assert bench.status("by-hand")["phase"] == "Skipped"
    assert "bucket incoming" in str(bench.status("by-hand")["message"])
    assert bench.outside.kfp.started == {}


def test_what_a_person_made_by_hand_is_run_whatever_the_rules_say() -> None:
    """Rules are for objects that come by themselves: neither ignored names nor sizes nor identical bytes count."""
    bench = Bench()
    for key, size in (("a.tmp", 10), ("b.jsonl", 0)):
        source = bench.outside.arrivals.put(key, size=size)
        bench.outside.runs.create(source.name, {"source": source.spec(), "trigger": "manual"})
        bench.visit(source.name)
        assert bench.status(source.name)["phase"] == "Submitted"


class Refused(Gate):
    """A DatasetRun whose data broke a rule of the gate."""

    def __init__(self) -> None:
        super().__init__(verdict="quarantine")


@pytest.fixture
def refused() -> Refused:
    return Refused()


def test_the_key_of_refused_data_stays_until_somebody_decides(refused: Refused) -> None:
    """Quarantined, with the digest to decide on."""
    status = refused.status(refused.name)
    assert (status["phase"], status["verdict"], status["datasetDigest"]) == ("Quarantined", "quarantined", DIGEST)
    assert refused.keys() == [f"keys/{refused.run}.json"]


def test_a_release_is_an_approval_that_names_the_rules(refused: Refused) -> None:
    """Another attempt starts, and its gate finds who overruled what, and why."""
    refused.decide("released", reason="street names", rules=["redetected"])
    approval = find_approval(
        refused.outside.quarantine, DIGEST, settings_digest(load_settings(base=POLICY), ["privacy"])
    )
    assert approval is not None
    assert (approval.verdict, approval.overrules, approval.reason) == ("approved", ("redetected",), "street names")
    assert len(refused.outside.kfp.started) == 2
    assert refused.keys() == []


def test_refused_data_is_not_approved_by_the_way(refused: Refused) -> None:
    """An approval is for data that keeps the rules, a release for data that waits would overrule nothing."""
    refused.decide("approved")
    assert refused.outside.quarantine.objects == {}
    assert refused.keys() == [f"keys/{refused.run}.json"]
    waiting = Gate()
    waiting.decide("released", rules=["redetected"])
    assert waiting.outside.quarantine.objects == {}


@pytest.mark.parametrize("how", ["rejected", "delete"])
def test_the_key_of_refused_data_dies_with_its_rejection_or_its_dataset_run(refused: Refused, how: str) -> None:
    """Nothing is left to open it with."""
    if how == "delete":
        refused.outside.runs.delete(refused.name)
        refused.reconciler.forget(refused.name)
    else:
        refused.decide("rejected")
    assert refused.keys() == []
    assert len(refused.outside.kfp.started) == 1


def test_a_release_is_tried_once(refused: Refused) -> None:
    """A gate that refuses again leaves the data quarantined; visited again and again nothing starts."""
    refused.decide("released", rules=["redetected"])
    run = refused.run_of(refused.name)
    refused.outside.fence(run)
    refused.outside.store.write(f"keys/{run}.json", b"{}")
    refused.outside.record(run, "verify-privacy", error=Failure("QuarantinedError", "quarantine", 3))
    write_record(refused.outside.store, f"runs/{run}/verdict.json", _verdict("quarantine"), "verdict")
    refused.outside.kfp.started[run]["state"] = "FAILED"
    for _ in range(4):
        refused.visit(refused.name)
    assert refused.status(refused.name)["verdict"] == "quarantined"
    assert len(refused.outside.kfp.started) == 2


def test_an_approval_is_tried_once(gate: Gate) -> None:
    """A gate that asks again for the same data was not opened by it: no attempt follows the other for ever."""
    gate.decide("approved")
    run = gate.run_of(gate.name)
    gate.outside.fence(run)
    gate.outside.store.write(f"keys/{run}.json", b"{}")
    gate.outside.record(run, "verify-privacy", error=Failure("QuarantinedError", "needs_human", 3))
    write_record(gate.outside.store, f"runs/{run}/verdict.json", _verdict("needs_human"), "verdict")
    gate.outside.kfp.started[run]["state"] = "FAILED"
    for _ in range(4):
        gate.visit(gate.name)
    assert gate.status(gate.name)["verdict"] == "needs_human"
    assert gate.condition("AwaitingDecision")["status"] == "False"
    assert len(gate.outside.kfp.started) == 2


def test_a_decision_that_comes_before_the_end_is_seen_takes_effect_at_it() -> None:
    """The gate's verdict can be read before the controller has seen the run's end."""
    early = Refused.__new__(Refused)
    Bench.__init__(early, settings=POLICY)
    early.name = early.outside.drop().name
    early.visit(early.name)
    early.run = early.run_of(early.name)
    early.outside.fence(early.run)
    early.outside.record(early.run, "verify-privacy", error=Failure("QuarantinedError", "quarantine", 3))
    write_record(early.outside.store, f"runs/{early.run}/verdict.json", _verdict("quarantine"), "verdict")
    decision = {"verdict": "released", "by": "ada", "datasetDigest": DIGEST, "rules": ["redetected"]}
    early.outside.runs.patch_spec(early.name, {"decision": decision})
    early.outside.kfp.started[early.run]["state"] = "FAILED"
    assert early.visit(early.name).again == 0.0
    early.visit(early.name)
    assert len(early.outside.kfp.started) == 2


def test_a_decision_that_a_controller_had_no_time_for_is_taken_up_by_the_next(refused: Refused) -> None:
    """Its generation was observed, its attempt not made: a visit is due at the start."""
    decision = {"verdict": "released", "by": "ada", "datasetDigest": DIGEST, "rules": ["redetected"]}
    resource = refused.outside.runs.get(refused.name)
    assert resource is not None
    assert claim_of_status(resource)[1] is False
    refused.outside.runs.patch_spec(refused.name, {"decision": decision})
    seen = refused.outside.runs.get(refused.name)
    refused.outside.runs.write_status(refused.name, {"observedGeneration": seen.generation})
    assert claim_of_status(refused.outside.runs.get(refused.name))[1] is True
    refused.visit(refused.name)
    assert len(refused.outside.kfp.started) == 2


def test_the_mapping_of_a_run_that_came_to_nothing_goes_with_its_key(refused: Refused) -> None:
    """That of the attempt that came to its end stays."""
    refused.outside.quarantine.write(mapping_name(refused.run), b"{}")
    refused.decide("released", rules=["redetected"])
    assert mapping_name(refused.run) not in refused.outside.quarantine.objects
    second = refused.run_of(refused.name)
    refused.outside.quarantine.write(mapping_name(second), b"{}")
    refused.outside.finish(second)
    refused.visit(refused.name)
    assert refused.status(refused.name)["phase"] == "Succeeded"
    assert mapping_name(second) in refused.outside.quarantine.objects
    refused.outside.runs.patch_spec(refused.name, {"rerun": 1})
    refused.visit(refused.name)
    assert refused.run_of(refused.name) != second
    assert mapping_name(second) in refused.outside.quarantine.objects
