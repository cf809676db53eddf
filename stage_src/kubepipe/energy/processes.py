"""Time and memory of this process with everything it started."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kubepipe.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from psutil import Process

PERIOD_SECONDS: Final = 1.0
"""Time between two looks at the memory; each look costs about a millisecond."""

_CLEAR_PEAK: Final = "5"
"""What Linux wants written into clear_refs to forget the peak of the resident memory (man 5 proc)."""


def tree_cpu_seconds() -> float:
    """CPU time of this process, of the live processes below it, and of all that ended and were waited for.

    A child's time moves into its parent's when it is waited for, so differences of this sum neither lose nor double it.
    """
    seconds = 0.0
    for process in _tree():
        times = _times(process)
        seconds += sum(times) if times else 0.0
    return seconds


def tree_rss_bytes() -> int:
    """Resident memory of this process and the live ones below it; shared pages count once per process."""
    return sum(_rss(process) for process in _tree())


@dataclass(slots=True)
class MemoryUse:
    """Memory over time.

    Attributes:
        peak_bytes: Highest resident memory seen.
        byte_seconds: Resident memory integrated over time.
    """

    peak_bytes: int = 0
    byte_seconds: float = 0.0


class MemoryWatch:
    """Follows the memory of the process tree in a thread of its own, between start and stop.

    Args:
        on_look: Called at each look, for counters that need sampling.
    """

    def __init__(self, on_look: Callable[[], None] | None = None) -> None:
        self._use = MemoryUse()
        self._on_look = on_look
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._last = 0.0
        self._bytes = 0
        self._peak_forgotten = False

    def start(self) -> None:
        """Begin: forget the peak so far, and look."""
        self._use = MemoryUse()
        self._end.clear()
        self._peak_forgotten = _forget_peak()
        self._last = time.monotonic()
        self._bytes = tree_rss_bytes()
        self._use.peak_bytes = self._bytes
        self._thread = threading.Thread(target=self._watch, name="kubepipe-memory", daemon=True)
        self._thread.start()

    def stop(self) -> MemoryUse:
        """End, and tell what was used."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._look()
        if self._peak_forgotten:
            # A peak between two looks is known to the kernel, for this process alone.
            self._use.peak_bytes = max(self._use.peak_bytes, _own_peak())
        return self._use

    def _watch(self) -> None:
        while not self._end.wait(PERIOD_SECONDS):
            self._look()
            if self._on_look is not None:
                self._on_look()

    def _look(self) -> None:
        now, held = time.monotonic(), tree_rss_bytes()
        self._use.byte_seconds += (now - self._last) * (held + self._bytes) / 2
        self._use.peak_bytes = max(self._use.peak_bytes, held)
        self._last, self._bytes = now, held


def _tree() -> list[Process]:
    try:
        import psutil
    except ImportError as error:
        raise MissingExtraError(
            "the energy ledger needs psutil", remedy="Install it with: pip install 'kubepipe[energy]'"
        ) from error
    own = psutil.Process()
    try:
        return [own, *own.children(recursive=True)]
    except psutil.Error:
        return [own]


def _times(process: Process) -> tuple[float, float, float, float] | None:
    from psutil import Error

    try:
        times = process.cpu_times()
    except Error:
        return None
    return times.user, times.system, times.children_user, times.children_system


def _rss(process: Process) -> int:
    from psutil import Error

    try:
        return int(process.memory_info().rss)
    except Error:
        return 0


def _forget_peak() -> bool:
    """Let the kernel count the peak anew; False on other systems and in pods without the right."""
    try:
        Path("/proc/self/clear_refs").write_text(_CLEAR_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def _own_peak() -> int:
    """Highest resident memory of this process since the peak was forgotten, in bytes; 0 where that is not told."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) * 1024
