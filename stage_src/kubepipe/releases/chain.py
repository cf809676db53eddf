"""The chain from the source to the weights: which step feeds which, and whether the links hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kubepipe.records.step import Artifact, StepRecord

CHAIN: Final = (
    "prepare-data",
    "assess-privacy-risk",
    "anonymize-data",
    "minimize-data",
    "verify-privacy",
    "fine-tune-model",
    "benchmark-model",
)
"""The steps that a release hangs on, in order; publish-model itself comes after them."""

# Where an input comes from, for steps whose input bears another name than the output that it is.
_RENAMED: Final = {"benchmark_metrics": ("benchmark-model", "metrics")}


@dataclass(frozen=True, slots=True)
class Link:
    """What one step read and wrote, by name.

    Attributes:
        step: Name of the step.
        run: Run that the record belongs to.
        settings_digest: Digest of the settings that the step depends on.
        source: Digest of the source, of the first step; else None.
        inputs: Artifacts read.
        outputs: Artifacts written.
    """

    step: str
    run: str
    settings_digest: str
    source: str | None
    inputs: Mapping[str, tuple[str, str]]
    outputs: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, record: StepRecord) -> Link:
        """The link of a step's record."""
        return cls(
            record.step,
            record.run,
            record.settings_digest,
            record.results.get("source_digest") if record.step == CHAIN[0] else None,
            {name: _pair(artifact) for name, artifact in record.inputs.items()},
            {name: _pair(artifact) for name, artifact in record.outputs.items()},
        )


def _pair(artifact: Artifact) -> tuple[str, str]:
    return artifact.digest, artifact.bytes_digest


def breaks(links: Mapping[str, Link], run: str) -> Iterator[tuple[str, str]]:
    """Hops that do not hold, in order, each with the reason.

    Args:
        links: By step.
        run: The run that all of them must belong to.
    """
    produced: dict[tuple[str, str], tuple[str, str]] = {}
    for step in CHAIN:
        link = links.get(step)
        if link is None:
            yield step, "its statement is missing"
            continue
        if link.run != run:
            yield step, "it belongs to another run"
        if step == CHAIN[0] and not link.source:
            yield step, "it names no source"
        for name, pair in link.inputs.items():
            if producer_of(name, produced) != pair:
                yield step, f"its input {name} is not what an earlier step wrote"
        produced |= {(step, name): pair for name, pair in link.outputs.items()}


def producer_of(name: str, produced: Mapping[tuple[str, str], tuple[str, str]]) -> tuple[str, str] | None:
    """Digests of the output that an input of this name is, or None when no step wrote it."""
    if name in _RENAMED:
        return produced.get(_RENAMED[name])
    return next((pair for (_, output), pair in produced.items() if output == name), None)
