"""Which objects are data sets. The sensor's filters are rendered from the same rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from kubepipe_events.config import Rule


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule says of an object.

    Attributes:
        action: run it; skip it and say so; or ignore it, for it is no data set.
        reason: Why it is skipped, with the limit.
        rule: The rule that decided.
    """

    action: Literal["run", "skip", "ignore"]
    reason: str = ""
    rule: Rule | None = None


def judge(rules: Sequence[Rule], key: str, size: int) -> Judgement:
    """What the first rule whose prefix fits says of an object.

    Args:
        rules: Rules in order.
        key: Key of the object.
        size: Size in bytes.
    """
    rule = next((rule for rule in rules if key.startswith(rule.prefix)), None)
    if rule is None or key.endswith("/"):
        return Judgement("ignore")
    name = key.rpartition("/")[2]
    if rule.marker:
        # A folder is complete when its marker comes; the marker itself may be empty.
        return Judgement("run" if name == rule.marker else "ignore", rule=rule)
    is_ignored = any(fnmatchcase(name, pattern) for pattern in rule.ignore)
    if is_ignored or (rule.suffixes and not key.endswith(rule.suffixes)):
        return Judgement("ignore", rule=rule)
    if size < rule.min_bytes:
        return Judgement("skip", f"{size} bytes are below the limit of {rule.min_bytes} (events.rules minBytes)", rule)
    if size > rule.max_bytes:
        return Judgement("skip", f"{size} bytes are above the limit of {rule.max_bytes} (events.rules maxBytes)", rule)
    return Judgement("run", rule=rule)
