"""Groups raw questions into passages: one context with all its questions, read once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from kubepipe.passages.align import align_answers
from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.passages.raw import RawAnswer, RawQuestion
from kubepipe.passages.tally import Tally
from kubepipe.passages.text import whole

_Key = tuple[str | None, str]


@dataclass(slots=True)
class Assembler:
    """Collects the questions of a whole source; ids are unique over all its splits.

    Attributes:
        tally: Everything dropped or repaired is counted here.
    """

    tally: Tally
    _ids: set[str] = field(default_factory=set)
    _contexts: int = 0

    def passages(self, questions: Iterable[RawQuestion]) -> tuple[list[Passage], frozenset[str]]:
        """Passages in order of first appearance, and the names of documents that were made up for lack of one.

        Rows with the same context and document become one passage, wherever they stand.
        """
        groups: dict[_Key, list[Question]] = {}
        seen: set[tuple[str, str, tuple[Answer, ...]]] = set()
        contexts: dict[str, str] = {}
        for raw in questions:
            self.tally["rows_read"] += 1
            clean = self._clean(raw)
            if clean is None:
                continue
            # Every row brings a copy of its context: one of them is kept.
            clean = replace(clean, context=contexts.setdefault(clean.context, clean.context))
            group = groups.setdefault((clean.document, clean.context), [])
            question = self._question(clean, seen)
            if question:
                group.append(question)
        return self._named(groups)

    def _named(self, groups: dict[_Key, list[Question]]) -> tuple[list[Passage], frozenset[str]]:
        passages, made_up = [], set()
        for (document, context), questions in groups.items():
            if not questions:
                self.tally["contexts_without_questions"] += 1
                continue
            self._contexts += 1
            # Numbers, not hashes: a hash of a context would recognise it after pseudonymisation.
            name = document if document is not None else f"document-{self._contexts}"
            if document is None:
                made_up.add(name)
            passages.append(Passage(f"passage-{self._contexts}", name, context, tuple(questions)))
        return passages, frozenset(made_up)

    def _clean(self, raw: RawQuestion) -> RawQuestion | None:
        if not raw.context.strip():
            self.tally["rows_without_context"] += 1
            return None
        if not raw.text.strip():
            self.tally["rows_without_question"] += 1
            return None
        return RawQuestion(
            context=self._whole(raw.context),
            text=self._whole(raw.text),
            answers=tuple(RawAnswer(self._whole(answer.text), answer.start) for answer in raw.answers),
            id=None if raw.id is None else self._whole(raw.id),
            document=None if raw.document is None else self._whole(raw.document),
            extra={self._whole(name): self._whole(text) for name, text in raw.extra.items()},
        )

    def _whole(self, text: str) -> str:
        clean = whole(text)
        self.tally["characters_replaced"] += clean != text
        return clean

    def _question(self, raw: RawQuestion, seen: set[tuple[str, str, tuple[Answer, ...]]]) -> Question | None:
        answers = align_answers(raw.context, raw.answers, self.tally)
        if isinstance(answers, str):
            self.tally[answers] += 1
            return None
        key = (raw.context, raw.text, answers)
        if key in seen and (raw.id is None or raw.id in self._ids):
            self.tally["duplicate_questions"] += 1
            return None
        # SQuAD itself asks a few questions twice under two ids: official scores count both.
        self.tally["duplicate_questions_kept"] += key in seen
        seen.add(key)
        return Question(self._unique(raw.id), raw.text, answers, raw.extra)

    def _unique(self, claimed: str | None) -> str:
        """The claimed id, with a suffix when it is taken; made from the row's number when there is none."""
        name = claimed if claimed is not None else f"row-{self.tally['rows_read']}"
        unique, number = name, 1
        while unique in self._ids:
            number += 1
            unique = f"{name}-{number}"
        if claimed is not None and unique != name:
            self.tally["duplicate_ids"] += 1
        self._ids.add(unique)
        return unique
