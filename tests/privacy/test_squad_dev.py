"""All of SQuAD dev v1.1: 34,726 answers, of which none may come out wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubepipe.passages import read_source
from kubepipe.privacy import Detector, Pseudonymiser
from kubepipe.settings.model import DatasetSettings
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))


@pytest.mark.slow
def test_every_answer_of_squad_dev_stands_where_it_says(detector: Detector, shared_data: Path) -> None:
    """No answer is lost or misplaced, the ones included whose boundary cuts an entity; no question is dropped."""
    source = read_source(shared_data / "squad" / "dev-v1.1.rebuilt.json", DatasetSettings(), seed=0, hold_out=False)
    before = [passage for passages in source.splits.values() for passage in passages]
    engine = Pseudonymiser(PrivacySettings(), KEY, detector)
    corpus = engine.survey(before)
    answers = aligned = cuts = questions = 0
    for passage, result in zip(before, engine.protect(before, corpus_values=corpus), strict=True):
        assert result.passage is not None
        assert not result.dropped
        questions += len(result.passage.questions)
        spans = [span for span in corpus.spans_of(passage.id) or [] if span.end <= len(passage.context)]
        for question, after in zip(passage.questions, result.passage.questions, strict=True):
            assert len(question.answers) == len(after.answers)
            for old, new in zip(question.answers, after.answers, strict=True):
                edges = (old.start, old.start + len(old.text))
                cuts += any(span.start < edge < span.end for span in spans for edge in edges)
                answers += 1
                aligned += result.passage.context[new.start : new.start + len(new.text)] == new.text
    assert (questions, answers, aligned) == (10_570, 34_726, 34_726)
    assert cuts > 1_000
