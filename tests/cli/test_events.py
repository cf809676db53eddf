from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes import client
from minio.error import S3Error

from kubepipe.cli import events
from kubepipe.cli import main as cli
from kubepipe.errors import InputError, KubePipeError
from kubepipe.pipeline import remote
from kubepipe.pipeline.remote import identity, incoming, schedules
from kubepipe.records.claim import Claim, create_claim
from kubepipe.storage import FolderStore
from kubepipe_events.identity import Source
from kubepipe_events.resources import Resource

DIGEST = f"sha256:{'a' * 64}"


class Cluster:
    """DatasetRuns of a namespace, and a release with its store."""

    def __init__(self, folder: Path) -> None:
        self.namespace = "lab"
        self.bodies: dict[str, dict[str, Any]] = {}
        self.patched: list[tuple[str, dict[str, Any]]] = []
        self.folder = FolderStore(folder)
        self.then: list[Callable[[], None]] = []

    def add(self, key: str, spec: dict[str, Any] | None = None, **status: Any) -> str:
        source = Source("incoming", key, "v1", "e", 1)
        number = len(self.bodies)
        about = {"name": source.name, "creationTimestamp": f"2026-03-01T00:00:{number:02}Z", "labels": {}}
        self.bodies[source.name] = {
            "metadata": about,
            "spec": {"source": source.spec(), "trigger": "upload"} | (spec or {}),
            "status": status,
        }
        return source.name

    def list(self, selector: str = "") -> Iterator[Resource]:
        found = [body for body in self.bodies.values() if not selector or selector in body["metadata"]["labels"]]
        return iter([Resource.of(body) for body in found])

    def get(self, name: str) -> Resource | None:
        if self.then:
            self.then.pop(0)()
        return Resource.of(self.bodies[name]) if name in self.bodies else None

    def create(self, name: str, spec: dict[str, Any]) -> bool:
        self.bodies[name] = {"metadata": {"name": name}, "spec": spec, "status": {}}
        return True

    def patch_spec(self, name: str, spec: dict[str, Any]) -> bool:
        self.patched.append((name, spec))
        return True

    @contextmanager
    def store(self, account: str = "") -> Iterator[FolderStore]:
        yield self.folder


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """What the commands talk to."""
    made = Cluster(tmp_path / "store")
    monkeypatch.setattr(events, "_runs", lambda _: made)
    release = SimpleNamespace(namespace="lab", store=made.store, incoming="incoming")
    monkeypatch.setattr(remote, "find_release", lambda _: release)
    monkeypatch.setattr(identity, "who_am_i", lambda: "ada@example.org")
    monkeypatch.setattr(events.time, "sleep", lambda _: None)
    return made


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs a command; exit code, stdout, stderr."""

    def calls(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["kubepipe", *words])
        try:
            cli.main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return calls


def _refused(said: tuple[int, str, str], words: str) -> None:
    code, _, error = said
    assert code == 2
    assert words in error
    assert error.count("\n") == 1


def test_status_lists_the_newest_first(cluster: Cluster, call: Call) -> None:
    """Phase, step, verdict, scores before and after, watt hours."""
    cluster.add("a", phase="Failed", step="prepare-data", message="the source: is no data set")
    scores = {"exactMatch": {"before": 1.0, "after": 50.0}, "f1": {"before": 2.0, "after": 60.0}}
    cluster.add("b", phase="Succeeded", verdict="published", energyKwh="0.003000", **scores)
    cluster.add("c")
    code, out, _ = call("status")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[1] for line in lines] == ["phase", "Pending", "Succeeded", "Failed"]
    assert "1.0 > 50.0" in lines[2]
    assert "3.00" in lines[2]
    assert "is no data set" in lines[3]


def test_status_of_one_tells_all_of_it(cluster: Cluster, call: Call) -> None:
    """Found by its first letters; conditions as sentences."""
    condition = {"type": "Finished", "status": "True", "reason": "Input", "message": "m", "lastTransitionTime": "t"}
    name = cluster.add("wards/a.jsonl", phase="Failed", runId="r", conditions=[condition])
    cluster.add("b")
    code, out, _ = call("status", name[:12])
    assert code == 0
    assert "s3://incoming/wards/a.jsonl" in out
    assert "condition Finished" in out
    assert "True, Input: m (t)" in out


@pytest.mark.parametrize("command", ["status", "rerun", "approve", "reject"])
def test_an_unknown_or_unclear_name_is_refused(cluster: Cluster, call: Call, command: str) -> None:
    """One line, exit code 2."""
    cluster.add("a", phase="Failed")
    cluster.add("b", phase="Failed")
    _refused(call(command, "ds-"), "2 DatasetRuns begin with it")
    _refused(call(command, "nothing"), "nothing: no DatasetRun")


def test_rerun_asks_for_one_more_than_was_taken_up(cluster: Cluster, call: Call) -> None:
    """Also when the spec lags behind the status of a DatasetRun that was made anew."""
    first, second = cluster.add("a", {"rerun": 1}, phase="Failed"), cluster.add("b", phase="Failed", reruns=4)
    assert call("rerun", first)[0] == 0
    assert call("rerun", second)[0] == 0
    assert cluster.patched == [(first, {"rerun": 2}), (second, {"rerun": 5})]


@pytest.mark.parametrize("status", [{}, {"phase": "Pending"}, {"phase": "Submitted"}, {"phase": "Running"}])
def test_what_has_not_ended_is_not_run_again(cluster: Cluster, call: Call, status: dict[str, str]) -> None:
    """It says so instead of asking for a second run behind the first."""
    name = cluster.add("a", **status)
    _refused(call("rerun", name), "has not ended")
    assert cluster.patched == []


def test_rerun_of_a_deleted_one_makes_it_anew(cluster: Cluster, call: Call) -> None:
    """From its claim, by its whole name."""
    source = Source("incoming", "a", "v1", "e", 1)
    create_claim(
        cluster.folder,
        Claim(source.name, "incoming", "a", "v1", "e", 1, state="deleted", reruns=2, settings={"seed": 1}),
    )
    assert call("rerun", source.name)[0] == 0
    spec = cluster.bodies[source.name]["spec"]
    assert spec == {"source": source.spec(), "settings": {"seed": 1}, "rerun": 3, "trigger": "manual"}


@pytest.mark.parametrize(("command", "verdict"), [("approve", "approved"), ("reject", "rejected")])
def test_a_decision_names_person_and_data(cluster: Cluster, call: Call, command: str, verdict: str) -> None:
    """The digest that waits, and who Kubernetes says the caller is."""
    name = cluster.add("a", phase="Quarantined", verdict="needs_human", datasetDigest=DIGEST)
    code, out, _ = call(command, name, "--reason", "seen")
    assert (code, out) == (0, f"{name}: {verdict} by ada@example.org\n")
    decision = {"verdict": verdict, "by": "ada@example.org", "datasetDigest": DIGEST, "reason": "seen"}
    assert cluster.patched == [(name, {"decision": decision})]


@pytest.mark.parametrize(
    ("spec", "status", "words"),
    [
        ({}, {"phase": "Running"}, "does not wait for a decision"),
        ({}, {"phase": "Quarantined", "verdict": "quarantined", "datasetDigest": DIGEST}, "does not wait"),
        ({}, {"phase": "Quarantined", "verdict": "needs_human"}, "does not wait"),
        (
            {"decision": {"by": "eve"}},
            {"verdict": "needs_human", "datasetDigest": DIGEST},
            "is decided already. By eve",
        ),
    ],
)
def test_only_what_waits_can_be_decided(
    cluster: Cluster, call: Call, spec: dict[str, Any], status: dict[str, str], words: str
) -> None:
    """And only once."""
    _refused(call("approve", cluster.add("a", spec, **status)), words)
    assert cluster.patched == []


def test_schedules_are_listed_with_their_last_run(
    cluster: Cluster, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several runs of a schedule the newest counts."""
    for key, phase in (("a", "Succeeded"), ("b", "Failed")):
        cluster.bodies[cluster.add(key, phase=phase)]["metadata"]["labels"] = {"kubepipe.io/schedule": "nightly"}
    states = [
        schedules.ScheduleState("nightly", "0 2 * * *", "Europe/Berlin", "LAST", "NEXT"),
        schedules.ScheduleState("weekly", "0 2 * * 1", "Etc/UTC", None, None),
    ]
    monkeypatch.setattr(schedules, "list_schedules", lambda _: states)
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = call("schedules")
    assert code == 0
    nightly, weekly = out.splitlines()[1:]
    assert nightly.split()[-4:-2] == ["LAST", "NEXT"]
    assert nightly.endswith("Failed")
    assert weekly.split()[-3:] == ["-", "-", "-"]


@pytest.mark.parametrize(("phase", "code"), [("Succeeded", 0), ("Skipped", 0), ("Quarantined", 3), ("Failed", 1)])
def test_upload_watches_to_the_end(
    cluster: Cluster, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str, code: int
) -> None:
    """Each change is one line; the run's end is the exit code."""
    file = tmp_path / "a.jsonl"
    file.write_text("x")
    source = Source("incoming", "a", "v1", "e", 1)
    monkeypatch.setattr(incoming, "put", lambda *_: source)
    running = {"phase": "Running", "step": "prepare-data"}
    steps: list[dict[str, Any]] = [running, running, {"phase": phase, "runId": "r", "verdict": "v"}]
    cluster.then = [lambda: None, *(lambda status=status: cluster.add("a", **status) for status in steps)]  # type: ignore[misc]
    found, out, _ = call("upload", str(file), "--watch")
    assert found == code
    last = "verdict v; `kubepipe fetch r` brings the report"
    assert out.splitlines() == ["s3://incoming/a", source.name, "Running prepare-data", phase, last]


def test_what_is_not_there_is_not_uploaded(cluster: Cluster, call: Call) -> None:
    """One line, exit code 2."""
    assert cluster.bodies == {}
    _refused(call("upload", "/nowhere/a.jsonl"), "no such file")


class Bucket:
    """A client that remembers what was put, in order."""

    def __init__(self) -> None:
        self.put: list[str] = []
        self.error: S3Error | None = None

    def fput_object(self, _bucket: str, key: str, _file: str) -> Any:
        return self._made(key)

    def put_object(self, _bucket: str, key: str, _data: Any, length: int) -> Any:
        assert length == 0
        return self._made(key)

    def _made(self, key: str) -> Any:
        if self.error:
            raise self.error
        self.put.append(key)
        return SimpleNamespace(version_id="v", etag='"e"')


@pytest.fixture
def bucket(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """The bucket for incoming data."""
    made = Bucket()
    assert cluster.namespace == "lab"
    monkeypatch.setattr(incoming, "s3_client", lambda: made)
    monkeypatch.setenv("KUBEPIPE_S3_ENDPOINT", "store:9000")
    return made


def test_a_file_is_the_version_that_starts_the_run(bucket: Bucket, tmp_path: Path) -> None:
    """Its DatasetRun's name is known at once."""
    file = tmp_path / "a b.jsonl"
    file.write_text("12345")
    release: Any = remote.find_release(None)
    assert incoming.put(release, file, "k/ü.jsonl", "_SUCCESS") == Source("incoming", "k/ü.jsonl", "v", "e", 5)
    assert bucket.put == ["k/ü.jsonl"]


def test_of_a_folder_the_marker_comes_last(bucket: Bucket, tmp_path: Path) -> None:
    """It says that all is there, and it is what starts the run."""
    for name in ("b.jsonl", "deep/a.jsonl"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_text("x")
    release: Any = remote.find_release(None)
    made = incoming.put(release, tmp_path / "set", "k", "DONE")
    assert bucket.put == ["k/b.jsonl", "k/deep/a.jsonl", "k/DONE"]
    assert (made.key, made.size) == ("k/DONE", 0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the folder is empty"):
        incoming.put(release, tmp_path / "empty", "k", "DONE")


def test_what_the_store_refuses_is_said_in_a_line(bucket: Bucket, tmp_path: Path) -> None:
    """Its code and the bucket, not the key."""
    bucket.error = S3Error(None, "AccessDenied", "about jane.jsonl", "jane.jsonl", "", "")  # type: ignore[arg-type]
    file = tmp_path / "a"
    file.write_text("x")
    release: Any = remote.find_release(None)
    with pytest.raises(KubePipeError, match="answers AccessDenied") as caught:
        incoming.put(release, file, "jane.jsonl", "_SUCCESS")
    assert "jane" not in caught.value.one_line()


def test_who_i_am_is_what_kubernetes_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a SelfSubjectReview; an API that has none is named as the reason."""
    review = SimpleNamespace(status=SimpleNamespace(user_info=SimpleNamespace(username="ada")))
    monkeypatch.setattr(client.AuthenticationV1Api, "create_self_subject_review", lambda *_: review)
    assert identity.who_am_i() == "ada"

    def refused(*_: Any) -> Any:
        raise client.ApiException(status=404, reason="Not Found")

    monkeypatch.setattr(client.AuthenticationV1Api, "create_self_subject_review", refused)
    with pytest.raises(KubePipeError, match="404 Not Found"):
        identity.who_am_i()
