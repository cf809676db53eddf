"""Follows which release is wanted: fetches, verifies, loads, then lets it answer. Until then the old one does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from kubepipe.errors import IntegrityError, KubePipeError
from kubepipe.releases import Verified
from kubepipe.serving.engine import Answerer, Engine
from kubepipe.serving.source import Source

_LOG = structlog.get_logger(__name__)
_LONGEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A release that is wanted and not served.

    Attributes:
        release: Its digest, or "" when it is not even known which.
        reason: One line.
        hop: The first hop that does not hold, where that is why.
    """

    release: str
    reason: str
    hop: str | None


@dataclass(frozen=True, slots=True)
class _PutOff:
    """When a refused release is tried again: fetching and hashing it costs, so each time later, up to a minute.

    Attributes:
        refusal: Why it was refused.
        seconds: Time between the last try and the next.
        until: When that is, by the monotonic clock.
    """

    refusal: Refusal
    seconds: float
    until: float

    def holds(self, wanted: str) -> bool:
        """Whether it is too early."""
        return wanted == self.refusal.release and time.monotonic() < self.until

    def next(self, refusal: Refusal, least: float) -> _PutOff:
        """After another refusal."""
        is_again = refusal.release == self.refusal.release
        longer = min(2 * self.seconds, max(_LONGEST_SECONDS, least)) if is_again else least
        return _PutOff(refusal, longer, time.monotonic() + longer)


class Watcher:
    """Looks which release is wanted, again and again.

    Args:
        source: Where releases come from.
        engine: What answers.
        load: Brings a verified release into memory.
        seconds: Between two looks.
        tell: Told of each swap (True) and each new refusal (False).
    """

    def __init__(
        self,
        source: Source,
        engine: Engine,
        load: Callable[[Verified], Answerer],
        seconds: float,
        tell: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._source, self._engine, self._load, self._seconds, self._tell = source, engine, load, seconds, tell
        self._serves: str | None = None
        self._put_off = _PutOff(Refusal("", "", None), 0.0, 0.0)
        self._refusal: Refusal | None = Refusal("", "the release is being verified and loaded", None)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    @property
    def refusal(self) -> Refusal | None:
        """Why the wanted release is not served; None when it is."""
        return self._refusal

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End; a load that is under way is left to itself."""
        self._stop.set()

    def look(self) -> None:
        """Look once, and take over what is wanted."""
        wanted = ""
        try:
            wanted = self._source.wanted()
            if wanted == self._serves:
                self._refusal = None
                return
            if self._put_off.holds(wanted):
                self._refusal = self._put_off.refusal
                return
            started = time.monotonic()
            loaded = self._load(self._source.fetch(wanted))
            self._engine.swap(loaded)
        except KubePipeError as error:
            hop = getattr(error, "hop", None)
            self._refuse(Refusal(wanted, error.one_line(), hop))
        except Exception as error:  # noqa: BLE001 - a store that fails must not end the server
            self._refuse(Refusal(wanted, f"unexpected {type(error).__name__}", None))
        else:
            before, self._serves, self._refusal = self._serves, wanted, None
            self._tell(True)
            _LOG.info("release serves", release=loaded.digest[7:19], seconds=round(time.monotonic() - started, 2))
            with suppress(OSError):  # a cache that cannot be tidied holds more, and that is all
                self._source.tidy(wanted, *([before] if before else []))

    def require(self) -> None:
        """Raise why nothing is served, for a server that is to end rather than to wait.

        Raises:
            IntegrityError: Nothing is served.
        """
        if self._serves is None and self._refusal is not None:
            raise IntegrityError(self._refusal.reason)

    def _refuse(self, refusal: Refusal) -> None:
        if refusal != self._refusal:
            self._tell(False)
            _LOG.error("release refused", release=refusal.release[7:19], reason=refusal.reason)
        self._refusal = refusal
        if refusal.release:
            self._put_off = self._put_off.next(refusal, self._seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(self._seconds)
