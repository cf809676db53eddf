"""Parts that are away (pipelines, kubernetes, store), and when each is asked again."""

from __future__ import annotations

import time
from typing import Final

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0


class Outages:
    """What is away; the pause before a part is asked again doubles with each failure in a row."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[float, float]] = {}

    def note(self, part: str) -> float:
        """A part did not answer; the pause until it is asked again."""
        before = self._parts.get(part)
        pause = min(2 * before[1], LONGEST_PAUSE_SECONDS) if before else FIRST_PAUSE_SECONDS
        self._parts[part] = (time.monotonic() + pause, pause)
        return pause

    def answered(self, *parts: str) -> None:
        """Parts that answered."""
        for part in parts:
            self._parts.pop(part, None)

    def is_away(self, part: str) -> bool:
        """Whether a part is not to be asked now."""
        return self._parts.get(part, (0.0, 0.0))[0] > time.monotonic()

    def away(self) -> list[str]:
        """Parts that are not to be asked now."""
        return [part for part in self._parts if self.is_away(part)]

    def failed_last(self, part: str) -> bool:
        """Whether a part did not answer when it was asked last."""
        return part in self._parts

    def over_at(self) -> float:
        """Monotonic time at which all parts can be asked again."""
        return max((until for until, _ in self._parts.values()), default=0.0)
