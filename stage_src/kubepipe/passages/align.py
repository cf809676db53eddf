"""Puts gold answers where they stand in their context, or says that this cannot be done."""

from __future__ import annotations

from typing import Literal

from kubepipe.passages.model import Answer
from kubepipe.passages.raw import RawAnswer
from kubepipe.passages.tally import Tally

Failure = Literal["questions_dropped_misaligned", "questions_dropped_answer_absent"]


def align_answers(context: str, answers: tuple[RawAnswer, ...], tally: Tally) -> tuple[Answer, ...] | Failure:
    """Aligned answers in their order, repeated ones included; or the reason to drop the question.

    An answer stays where it claims to be when it stands there. Else it is moved to its only occurrence. An answer that
    occurs several times, or never, cannot be placed: guessing would train and score on wrong spans.

    Args:
        context: The context.
        answers: Answers as the source has them.
        tally: Repairs are counted here when the whole question can be kept.
    """
    repairs = Tally()
    aligned = []
    for answer in answers:
        if not answer.text.strip():
            repairs["answers_empty"] += 1
            continue
        placed = _place(context, answer, repairs)
        if isinstance(placed, str):
            return placed
        aligned.append(placed)
    tally.update(repairs)
    return tuple(aligned)


def _place(context: str, answer: RawAnswer, repairs: Tally) -> Answer | Failure:
    if answer.start is not None and _stands(context, answer.text, answer.start):
        return Answer(answer.text, answer.start)
    found = _only_occurrence(context, answer.text)
    if isinstance(found, int):
        repairs["answers_located" if answer.start is None else "answers_realigned"] += 1
        return Answer(answer.text, found)
    text = answer.text.strip()
    if found == "questions_dropped_misaligned" or text == answer.text:
        return found
    placed = _place(context, RawAnswer(text, answer.start), repairs)
    if isinstance(placed, Answer):
        repairs["answers_trimmed"] += 1
    return placed


def _stands(context: str, text: str, start: int) -> bool:
    # A negative offset would count from the end.
    return start >= 0 and context.startswith(text, start)


def _only_occurrence(context: str, text: str) -> int | Failure:
    first = context.find(text)
    if first < 0:
        return "questions_dropped_answer_absent"
    return "questions_dropped_misaligned" if context.find(text, first + 1) >= 0 else first
