"""Minimisation: context, question and answers, and nothing else."""

from __future__ import annotations

from collections import Counter

import pytest

from kubepipe.errors import InputError
from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.privacy import minimise
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))


def telling() -> Passage:
    """A passage with columns, a document's name and ids that tell something."""
    questions = (
        Question("patient-1815", "Who?", (Answer("Ada", 0),), {"ward": "7", "dose": "2 mg"}),
        Question("56be4db0acb8001400a502ec", "Why?", (), {"ward": "7"}),
    )
    return Passage("passage-1", "Ada_Lovelace", "Ada wrote.", questions)


def test_columns_go_and_are_counted() -> None:
    """Each dropped column is named with the number of its values."""
    counts: Counter[str] = Counter()
    (after,) = minimise([telling()], PrivacySettings(), KEY, counts)
    assert all(question.extra == {} for question in after.questions)
    assert counts["column:ward"] == 2
    assert counts["column:dose"] == 1


def test_what_training_needs_stays() -> None:
    """Context, questions and answers are as they were."""
    before = telling()
    (after,) = minimise([before], PrivacySettings(), KEY)
    assert after.context == before.context
    assert [(q.text, q.answers) for q in after.questions] == [(q.text, q.answers) for q in before.questions]


def test_the_name_of_the_document_becomes_opaque_and_stays_one() -> None:
    """Passages of one document still belong together; the name is gone, and depends on the key."""
    counts: Counter[str] = Counter()
    first, second = minimise([telling(), telling()], PrivacySettings(), KEY, counts)
    (other,) = minimise([telling()], PrivacySettings(), bytes(32))
    assert first.document == second.document != other.document
    assert "Lovelace" not in first.document
    assert counts["documents_renamed"] == 1


def test_only_telling_ids_are_replaced() -> None:
    """An id of 24 hex digits stays, so that predictions can be compared; one that may name somebody does not."""
    counts: Counter[str] = Counter()
    (after,) = minimise([telling()], PrivacySettings(), KEY, counts)
    assert after.id == "passage-1"
    assert after.questions[1].id == "56be4db0acb8001400a502ec"
    assert after.questions[0].id != "patient-1815"
    assert len(after.questions[0].id) == 24
    assert counts["ids_replaced"] == 1


def test_a_policy_may_refuse_columns() -> None:
    """The refusal names no column's content."""
    with pytest.raises(InputError, match="2 columns") as caught:
        list(minimise([telling()], PrivacySettings(unknown_columns="refuse"), KEY))
    assert "mg" not in caught.value.one_line()
