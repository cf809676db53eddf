"""The product's shape: install, a data set in a bucket, a finished run, the same digests as on a laptop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kubepipe.passages import read_manifest
from kubepipe.pipeline.remote.workflow import find_workflow
from kubepipe.records import read_document
from kubepipe.stages import STAGES

from .conftest import SMALL, Cluster

pytestmark = pytest.mark.cluster


@pytest.mark.smoke
def test_a_submitted_data_set_becomes_a_published_model(fetched: Path) -> None:
    """All steps succeed in their pods; report, scores, energy and permit are there."""
    document = read_document(fetched / "run.json", "run")
    assert document["verdict"] == "published"
    assert {step: each["status"] for step, each in document["steps"].items()} == dict.fromkeys(STAGES, "succeeded")
    assert document["energy_kwh"] > 0
    for name in ("report.html", "dataset/permit.json", "inference_results.jsonl"):
        assert (fetched / name).exists(), name


@pytest.fixture(scope="module")
def laptop(cluster: Cluster, examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same run on this machine, under the release's pseudonym key."""
    folder = tmp_path_factory.mktemp("laptop") / "run"
    keys = folder / ".kubepipe" / "keys"
    keys.mkdir(parents=True)
    (keys / "pseudonym.key").write_bytes(cluster.secret_with("pseudonym.key")["pseudonym.key"])
    arguments = [str(examples / "clinic" / "clinic.jsonl"), "--out", str(folder), *SMALL]
    done = subprocess.run(
        [sys.executable, "-m", "kubepipe.cli", "run", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_digests_are_those_of_a_laptop_with_the_same_key(laptop: Path, fetched: Path) -> None:
    """Same data, same seed, same pseudonym key: the same data set before and after protection."""
    here, there = (read_document(each / "run.json", "run") for each in (laptop, fetched))
    for name in ("dataset", "protected_dataset"):
        assert here["digests"][name] == there["digests"][name], name
    assert _gated(laptop) == read_manifest(fetched / "dataset").digest


def _gated(folder: Path) -> str:
    """Digest of the data set that the gate of a local run looked at."""
    (file,) = (folder / ".kubepipe" / "store").glob("runs/*/verdict.json")
    return str(json.loads(file.read_text(encoding="utf-8"))["dataset_digest"])


def test_another_key_gives_another_protected_data_set(fetched: Path, examples: Path, tmp_path: Path) -> None:
    """The same run as far as the gate, under a key of its own: the data set before protection is the same."""
    arguments = [str(examples / "clinic" / "clinic.jsonl"), "--out", str(tmp_path), *SMALL]
    asks = ["--set", "privacy.require_approval=true"]
    done = subprocess.run(
        [sys.executable, "-m", "kubepipe.cli", "run", *arguments, *asks], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3, done.stdout + done.stderr
    here, there = (read_document(each / "run.json", "run")["digests"] for each in (tmp_path, fetched))
    assert here["dataset"] == there["dataset"]
    assert _gated(tmp_path) != read_manifest(fetched / "dataset").digest


def test_scores_are_those_of_a_laptop_within_their_intervals(laptop: Path, fetched: Path) -> None:
    """Another number of threads adds in another order: the scores lie in the 95 % intervals of the laptop's."""
    there = read_document(fetched / "run.json", "run")
    (file,) = (laptop / ".kubepipe" / "store").glob("runs/*/benchmark-model.json")
    here = json.loads(file.read_text(encoding="utf-8"))["results"]
    for model in ("untuned", "tuned"):
        for name in ("exact_match", "f1"):
            low, high = here[model][f"{name}_interval"]
            assert low <= there["scores"][model][name] <= high, (model, name)


def test_no_value_of_the_data_is_in_the_store_in_the_clear(
    cluster: Cluster, fetched: Path, examples: Path, tmp_path: Path
) -> None:
    """Buckets of the release hold the source's identifiers nowhere but in the bucket for incoming data."""
    assert fetched.is_dir()
    clinic = examples / "clinic" / "clinic.jsonl"
    rows = [json.loads(line) for line in clinic.read_text(encoding="utf-8").splitlines()]
    values = {row[column].encode() for row in rows for column in ("patient_id", "phone", "title")}
    with cluster.store() as client:
        for bucket in client.list_buckets():
            for item in client.list_objects(bucket.name, recursive=True):
                if bucket.name == "incoming" or item.size > 50_000_000:
                    continue
                client.fget_object(bucket.name, item.object_name, str(tmp_path / "object"))
                content = (tmp_path / "object").read_bytes()
                assert not [value for value in values if value in content], item.object_name


def test_a_second_run_of_the_same_object_reuses_what_may_be_reused(run: str, second: str) -> None:
    """The model is not trained twice; privacy steps work for each run by themselves."""
    assert second.splitlines()[0] != run
    assert "fine-tune-model (reused)" in second
    assert "prepare-data (reused)" not in second


def test_a_run_bears_an_upgrade(cluster: Cluster, second: str) -> None:
    """The release was upgraded while the run was in flight: the run went on to its end, and the release is well."""
    assert "verdict published" in second
    assert cluster.problems_left() == {}


def test_runs_and_logs_tell_what_happened(cluster: Cluster, run: str) -> None:
    """A person sees verdict, scores and reasons without opening KFP."""
    listed = cluster.kubepipe("runs")
    assert run in listed
    assert "published" in listed
    assert cluster.kubepipe("logs", run, "fine-tune-model").strip()


def test_what_was_published_holds_and_is_current(cluster: Cluster, run: str) -> None:
    """From outside the cluster, with the public keys of the release's ConfigMap."""
    listed = cluster.kubepipe("releases")
    assert run in listed
    assert "current" in listed
    assert "8 steps, permit, weights and signature hold" in cluster.kubepipe("verify")


def test_an_object_that_is_no_data_set_fails_with_its_reason(cluster: Cluster, uploaded: str) -> None:
    """The line that a laptop prints stands in the run's record, and the exit code is that of bad input."""
    said = cluster.kubepipe("submit", f"{uploaded}.missing", "--wait", expect=2)
    assert "there is no such object" in said
    run = said.splitlines()[0]
    assert _attempts(cluster, run) == 3, "KFP retries, and each further attempt ends at once"
    assert cluster.kubepipe("logs", run, "prepare-data")


def _attempts(cluster: Cluster, run: str) -> int:
    workflow = find_workflow(cluster.namespace, run)
    assert workflow is not None
    return len([pod for pod in workflow.pods if not pod.is_driver])
