"""Comparing the protected data with the original. Reads everything anew: it trusts nothing that the engine says."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from kubepipe.passages.model import Passage, Question
from kubepipe.privacy.detect.detector import Detector, build_detector
from kubepipe.privacy.entities.model import Span
from kubepipe.privacy.entities.tokens import tokens_of
from kubepipe.privacy.intervals import wilson
from kubepipe.privacy.pseudonymise.fields import readable
from kubepipe.privacy.pseudonymise.keyed import is_opaque, opaque_id
from kubepipe.privacy.pseudonymise.residual import SecondLook
from kubepipe.privacy.pseudonymise.survey import Survey, survey
from kubepipe.privacy.reading import read_passages
from kubepipe.settings.privacy import PrivacySettings


@dataclass(frozen=True, slots=True)
class Measures:
    """What the gate measured; counts and shares, never values.

    Attributes:
        passages_before: Passages of the original.
        passages_after: Passages of the protected data.
        questions_before: Questions of the original.
        questions_after: Questions of the protected data.
        tokens_after: Words of the protected data.
        direct_values: Different direct identifiers (and parts of names) of the original that were looked for.
        leaks: Places of the protected data where one stands.
        leaking_passages: Passages with such a place.
        leaking_share: Their share of the protected passages.
        leaking_share_interval: 95 % Wilson interval of that share.
        redetected: Direct identifiers that a second look at the protected data finds and that stood in the original.
        redetected_per_1000_tokens: The same per 1,000 words.
        answers: Answers of the protected data.
        aligned: Of these, the ones that stand where they say.
        aligned_share: Their share; 1 when there are no answers.
        dropped_share: Share of the original's questions that is gone.
        changed_answer_counts: Questions that have gained or lost answers, or became (un)answerable.
        foreign_passages: Protected passages that no original passage belongs to.
        consistency: Share of different answer texts of a passage that became one and the same text everywhere in it.
        extra_columns: Columns beyond context, question and answers that are still there.
    """

    passages_before: int
    passages_after: int
    questions_before: int
    questions_after: int
    tokens_after: int
    direct_values: int
    leaks: int
    leaking_passages: int
    leaking_share: float
    leaking_share_interval: tuple[float, float]
    redetected: int
    redetected_per_1000_tokens: float
    answers: int
    aligned: int
    aligned_share: float
    dropped_share: float
    changed_answer_counts: int
    foreign_passages: int
    consistency: float
    extra_columns: int

    def document(self) -> dict[str, Any]:
        """The measures as JSON values."""
        return {**asdict(self), "leaking_share_interval": list(self.leaking_share_interval)}


def measure(
    before: Iterable[Passage],
    after: Iterable[Passage],
    settings: PrivacySettings,
    key: bytes,
    detector: Detector | None = None,
    found: Survey | None = None,
) -> Measures:
    """Measure protected data against its original.

    Args:
        before: All original passages.
        after: All protected passages, minimised or not.
        settings: The policy.
        key: Pseudonym key: telling ids were replaced with it, so it finds the original of a passage.
        detector: Finds the spans; None builds the policy's own.
        found: The first pass over the original, when the caller has made it.

    Raises:
        ModelNotFoundError: The language's model is not on this machine.
    """
    reader = detector if detector is not None else build_detector(settings)
    original = _Original(key)
    watched = original.watch(before)
    if found is None:
        found = survey(watched, reader, settings.language)
    else:
        deque(watched, maxlen=0)
    count = _Count(original, found, SecondLook(found.taken, settings.language))
    for passage, joined, spans in read_passages(after, reader):
        count.add(passage, joined.text, spans)
    return count.measures()


@dataclass(slots=True)
class _Original:
    """What is remembered of the original: ids, and hashes of its answers."""

    key: bytes
    ids: dict[str, str] = field(default_factory=dict)
    answers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    passages: int = 0
    questions: int = 0

    def watch(self, passages: Iterable[Passage]) -> Iterator[Passage]:
        """The same passages, remembered on the way."""
        for passage in passages:
            self.passages += 1
            self.questions += len(passage.questions)
            for name in self._names(passage.id):
                self.ids[name] = passage.id
            for question in passage.questions:
                hashes = tuple(hash(answer.text) for answer in question.answers)
                for name in self._names(question.id):
                    self.answers[name] = hashes
            yield passage

    def _names(self, name: str) -> tuple[str, ...]:
        return (name,) if is_opaque(name) else (name, opaque_id(self.key, name))


class _Count:
    def __init__(self, original: _Original, found: Survey, look: SecondLook) -> None:
        self._original = original
        self._found = found
        self._look = look
        self._columns: set[str] = set()
        self._passages = self._questions = self._tokens = self._leaks = self._leaking = self._redetected = 0
        self._answers = self._aligned = self._changed = self._foreign = self._groups = self._consistent = 0

    def add(self, passage: Passage, text: str, spans: list[Span]) -> None:
        """Count one protected passage."""
        self._passages += 1
        self._questions += len(passage.questions)
        self._tokens += sum(1 for _ in tokens_of(text))
        source = self._original.ids.get(passage.id)
        self._foreign += source is None
        names = " \n".join((passage.document, passage.id, *(question.id for question in passage.questions)))
        local = self._found.local.get(source or "", frozenset())
        leaks = sum(1 for _ in self._found.vault.find(text, local)) + sum(
            1 for _ in self._found.vault.find(readable(names))
        )
        self._leaks += leaks
        self._leaking += leaks > 0
        self._redetected += sum(1 for span in spans if self._look.words(text, span))
        self._add_answers(passage)

    def _add_answers(self, passage: Passage) -> None:
        groups: dict[int, set[str]] = {}
        for question in passage.questions:
            self._columns.update(question.extra)
            self._answers += len(question.answers)
            self._aligned += sum(_stands(passage.context, question))
            hashes = self._original.answers.get(question.id, ())
            if len(hashes) != len(question.answers):
                self._changed += 1
                continue
            for value, answer in zip(hashes, question.answers, strict=True):
                groups.setdefault(value, set()).add(answer.text)
        self._groups += len(groups)
        self._consistent += sum(1 for texts in groups.values() if len(texts) == 1)

    def measures(self) -> Measures:
        """The sum."""
        original = self._original
        return Measures(
            passages_before=original.passages,
            passages_after=self._passages,
            questions_before=original.questions,
            questions_after=self._questions,
            tokens_after=self._tokens,
            direct_values=len(self._found.vault),
            leaks=self._leaks,
            leaking_passages=self._leaking,
            leaking_share=self._leaking / self._passages if self._passages else 0.0,
            leaking_share_interval=wilson(self._leaking, self._passages),
            redetected=self._redetected,
            redetected_per_1000_tokens=1000 * self._redetected / self._tokens if self._tokens else 0.0,
            answers=self._answers,
            aligned=self._aligned,
            aligned_share=self._aligned / self._answers if self._answers else 1.0,
            dropped_share=1 - self._questions / original.questions if original.questions else 0.0,
            changed_answer_counts=self._changed,
            foreign_passages=self._foreign,
            consistency=self._consistent / self._groups if self._groups else 1.0,
            extra_columns=len(self._columns),
        )


def _stands(context: str, question: Question) -> list[bool]:
    return [context[answer.start : answer.start + len(answer.text)] == answer.text for answer in question.answers]
