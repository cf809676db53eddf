"""Why a run failed that left no record that says so: from its Workflow, while that is there."""

from __future__ import annotations

from typing import Final

_CAUSES: Final = (
    ("OOMKilled", "memory"),
    ("ImagePullBackOff", "image"),
    ("ErrImagePull", "image"),
    ("deadline", "time"),
    ("Evicted", "evicted"),
    ("evicted", "evicted"),
    ("deleted", "evicted"),
    ("Error (exit code", "infrastructure"),
)


def explain(namespace: str, run: str) -> tuple[str, str]:
    """Cause in one word, and the words of the Workflow."""
    from kubepipe.pipeline.remote.runs import reasons

    said = list(reasons(namespace, run))
    for text in said:
        for part, cause in _CAUSES:
            if part in text:
                return cause, text
    return "unknown", said[0] if said else "the run ended without a record or a reason"
