"""The records of a run as the page reads them: tolerant of what is missing, strict about what is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from kubepipe.reporting.numbers import number

Tone = Literal["good", "warn", "bad", "calm"]


@dataclass(frozen=True, slots=True)
class Example:
    """A held-out question of the protected data with its answers.

    Attributes:
        question: The question.
        gold: The expected answer; empty when the text holds none.
        untuned: What the model answered as it came.
        tuned: What it answered after fine-tuning.
    """

    question: str
    gold: str
    untuned: str
    tuned: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the graph, whether it ran or not.

    Attributes:
        name: Name in the graph.
        purpose: What it does, in a few words.
        phase: Part of the graph: what the data is at that point.
        record: Its record, empty when it did not run.
    """

    name: str
    purpose: str
    phase: str
    record: Mapping[str, Any]

    @property
    def status(self) -> str:
        """succeeded, reused, failed, or not_run."""
        return str(self.record.get("status", "not_run"))

    @property
    def results(self) -> Mapping[str, Any]:
        """What the step found."""
        return table(self.record.get("results"))

    @property
    def energy(self) -> Mapping[str, Any]:
        """Its energy record."""
        return table(self.record.get("energy"))

    @property
    def earlier(self) -> Sequence[Mapping[str, Any]]:
        """Energy records of its attempts that failed before."""
        return tuple(self.record.get("earlier") or ())

    def figure(self, name: str) -> float | None:
        """A number of the record itself, for example `seconds`."""
        return number(self.record.get(name))


_SEALED: Final = "Sealed data"
_PROTECTED: Final = "Protected data"
_MODEL: Final = "The model"

_GRAPH: Final = {
    "prepare-data": ("Reads the data set, splits it, seals it", _SEALED),
    "assess-privacy-risk": ("Measures what personal data is there", _SEALED),
    "anonymize-data": ("Replaces personal data by pseudonyms, measures, escalates", _SEALED),
    "minimize-data": ("Drops what training does not need", _SEALED),
    "verify-privacy": ("The gate: measures again and signs the permit, or keeps the data", _SEALED),
    "fine-tune-model": ("Trains the model, only with the permit", _PROTECTED),
    "benchmark-model": ("Scores the untuned and the tuned model on held-out questions", _MODEL),
    "evaluate-and-plot-metrics": ("Brings quality, privacy and sustainability together", _MODEL),
    "model-inference": ("Tries the model on sample questions", _MODEL),
    "publish-model": ("Releases the model if it is good enough", _MODEL),
}


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its records.

    Attributes:
        run: The run document (schema run), or what there is of it.
        steps: All steps in the order of the graph.
        examples: Held-out questions with answers.
    """

    run: Mapping[str, Any]
    steps: tuple[Step, ...]
    examples: tuple[Example, ...]

    @property
    def name(self) -> str:
        """Id of the run."""
        return str(self.run.get("run", "run"))

    @property
    def verdict(self) -> str:
        """published, not_published, quarantined, needs_human, failed, or unfinished."""
        return str(self.run.get("verdict", "unfinished")).replace("-", "_").replace(" ", "_")

    def step(self, name: str) -> Step:
        """A step by name; an empty one where the run has none of that name."""
        return next((step for step in self.steps if step.name == name), Step(name, "", "", {}))

    def results(self, name: str) -> Mapping[str, Any]:
        """Results of a step; empty where there are none."""
        return self.step(name).results

    def ran(self) -> Iterator[Step]:
        """The steps that left a record."""
        return (step for step in self.steps if step.record)


def view(records: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any], examples: Sequence[Example] = ()) -> RunView:
    """A run as the page reads it.

    Args:
        records: Step records (schema step-record) by step.
        run: The run document (schema run).
        examples: Held-out questions with answers.
    """
    names = [*_GRAPH, *(name for name in (*table(run.get("steps")), *records) if name not in _GRAPH)]
    steps = tuple(
        Step(name, *_GRAPH.get(name, ("", _MODEL)), record=records.get(name, {})) for name in dict.fromkeys(names)
    )
    return RunView(run, steps, tuple(examples))


def table(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}
