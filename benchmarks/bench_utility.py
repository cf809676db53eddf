"""What pseudonymisation costs in use: scores of one predictor on the same questions, before and after.

    python benchmarks/bench_utility.py DATA [--passages N] [--train FILE --questions N] [--model NAME] [--write FILE]

DATA and FILE are anything that `kubepipe` reads. Two comparisons, both paired by question, with 95 % intervals:

- *asked*: one model answers the questions of N passages as they are, and the same questions on the same passages after
  pseudonymisation, each scored against its own gold answers; with --train it is fine-tuned on questions of FILE first;
- *trained* (with --train): another model is fine-tuned on the same questions of FILE, pseudonymised; both answer
  the *original* questions of DATA, which is what a user of the model will ask.

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from privacy.tables import write_utility

from kubepipe.passages import SPLITS, read_source
from kubepipe.passages.model import Passage
from kubepipe.privacy import Pseudonymiser
from kubepipe.scoring import Predictor, Scores, difference, intervals, score
from kubepipe.settings import DatasetSettings, PrivacySettings, ScoringSettings, TrainingSettings
from kubepipe.training import ResolvedModel, fine_tune, resolve_model

_KEY = bytes(range(32))
_RESAMPLES = 2000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--passages", type=int, default=60, help="passages that are asked, evenly spaced")
    parser.add_argument("--train", type=Path, default=None, help="data set to fine-tune on")
    parser.add_argument("--questions", type=int, default=300, help="questions of it, whole passages, evenly spaced")
    parser.add_argument("--model", default=TrainingSettings().model)
    parser.add_argument("--write", type=Path, default=None, help="Markdown file whose table of utility is renewed")
    given = parser.parse_args()

    before = _spaced(_read(given.data), given.passages)
    after, counts = _protected(before)
    model = resolve_model(given.model, online=False)
    result: dict[str, Any] = {"benchmark": "utility", "data": given.data.name, "model": given.model, **counts}
    if given.train is None:
        predictor = Predictor(model.path, ScoringSettings(), TrainingSettings())
        result["asked"] = _pair(_scores(predictor, before), _scores(predictor, after))
    else:
        every = _read(given.train)
        share = sum(len(passage.questions) for passage in every) / len(every)
        train = _spaced(every, max(1, round(given.questions / share)))
        result["train_questions"] = sum(len(passage.questions) for passage in train)
        with _tuned(model, train) as predictor:
            plain = _scores(predictor, before)
            result["asked"] = _pair(plain, _scores(predictor, after))
        print(json.dumps(result), flush=True)
        with _tuned(model, _protected(train)[0]) as predictor:
            result["trained"] = _pair(plain, _scores(predictor, before))
    if given.write is not None:
        write_utility(given.write, result)
    print(json.dumps(result, sort_keys=True))


def _read(path: Path) -> list[Passage]:
    source = read_source(path, DatasetSettings(), seed=0, hold_out=False)
    return [passage for split in SPLITS for passage in source.splits.get(split, ())]


def _spaced(passages: Sequence[Passage], count: int) -> list[Passage]:
    count = min(count, len(passages))
    return [passages[number * len(passages) // count] for number in range(count)]


def _protected(passages: Sequence[Passage]) -> tuple[list[Passage], dict[str, int]]:
    """The passages after the default policy, and what became of them; a question is never lost here."""
    after = [each.passage for each in Pseudonymiser(PrivacySettings(), _KEY).protect(passages)]
    kept = [passage for passage in after if passage is not None]
    before_ids = [question.id for passage in passages for question in passage.questions]
    if [question.id for passage in kept for question in passage.questions] != before_ids:
        raise SystemExit("protection dropped questions: the comparison would not be paired")
    changed = sum(
        [answer.text for answer in old.answers] != [answer.text for answer in new.answers]
        for one, other in zip(passages, kept, strict=True)
        for old, new in zip(one.questions, other.questions, strict=True)
    )
    return kept, {"passages": len(kept), "questions": len(before_ids), "questions_with_changed_answers": changed}


@contextmanager
def _tuned(model: ResolvedModel, passages: Sequence[Passage]) -> Iterator[Predictor]:
    with tempfile.TemporaryDirectory() as folder:
        out, settings = Path(folder) / "model", TrainingSettings(validation_questions=0)
        fine_tune(model, passages, [], settings, seed=0, out=out, progress=lambda _: None)
        yield Predictor(out, ScoringSettings(), settings)


def _scores(predictor: Predictor, passages: Sequence[Passage]) -> Scores:
    return score({found.id: found.text for found in predictor.answer(passages)}, passages)


def _pair(before: Scores, after: Scores) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, scores in (("before", before), ("after", after)):
        bounds = intervals(scores, resamples=_RESAMPLES, seed=0)
        found[name] = {
            "exact_match": round(scores.exact_match, 2),
            "f1": round(scores.f1, 2),
            "intervals": bounds.document() if bounds else None,
        }
    gap = difference(before, after, resamples=_RESAMPLES, seed=0)
    found["difference"] = {
        "exact_match": round(after.exact_match - before.exact_match, 2),
        "f1": round(after.f1 - before.f1, 2),
        "intervals": gap.document() if gap else None,
    }
    return found


if __name__ == "__main__":
    main()
