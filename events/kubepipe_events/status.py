"""The status of a DatasetRun: phases and conditions, and what of it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

ENDED: Final = frozenset({"Succeeded", "Failed", "Quarantined", "Skipped", "Capped"})
_LONGEST_MESSAGE: Final = 1000
_CLEARED: Final = ("step", "verdict", "message", "runId", "exactMatch", "f1", "energyKwh", "gco2e", "datasetDigest")
_CLEARED_TOO: Final = ("report", "startedAt", "finishedAt", "nextAttemptAt")


def timestamp(moment: datetime) -> str:
    """A moment as Kubernetes writes it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """A moment that Kubernetes or a claim wrote."""
    return datetime.fromisoformat(text)


def cleared() -> dict[str, Any]:
    """Fields of an earlier attempt, taken away."""
    return dict.fromkeys((*_CLEARED, *_CLEARED_TOO))


def with_condition(
    conditions: Sequence[Mapping[str, Any]],
    kind: str,
    holds: bool,
    reason: str,
    message: str,
    now: datetime,
) -> list[dict[str, Any]]:
    """Conditions with one of them set; the time of its last change stays when it does not change."""
    status = "True" if holds else "False"
    before = next((each for each in conditions if each["type"] == kind), None)
    since = before["lastTransitionTime"] if before and before["status"] == status else timestamp(now)
    new = {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}
    return [*(dict(each) for each in conditions if each["type"] != kind), new]


def is_true(conditions: Sequence[Mapping[str, Any]], kind: str) -> bool:
    """Whether a condition holds."""
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)


def merged(status: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A status with a change applied; None takes a field away. A message is cut where the definition ends it."""
    both = {name: value for name, value in {**status, **change}.items() if value is not None}
    return {name: _cut(value) if name == "message" else value for name, value in both.items()}


def _cut(text: str) -> str:
    """What a name of 60,000 letters in somebody's kubepipe.yaml would otherwise make of a message."""
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}\u2026"


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """What to send so that the API's status becomes the new one (JSON merge patch)."""
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    return changed | {name: None for name in old if name not in new}
