"""The steps of the graph in their order, and what each result depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

GATE: Final = "verify-privacy"

Reuse = Literal["any run", "own run", "never"]


@dataclass(frozen=True, slots=True)
class StageSpec:
    """A step of the graph.

    Attributes:
        name: Name in the graph, in records and in logs.
        module: Module with `run(context)`; where the parameters do not say it all, `fingerprint(context)`; where it
            may refuse its inputs, `admit(context)`.
        sections: Sections of the settings that its outputs depend on.
        reuse: Where an earlier equal step may lie whose outputs are taken instead of working again.
    """

    name: str
    module: str
    sections: tuple[str, ...]
    reuse: Reuse


_SPECS: Final = (
    StageSpec("prepare-data", "prepare_data", ("dataset",), "own run"),
    StageSpec("assess-privacy-risk", "assess_privacy_risk", ("privacy",), "own run"),
    StageSpec("anonymize-data", "anonymize_data", ("privacy",), "own run"),
    StageSpec("minimize-data", "minimize_data", ("privacy",), "own run"),
    StageSpec(GATE, "verify_privacy", ("privacy",), "own run"),
    StageSpec("fine-tune-model", "fine_tune_model", ("training", "privacy", "online"), "any run"),
    StageSpec("benchmark-model", "benchmark_model", ("scoring", "training"), "any run"),
    # The report tells the time and energy of this very run, and a release is made by this very run.
    StageSpec("evaluate-and-plot-metrics", "evaluate_and_plot_metrics", ("energy",), "never"),
    StageSpec("model-inference", "model_inference", ("scoring", "training"), "any run"),
    StageSpec("publish-model", "publish_model", ("publish",), "never"),
)

STAGES: Final = {spec.name: spec for spec in _SPECS}
"""All steps by name, in the order of the graph."""

BEFORE_GATE: Final = tuple(STAGES)[: tuple(STAGES).index(GATE) + 1]
"""Steps up to the gate: they alone are given the privacy keys."""
