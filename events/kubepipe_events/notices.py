"""Telling people, by the apprise library: webhooks, e-mail and what else it knows.

    notices/<id>.json   a notice; written once, so that nothing is told twice
    outbox/<id>         a mark of one that was not told yet

Each sink is told again until it takes a notice; a crash between the telling and its record repeats it, with its id.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from kubepipe.errors import SettingsError
from kubepipe.storage import Store
from kubepipe_events.config import Notifications
from kubepipe_events.metrics import Metrics
from kubepipe_events.world import words_of

_LOG = structlog.get_logger(__name__)
_TITLE: Final = "KubePipe"
_FIRST_PAUSE: Final = timedelta(seconds=10)
_LONGEST_PAUSE: Final = timedelta(minutes=30)
_LARGEST_POWER: Final = 10
_GIVEN_UP_AFTER: Final = timedelta(days=3)

Send = Callable[[str, str], bool]
"""Called with title and text; whether the sink took them."""


def read_urls(file: Path | None) -> tuple[str, ...]:
    """Sinks, one URL of the apprise library a line; empty lines and comments are left out.

    Raises:
        SettingsError: The file is missing, or a line is no such URL; the line's number is named, not its secret.
    """
    import apprise

    if file is None:
        return ()
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SettingsError(
            f"cannot be read ({error.strerror})", place=str(file), remedy="Set events.notifications.existingSecret"
        ) from error
    urls = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if not apprise.Apprise().add(text):
            raise SettingsError(
                "is no URL of a sink", place=f"{file}:{number}", remedy="See the apprise library's list"
            )
        urls.append(text)
    return tuple(urls)


def sinks_of(urls: Sequence[str]) -> dict[str, Send]:
    """Each sink by a digest of its URL, told by the apprise library."""
    import apprise

    # Its own messages hold the URLs, and these hold passwords.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)

    def send(sink: Any, title: str, text: str) -> bool:
        return bool(sink.notify(title=title, body=text))

    sinks: dict[str, Send] = {}
    for url in urls:
        sink = apprise.Apprise()
        sink.add(url)
        sinks[hashlib.sha256(url.encode()).hexdigest()[:16]] = functools.partial(send, sink)
    return sinks


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Notices on their way.

    Attributes:
        store: Where they lie.
        config: What is told.
        sinks: Who is told, by an id; empty tells nobody.
        metrics: Counts.
        now: The clock.
    """

    store: Store
    config: Notifications
    sinks: Mapping[str, Send]
    metrics: Metrics
    now: Callable[[], datetime] = _now

    def post(self, name: str, kind: str, words: str) -> None:
        """Put a notice into the outbox, unless nobody wants its kind or it is there already."""
        if not self.sinks or kind not in self.config.on:
            return
        now = self.now().isoformat()
        notice = {"kind": kind, "words": words, "left": sorted(self.sinks), "tries": 0, "next": now, "made": now}
        # The mark first: a notice without a mark would never be told.
        self.store.write(f"outbox/{name}", b"")
        self.store.create(f"notices/{name}.json", json.dumps(notice).encode())

    def deliver(self) -> None:
        """Tell what is due."""
        for key in list(self.store.keys("outbox/")):
            name = key.removeprefix("outbox/")
            data = self.store.read(f"notices/{name}.json")
            if data is not None:
                self._deliver(name, json.loads(data))

    def _deliver(self, name: str, notice: dict[str, Any]) -> None:
        now = self.now()
        left = [sink for sink in notice["left"] if sink in self.sinks]
        if left and datetime.fromisoformat(notice["next"]) > now:
            return
        if left:
            left = [sink for sink in left if not self._told(sink, name, notice)]
            pause = min(_FIRST_PAUSE * 2 ** min(notice["tries"], _LARGEST_POWER), _LONGEST_PAUSE)
            notice |= {"left": left, "tries": notice["tries"] + 1, "next": (now + pause).isoformat()}
            self.store.write(f"notices/{name}.json", json.dumps(notice).encode())
        given_up = now - datetime.fromisoformat(notice["made"]) > _GIVEN_UP_AFTER
        if given_up and left:
            _LOG.error("notice given up", notice=name, tries=notice["tries"], sinks=len(left))
        if given_up or not left:
            self.store.delete(f"outbox/{name}")

    def _told(self, sink: str, name: str, notice: Mapping[str, Any]) -> bool:
        """Whether a sink took a notice; one that raises does not keep the others from theirs."""
        try:
            told = self.sinks[sink](f"{_TITLE}: {notice['kind']}", f"{notice['words']} [{name}]")
        except Exception as error:  # noqa: BLE001 - a sink is somebody else's code
            _LOG.warning("sink", notice=name, error=words_of(error))
            told = False
        self.metrics.notifications.labels(result="told" if told else "failed").inc()
        return told

    def run(self, stop: threading.Event, seconds: float = 5.0) -> None:
        """Tell until told to stop."""
        while not stop.wait(seconds):
            try:
                self.deliver()
            except Exception as error:  # noqa: BLE001 - the next round tries again
                _LOG.warning("outbox", error=words_of(error))
