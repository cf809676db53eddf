"""The comparison of the fine-tuned model with the model as it came, on the same questions."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kubepipe.passages.model import Passage
from kubepipe.records import digest_json
from kubepipe.scoring.bootstrap import LEVEL, Intervals, difference, intervals
from kubepipe.scoring.breakdown import Group, breakdowns
from kubepipe.scoring.squad import Scores, score
from kubepipe.settings import ScoringSettings

_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Scores of both models with their intervals; `document()` fits the schema benchmark-metrics.

    Attributes:
        untuned: Scores of the model as it came.
        tuned: Scores of the fine-tuned model.
        untuned_intervals: Their 95 % intervals; None without resamples.
        tuned_intervals: The same of the tuned model.
        difference_intervals: Of the paired difference tuned - untuned.
        breakdowns: Tables by name.
        resamples: Behind the intervals.
    """

    untuned: Scores
    tuned: Scores
    untuned_intervals: Intervals | None
    tuned_intervals: Intervals | None
    difference_intervals: Intervals | None
    breakdowns: Mapping[str, Sequence[Group]]
    resamples: int

    def document(self) -> dict[str, Any]:
        """As it stands in benchmark metrics."""
        return {
            "schema_version": 1,
            "definition": self.untuned.definition,
            "total": self.untuned.total,
            "untuned": {**_side(self.untuned), **_ends(self.untuned_intervals)},
            "tuned": {**_side(self.tuned), **_ends(self.tuned_intervals)},
            "difference": {
                "exact_match": self.tuned.exact_match - self.untuned.exact_match,
                "f1": self.tuned.f1 - self.untuned.f1,
                **_ends(self.difference_intervals),
            },
            "level": LEVEL,
            "resamples": self.resamples,
            "breakdowns": {name: [group.document() for group in groups] for name, groups in self.breakdowns.items()},
            "per_question": {
                "questions": digest_json([entry.id for entry in self.tuned.per_question]),
                "untuned": _each(self.untuned),
                "tuned": _each(self.tuned),
            },
        }


def benchmark(
    passages: Sequence[Passage],
    *,
    untuned: Mapping[str, str],
    tuned: Mapping[str, str],
    settings: ScoringSettings,
    seed: int,
    touched: Container[str] | None = None,
) -> Benchmark:
    """Score both models on the same questions.

    Args:
        passages: Questions with gold answers.
        untuned: Answers of the model as it came, by question id.
        tuned: Answers of the fine-tuned model.
        settings: Number of resamples.
        seed: Of the resampling.
        touched: Ids of questions whose answer was pseudonymised, where that is known.

    Raises:
        InputError: There is no question.
    """
    before, after = score(untuned, passages), score(tuned, passages)
    resamples = settings.bootstrap
    return Benchmark(
        untuned=before,
        tuned=after,
        untuned_intervals=intervals(before, resamples=resamples, seed=seed),
        tuned_intervals=intervals(after, resamples=resamples, seed=seed),
        difference_intervals=difference(before, after, resamples=resamples, seed=seed),
        breakdowns=breakdowns(passages, before, after, touched=touched),
        resamples=resamples,
    )


def _side(scores: Scores) -> dict[str, Any]:
    document = scores.document()
    return {name: document[name] for name in ("exact_match", "f1", "missing", "has_answer", "no_answer")}


def _each(scores: Scores) -> dict[str, list[float]]:
    """Scores by question, so that two runs on the same questions can be compared pair by pair."""
    return {
        "exact_match": [entry.exact_match for entry in scores.per_question],
        "f1": [round(entry.f1, _DIGITS) for entry in scores.per_question],
    }


def _ends(found: Intervals | None) -> dict[str, list[float] | None]:
    return {
        "exact_match_interval": found.exact_match.document() if found else None,
        "f1_interval": found.f1.document() if found else None,
    }
