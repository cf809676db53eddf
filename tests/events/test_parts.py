from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kubepipe.errors import IntegrityError, SettingsError
from kubepipe.records.step import Failure
from kubepipe_events import __main__ as program
from kubepipe_events.config import EventsConfig, read_config
from kubepipe_events.metrics import Metrics, serve
from kubepipe_events.outages import Outages
from kubepipe_events.outcome import read_outcome
from kubepipe_events.retention import remove_old
from kubepipe_events.status import cleared, difference, is_true, merged, parse_time, timestamp, with_condition

from .world import START, MemoryWorld


def test_an_outcome_is_read_from_the_records() -> None:
    """Step and energy while it goes on, verdict and scores at the end, cause and line when it failed."""
    outside = MemoryWorld()
    run = outside.kfp.create_run("a", "p", {"source": "claim:x/1"})
    assert read_outcome(outside.store, run).verdict == "unfinished"
    assert dict(read_outcome(outside.store, run).fields) == {}
    outside.record(run, "prepare-data")
    going = read_outcome(outside.store, run)
    assert (going.step, going.finished, going.energy_kwh, going.is_done) == ("assess-privacy-risk", 1, 0.001, False)
    outside.record(run, "assess-privacy-risk", error=Failure("OutOfMemoryError", "ran out of memory", 1))
    failed = read_outcome(outside.store, run)
    assert (failed.step, failed.cause, failed.message) == ("assess-privacy-risk", "memory", "ran out of memory")
    assert not failed.is_kept


@pytest.mark.parametrize("data", [b'{"a": 1}', b'{"a": ', b"", b"[]", b"\xff"])
def test_a_record_that_is_not_intact_is_no_outcome(data: bytes) -> None:
    """Of another form or cut short it is an error with its place, not a failed run."""
    outside = MemoryWorld()
    outside.store.objects["runs/r/prepare-data.json"] = data
    with pytest.raises(IntegrityError, match=r"runs/r/prepare-data\.json"):
        read_outcome(outside.store, "r")


def test_a_condition_keeps_the_time_of_its_last_change() -> None:
    """Another reason does not move it, another status does; the other conditions stay."""
    first = with_condition((), "A", False, "One", "", START)
    second = with_condition(first, "A", False, "Two", "", START + timedelta(hours=1))
    third = with_condition(second, "A", True, "Three", "", START + timedelta(hours=2))
    assert [each[0]["lastTransitionTime"] for each in (first, second, third)] == [
        "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01T14:00:00Z",
    ]  # fmt: skip
    both = with_condition(third, "B", False, "Four", "", START)
    assert [each["type"] for each in both] == ["A", "B"]
    assert (is_true(both, "A"), is_true(both, "B"), is_true(both, "C")) == (True, False, False)


def test_a_status_is_changed_field_by_field() -> None:
    """None takes a field away; what is sent is what differs, with null for what went."""
    old = {"phase": "Running", "step": "a", "message": "m"}
    new = merged(old, {"phase": "Failed", "step": None})
    assert new == {"phase": "Failed", "message": "m"}
    assert difference(old, new) == {"phase": "Failed", "step": None}
    assert difference(new, new) == {}
    assert merged({"verdict": "failed", "f1": {}, "attempts": 2}, cleared()) == {"attempts": 2}


def test_a_message_fits_the_definition() -> None:
    """The API would refuse a longer one, for ever."""
    message = merged({}, {"message": "x" * 70_000})["message"]
    assert len(message) == 1000
    assert message.endswith("…")


def test_times_are_written_as_kubernetes_writes_them() -> None:
    """UTC, seconds, Z; and read back."""
    assert timestamp(START) == "2026-03-01T12:00:00Z"
    assert parse_time(timestamp(START)) == START


def test_pauses_double_up_to_half_a_minute() -> None:
    """An answer makes the next one short again; parts are counted apart."""
    outages = Outages()
    assert [outages.note("store") for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert outages.note("pipelines") == 1
    assert set(outages.away()) == {"store", "pipelines"}
    outages.answered("store")
    assert (outages.away(), outages.failed_last("store"), outages.note("store")) == (["pipelines"], False, 1)


def test_old_ones_are_removed_but_for_those_that_wait() -> None:
    """For a decision as long as what is kept is kept, for another run, or for their end."""
    outside = MemoryWorld()
    ended = {"phase": "Succeeded", "finishedAt": timestamp(START - timedelta(days=31))}
    long_ago = {"finishedAt": timestamp(START - timedelta(days=41))}
    cases: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "old": ({}, ended),
        "fresh": ({}, ended | {"finishedAt": timestamp(START - timedelta(days=29))}),
        "waits": ({}, ended | {"phase": "Quarantined", "verdict": "needs_human"}),
        "refused": ({}, ended | {"phase": "Quarantined", "verdict": "quarantined"}),
        "undecided": ({}, long_ago | {"phase": "Quarantined", "verdict": "quarantined"}),
        "rejected": ({}, ended | {"phase": "Quarantined", "verdict": "rejected"}),
        "asked": ({"rerun": 1}, ended),
        "going": ({}, {"phase": "Running"}),
        "new": ({}, {}),
    }
    for name, (spec, status) in cases.items():
        outside.runs.create(name, spec)
        outside.runs.write_status(name, status)
    config = EventsConfig(bucket="incoming", kfp_endpoint="http://kfp", pipeline="p", quarantine_seconds=40 * 86_400)
    assert remove_old(outside.world(), list(outside.runs.list()), config) == 3
    assert set(outside.runs.bodies) == set(cases) - {"old", "undecided", "rejected"}
    outside.runs.write_status("waits", cases["undecided"][1])
    forever = config.model_copy(update={"quarantine_seconds": 0})
    assert remove_old(outside.world(), list(outside.runs.list()), forever) == 0


def _page(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_pages_tell_health_and_metrics() -> None:
    """503 when a thread is dead; each phase has its line, also those without DatasetRuns."""
    metrics, state = Metrics(), {"healthy": True, "ready": False}
    port = serve(metrics, 0, lambda: state["healthy"], lambda: state["ready"])
    metrics.show(phases=["Failed", "Failed"], queue=3, oldest_seconds=1.5, pipelines_up=False)
    assert _page(port, "/healthz") == (200, "ok\n")
    assert _page(port, "/readyz")[0] == 503
    status, text = _page(port, "/metrics")
    assert status == 200
    for line in (
        'kubepipe_runs{phase="Failed"} 2.0',
        'kubepipe_runs{phase="Succeeded"} 0.0',
        "kubepipe_queue_length 3.0",
        "kubepipe_oldest_unprocessed_seconds 1.5",
        "kubepipe_pipelines_up 0.0",
    ):
        assert line in text
    metrics.show(phases=[], queue=0, oldest_seconds=0, pipelines_up=True)
    assert 'kubepipe_runs{phase="Failed"} 0.0' in _page(port, "/metrics")[1]


GOOD = {"bucket": "incoming", "kfpEndpoint": "http://kfp", "pipeline": "kubepipe"}


def test_the_configuration_is_what_the_chart_renders(tmp_path: Path) -> None:
    """In camel case, with defaults for what is left out."""
    file = tmp_path / "events.json"
    file.write_text(json.dumps(GOOD | {"rules": [{"prefix": "a/", "maxBytes": 7}], "keepSeconds": 9}))
    config = read_config(file)
    assert (config.bucket, config.rules[0].max_bytes, config.keep_seconds) == ("incoming", 7, 9)
    assert config.limits.concurrent_runs == 1


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"rules": [{"maxBytes": 0}]}, "rules.0.maxBytes"),
        ({"rules": [{"identical": "maybe"}]}, "rules.0.identical"),
        ({"limits": {"concurrentRuns": 0}}, "limits.concurrentRuns"),
        ({"retry": {"backoffFactor": 0.5}}, "retry.backoffFactor"),
        ({"notifications": {"on": ["all"]}}, "notifications.on.0"),
        ({"schedules": [{"name": "x" * 53, "cron": "* * * * *", "dataset": "a"}]}, "schedules.0.name"),
        ({"unheard": 1}, "unheard"),
        ({"bucket": None}, "bucket"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, change: dict[str, Any], place: str) -> None:
    """By its path in the document, in one line."""
    file = tmp_path / "events.json"
    file.write_text(json.dumps(GOOD | change))
    with pytest.raises(SettingsError, match=rf"events\.json: {place}: ") as caught:
        read_config(file)
    assert "\n" not in caught.value.one_line()


@pytest.mark.parametrize("content", [None, "", "{", "[]", b"\xff"])
def test_the_program_ends_with_one_line(
    tmp_path: Path, content: str | bytes | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, no traceback, whatever the file holds."""
    file = tmp_path / "events.json"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    for words in (["run"], ["tick", "--schedule", "nightly"]):
        monkeypatch.setattr("sys.argv", ["kubepipe-events", *words, "--config", str(file)])
        with pytest.raises(SystemExit) as ended:
            program.main()
        said = capsys.readouterr().err
        assert ended.value.code == 2
        assert said.startswith("kubepipe-events: ")
        assert said.count("\n") == 1


@pytest.mark.parametrize("words", [["nonsense"], ["tick"], ["run", "--what"]])
def test_wrong_words_end_with_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, as for a wrong file."""
    monkeypatch.setattr("sys.argv", ["kubepipe-events", *words])
    with pytest.raises(SystemExit) as ended:
        program.main()
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n")) == (2, 1)


def test_the_program_says_what_it_can() -> None:
    """`--help` names both commands."""
    said = CliRunner().invoke(program.app, ["--help"]).output
    assert "run" in said
    assert "tick" in said
