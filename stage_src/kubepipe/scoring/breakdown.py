"""Where the model errs: scores by question word, by length of the answer, by contact with pseudonyms."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from typing import Any

from kubepipe.passages.model import Passage, Question
from kubepipe.scoring.squad import Scores

_WORDS = ("what", "who", "when", "where", "which", "why", "how")
_SAME_WORD = {"whom": "who", "whose": "who"}
_LENGTHS = ((1, "1 word"), (2, "2 words"), (4, "3-4 words"), (9, "5-9 words"))
_LONGEST = "10 words or more"


@dataclass(frozen=True, slots=True)
class Group:
    """Scores of the questions of one kind, in percent; tuned is None where there is no tuned model."""

    name: str
    total: int
    untuned_exact_match: float
    untuned_f1: float
    tuned_exact_match: float | None
    tuned_f1: float | None

    def document(self) -> dict[str, Any]:
        """As it stands in a JSON document."""
        tuned = None
        if self.tuned_exact_match is not None:
            tuned = {"exact_match": self.tuned_exact_match, "f1": self.tuned_f1}
        untuned = {"exact_match": self.untuned_exact_match, "f1": self.untuned_f1}
        return {"name": self.name, "total": self.total, "untuned": untuned, "tuned": tuned}


def question_word(question: Question) -> str:
    """The first question word in the question, or `other`."""
    for word in question.text.lower().replace("'", " ").split():
        bare = word.strip('?,.:;"()')
        bare = _SAME_WORD.get(bare, bare)
        if bare in _WORDS:
            return bare
    return "other"


def answer_length(question: Question) -> str:
    """Class of the length of the first gold answer in words."""
    if not question.answers:
        return "no answer"
    words = len(question.answers[0].text.split())
    return next((name for limit, name in _LENGTHS if words <= limit), _LONGEST)


def breakdowns(
    passages: Iterable[Passage], untuned: Scores, tuned: Scores | None, *, touched: Container[str] | None = None
) -> dict[str, list[Group]]:
    """All tables.

    Args:
        passages: The scored questions.
        untuned: Scores of the model as it came.
        tuned: Scores of the fine-tuned model on the same questions.
        touched: Ids of questions whose answer was pseudonymised; None leaves that table out.

    Returns:
        Groups by table name (`question_word`, `answer_length`, `answer_touched`), largest first.
    """
    questions = [question for passage in passages for question in passage.questions]
    tables: dict[str, Callable[[Question], str]] = {"question_word": question_word, "answer_length": answer_length}
    if touched is not None:
        tables["answer_touched"] = lambda question: "touched" if question.id in touched else "untouched"
    return {name: _table(questions, kind, untuned, tuned) for name, kind in tables.items()}


def _table(
    questions: list[Question], kind: Callable[[Question], str], untuned: Scores, tuned: Scores | None
) -> list[Group]:
    members: dict[str, set[str]] = {}
    for question in questions:
        members.setdefault(kind(question), set()).add(question.id)
    groups = []
    for name, ids in members.items():
        before_exact, before_f1 = _means(untuned, ids)
        after_exact, after_f1 = _means(tuned, ids) if tuned else (None, None)
        groups.append(Group(name, len(ids), before_exact, before_f1, after_exact, after_f1))
    return sorted(groups, key=lambda group: (-group.total, group.name))


def _means(scores: Scores, ids: set[str]) -> tuple[float, float]:
    chosen = [entry for entry in scores.per_question if entry.id in ids]
    exact = 100.0 * sum(entry.exact_match for entry in chosen) / len(chosen)
    return exact, 100.0 * sum(entry.f1 for entry in chosen) / len(chosen)
