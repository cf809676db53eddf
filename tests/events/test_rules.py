from __future__ import annotations

import pytest

from kubepipe_events.config import Rule
from kubepipe_events.rules import judge

RULES = (
    Rule(prefix="raw/", suffixes=(".jsonl", ".csv.gz"), min_bytes=10, max_bytes=100),
    Rule(prefix="folders/", marker="_SUCCESS"),
    Rule(prefix="folders/never/", max_bytes=1),
    Rule(prefix="free/", ignore=()),
)


@pytest.mark.parametrize(
    ("key", "size", "action"),
    [
        ("raw/a.jsonl", 10, "run"),
        ("raw/a.jsonl", 100, "run"),
        ("raw/a.jsonl", 9, "skip"),
        ("raw/a.jsonl", 0, "skip"),
        ("raw/a.jsonl", 101, "skip"),
        ("raw/deep/er/ü +%.csv.gz", 50, "run"),
        ("raw/a.csv", 50, "ignore"),
        ("raw/a.jsonl.part", 50, "ignore"),
        ("raw/.a.jsonl", 50, "ignore"),
        ("raw/_a.jsonl", 50, "ignore"),
        ("raw/~a.jsonl", 50, "ignore"),
        ("raw/_parts/a.jsonl", 50, "run"),
        ("raw/kubepipe.yaml", 50, "ignore"),
        ("raw/folder/", 0, "ignore"),
        ("elsewhere/a.jsonl", 50, "ignore"),
        ("folders/a/part-1.jsonl", 50, "ignore"),
        ("folders/a/_SUCCESS", 0, "run"),
        ("folders/_SUCCESS", 0, "run"),
        ("folders/a/my_SUCCESS", 0, "ignore"),
        ("folders/never/a.jsonl", 50, "ignore"),
        ("free/.hidden", 50, "run"),
        ("free/a.tmp", 0, "skip"),
    ],
)
def test_the_first_rule_whose_prefix_fits_decides(key: str, size: int, action: str) -> None:
    """Prefix, then marker, ignored names, suffixes, and last the sizes, which are told instead of ignored."""
    assert judge(RULES, key, size).action == action


@pytest.mark.parametrize(("size", "limit"), [(9, "10 (events.rules minBytes)"), (101, "100 (events.rules maxBytes)")])
def test_a_skip_names_its_limit(size: int, limit: str) -> None:
    """The limit, where it is set, and the size."""
    reason = judge(RULES, "raw/a.jsonl", size).reason
    assert limit in reason
    assert reason.startswith(f"{size} bytes")


def test_without_rules_nothing_is_a_data_set() -> None:
    """No rule fits, no run."""
    assert judge((), "a.jsonl", 10).action == "ignore"
    assert judge((Rule(),), "a.jsonl", 10).action == "run"
