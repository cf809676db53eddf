"""What is counted while a data set is read: everything that is dropped, repaired or left out, by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

#: Every reason with its meaning; a source carries a number for each, zero included.
REASONS: Final[Mapping[str, str]] = {
    "rows_read": "questions as they stand in the source, before anything is dropped",
    "rows_without_context": "rows dropped: the context is missing or blank",
    "rows_without_question": "rows dropped: the question is missing or blank",
    "answers_located": "answers without an offset, found because they occur exactly once in the context",
    "answers_realigned": "answers with a wrong offset, repaired because they occur exactly once in the context",
    "answers_trimmed": "answers that stand in the context only without their outer white space",
    "answers_empty": "gold answers without text, left out; a question with no other answer is unanswerable",
    "answers_of_impossible_questions": "gold answers of questions marked as impossible, left out",
    "answer_keys_left_out": "keys beside text and answer_start inside an answer, left out",
    "plausible_answers_left_out": "plausible answers of unanswerable questions, left out",
    "questions_dropped_misaligned": "questions dropped: an answer without a right offset occurs several times",
    "questions_dropped_answer_absent": "questions dropped: an answer does not occur in its context",
    "duplicate_questions": "questions dropped: same as an earlier one on the same context, and no id of their own",
    "duplicate_questions_kept": "same as an earlier one but with an id of their own, which official scores count",
    "duplicate_ids": "questions kept under a new id, because an earlier one has theirs",
    "characters_replaced": "texts in which half surrogate pairs were replaced by U+FFFD",
    "contexts_without_questions": "contexts of the source on which no usable question is left",
    "contexts_in_both_splits": "training contexts dropped, because validation holds them too",
    "questions_in_both_splits": "training questions dropped with these contexts",
    "documents_in_both_splits": "documents with passages in both of the source's own splits, kept",
    "questions_over_limit": "questions left out by the limits of the settings",
    "files_left_out": "files of a folder or archive that name no split while others do, or a second held-out split",
}

Tally = Counter[str]


def complete(tally: Tally) -> dict[str, int]:
    """All reasons with their counts, in the order of the table."""
    return {reason: tally[reason] for reason in REASONS}
