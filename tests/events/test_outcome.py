"""What a run has come to, read from the record that publish-model itself leaves."""

from __future__ import annotations

from typing import Any

import pytest

from kubepipe_events.outcome import read_outcome


@pytest.mark.parametrize(("wanted", "verdict"), [(0, "published"), (99, "not_published")])
def test_the_graph_ends_with_or_without_a_release(ledger: Any, wanted: int, verdict: str) -> None:
    """Both are an end, and no failure; a model below the thresholds is not published."""
    ledger.publish("one", {"publish": {"min_f1": wanted}})
    outcome = read_outcome(ledger.store, "one")
    assert outcome.verdict == verdict
    assert outcome.is_done
    assert (outcome.cause, outcome.message) == ("", "")
