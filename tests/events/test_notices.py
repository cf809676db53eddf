from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import SettingsError
from kubepipe_events.config import Notifications
from kubepipe_events.metrics import Metrics
from kubepipe_events.notices import Outbox, read_urls, sinks_of

from .world import START, MemoryStore


class Desk:
    """An outbox, two sinks that take or refuse, and a clock."""

    def __init__(self) -> None:
        self.store = MemoryStore(self._before)
        self.time = START
        self.told: list[tuple[str, str]] = []
        self.broken: dict[str, Exception | None] = {}
        self.crash_at = ""
        self.metrics = Metrics()
        sinks = {name: lambda title, text, name=name: self._take(name, title, text) for name in ("mail", "chat")}
        self.outbox = Outbox(self.store, Notifications(on=("failure",)), sinks, self.metrics, self.now)

    def now(self) -> datetime:
        return self.time

    def _before(self, what: str) -> None:
        if self.crash_at and what.startswith(self.crash_at):
            raise RuntimeError("crash")

    def _take(self, name: str, title: str, text: str) -> bool:
        if name in self.broken:
            if (error := self.broken[name]) is not None:
                raise error
            return False
        self.told.append((name, f"{title}|{text}"))
        return True

    def names(self) -> list[str]:
        return [name for name, _ in self.told]

    def wait(self, seconds: float) -> None:
        """Time goes by, with a round each second up to a minute, then each minute."""
        until = self.time + timedelta(seconds=seconds)
        while self.time < until:
            self.time += timedelta(seconds=1 if seconds <= 60 else 60)
            self.outbox.deliver()

    def count(self, result: str) -> float:
        return self.metrics.registry.get_sample_value("kubepipe_notifications_total", {"result": result}) or 0.0


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_notice_is_told_once_to_every_sink(desk: Desk) -> None:
    """With its kind as title, its words, and its id; what is posted again is not told again."""
    desk.outbox.post("ds-1-1-failure", "failure", "DatasetRun ds-1: Failed")
    desk.wait(5)
    desk.outbox.post("ds-1-1-failure", "failure", "DatasetRun ds-1: Failed")
    desk.wait(60)
    text = "KubePipe: failure|DatasetRun ds-1: Failed [ds-1-1-failure]"
    assert sorted(desk.told) == [("chat", text), ("mail", text)]
    assert list(desk.store.keys("outbox/")) == []
    assert desk.count("told") == 2


def test_what_nobody_wants_is_not_kept(desk: Desk) -> None:
    """Neither a kind that is not asked for, nor anything without sinks."""
    desk.outbox.post("a", "success", "w")
    Outbox(desk.store, Notifications(on=("failure",)), {}, desk.metrics).post("b", "failure", "w")
    assert desk.store.objects == {}


@pytest.mark.parametrize("error", [None, OSError("no route")], ids=["refuses", "raises"])
def test_a_sink_that_does_not_take_it_is_told_again_and_the_other_is_not(desk: Desk, error: Exception | None) -> None:
    """With growing pauses until it takes it; one that raises keeps no other notice from its turn."""
    desk.broken["chat"] = error
    desk.outbox.post("a", "failure", "w")
    desk.outbox.post("b", "failure", "w")
    desk.wait(60)
    assert desk.names() == ["mail", "mail"]
    assert desk.count("failed") == 6
    del desk.broken["chat"]
    desk.wait(60)
    assert sorted(desk.names()) == ["chat", "chat", "mail", "mail"]
    assert list(desk.store.keys("outbox/")) == []


def test_a_crash_between_telling_and_recording_repeats_it_with_its_id(desk: Desk) -> None:
    """Twice is better than never; the id lets a sink see that it is the same."""
    desk.outbox.post("a", "failure", "w")
    desk.crash_at = "write notices/"
    with pytest.raises(RuntimeError):
        desk.outbox.deliver()
    desk.crash_at = ""
    desk.wait(1)
    assert desk.names() == ["chat", "mail", "chat", "mail"]
    assert all(text.endswith("[a]") for _, text in desk.told)


@pytest.mark.parametrize("at", ["write outbox/", "create notices/"])
def test_a_crash_while_posting_loses_nothing_when_it_is_posted_again(desk: Desk, at: str) -> None:
    """As the next visit of the DatasetRun does."""
    desk.crash_at = at
    with pytest.raises(RuntimeError):
        desk.outbox.post("a", "failure", "w")
    desk.crash_at = ""
    desk.outbox.deliver()
    desk.outbox.post("a", "failure", "w")
    desk.wait(1)
    assert sorted(desk.names()) == ["chat", "mail"]


def test_after_three_days_it_is_given_up(desk: Desk) -> None:
    """The mark goes, the notice stays with what is left."""
    desk.broken = {"chat": None}
    desk.outbox.post("a", "failure", "w")
    desk.wait(3 * 86_400 - 60)
    assert list(desk.store.keys("outbox/")) == ["outbox/a"]
    desk.wait(3600)
    assert list(desk.store.keys("outbox/")) == []
    notice: dict[str, Any] = json.loads(desk.store.objects["notices/a.json"])
    assert notice["left"] == ["chat"]
    assert 140 < notice["tries"] < 170


def test_a_sink_that_was_taken_away_is_waited_for_no_more(desk: Desk) -> None:
    """The others have it."""
    desk.broken = {"chat": None}
    desk.outbox.post("a", "failure", "w")
    desk.wait(1)
    sinks = {"mail": desk.outbox.sinks["mail"]}
    Outbox(desk.store, desk.outbox.config, sinks, desk.metrics, desk.now).deliver()
    assert list(desk.store.keys("outbox/")) == []


def test_the_outbox_goes_on_after_an_error(desk: Desk) -> None:
    """A store that is away ends a round, not the thread."""

    class Stop(threading.Event):
        """Three rounds; the first of them fails."""

        rounds = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.rounds += 1
            desk.crash_at = "read notices/" if self.rounds == 1 else ""
            desk.time += timedelta(seconds=timeout or 0)
            return self.rounds > 3

    desk.outbox.post("a", "failure", "w")
    desk.outbox.run(Stop())
    assert sorted(desk.names()) == ["chat", "mail"]


def test_urls_are_read_from_the_secret(tmp_path: Path) -> None:
    """One a line; comments and empty lines are left out; a wrong one is named by its line, without its secret."""
    file = tmp_path / "urls"
    file.write_text("# who is told\n\njson://localhost/hook\n  mailto://user:secret@example.org  \n")
    urls = read_urls(file)
    assert len(urls) == 2
    assert len(sinks_of(urls)) == 2
    assert not any("secret" in name for name in sinks_of(urls))
    assert read_urls(None) == ()
    file.write_text("json://localhost\nnonsense-secret\n")
    with pytest.raises(SettingsError, match=":2: is no URL") as caught:
        read_urls(file)
    assert "secret" not in caught.value.one_line()
    with pytest.raises(SettingsError, match="cannot be read"):
        read_urls(tmp_path / "missing")
