"""The pseudonymiser: passages in, passages with surrogates out, every answer where it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from kubepipe.errors import IntegrityError
from kubepipe.passages.model import Passage, Question
from kubepipe.privacy.align import Edit, realign, rewrite, split_edits
from kubepipe.privacy.detect.detector import Detector, build_detector
from kubepipe.privacy.entities.model import Span
from kubepipe.privacy.entities.words import common_words
from kubepipe.privacy.pseudonymise.codes import CodeSurrogates
from kubepipe.privacy.pseudonymise.dates import shift_of
from kubepipe.privacy.pseudonymise.edits import PassageEdits, Surrogates, active
from kubepipe.privacy.pseudonymise.fields import Joined, join, readable
from kubepipe.privacy.pseudonymise.keyed import KEY_BYTES, keyed_hex, opaque_id
from kubepipe.privacy.pseudonymise.links import links_of
from kubepipe.privacy.pseudonymise.names import NameSurrogates
from kubepipe.privacy.pseudonymise.residual import SecondLook
from kubepipe.privacy.pseudonymise.survey import Survey, survey, unpack, within_fields
from kubepipe.privacy.pseudonymise.vault import local_words, values_of
from kubepipe.privacy.reading import batches
from kubepipe.privacy.workers import in_order
from kubepipe.settings.privacy import PrivacySettings

WIDER_ROUND: Final = 2
"""From this round on, classes QUASI and OTHER are replaced as well, whatever the settings say."""

DROPPING_ROUND: Final = 3
"""From this round on, a passage that still leaks is dropped."""


@dataclass(frozen=True, slots=True)
class Protected:
    """What became of a passage.

    Attributes:
        id: The passage's id before.
        passage: The passage with surrogates, or None when it was dropped.
        counts: Replaced entities by type.
        dropped: Dropped questions by reason: `misaligned`, `leak`.
        original_direct: Keyed hashes of the direct identifiers that stood in the original.
        links: How often a surrogate of a type was put in the place of an original, where the policy keeps a mapping.
    """

    id: str
    passage: Passage | None
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    original_direct: frozenset[str] = frozenset()
    links: Counter[tuple[str, str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Work:
    """A passage and everything that its protection needs."""

    passage: Passage
    joined: Joined
    spans: list[Span]
    found: Survey
    surrogates: Surrogates
    round: int
    missed: frozenset[str] = frozenset()


class Pseudonymiser:
    """Replaces personal data by surrogates that a key chooses.

    Args:
        settings: The policy.
        key: 32 secret bytes. One key, one world of surrogates: the same person has the same surrogate in every file.
        detector: Finds the spans; None builds the policy's own.

    Raises:
        IntegrityError: The key has not 32 bytes.
    """

    def __init__(self, settings: PrivacySettings, key: bytes, detector: Detector | None = None) -> None:
        if len(key) != KEY_BYTES:
            raise IntegrityError(
                f"a pseudonym key has {KEY_BYTES} bytes, this one has {len(key)}",
                remedy="Make keys with: kubepipe keys create",
            )
        self._settings = settings
        self._key = key
        self._detector = detector

    def survey(self, passages: Iterable[Passage]) -> Survey:
        """The first pass: reads everything once."""
        return survey(passages, self._reader(), self._settings.language)

    def protect(
        self,
        passages: Iterable[Passage],
        *,
        round: int = 1,  # noqa: A002 the word of the policy
        corpus_values: Survey | None = None,
    ) -> Iterator[Protected]:
        """Passages with surrogates, in order, one by one.

        Args:
            passages: Passages to protect.
            round: 1 replaces the policy's classes and what a second look finds; 2 also QUASI and OTHER; 3 also drops
                what still leaks.
            corpus_values: The first pass over all splits. Without it, these passages are held in memory and surveyed.
        """
        if not self._settings.enabled:
            yield from (Protected(passage.id, passage) for passage in passages)
            return
        if corpus_values is None:
            passages = list(passages)
            corpus_values = self.survey(passages)
        surrogates = self._surrogates(corpus_values)
        look = SecondLook(corpus_values.taken, self._settings.language)
        found = corpus_values

        def work(batch: Sequence[Passage]) -> list[Protected]:
            joined = [join(passage) for passage in batch]
            works = [
                _Work(passage, item, spans, found, surrogates, round)
                for passage, item, spans in zip(batch, joined, self._spans(batch, joined, found), strict=True)
            ]
            return list(self._again(works, [self._one(each) for each in works], look))

        items = ((None, batch) for batch in batches(passages))
        for _, results in in_order(work, items, self._reader().processes):
            yield from results

    def _reader(self) -> Detector:
        if self._detector is None:
            self._detector = build_detector(self._settings)
        return self._detector

    def _surrogates(self, found: Survey) -> Surrogates:
        language = self._settings.language
        return Surrogates(
            NameSurrogates(self._key, language, self._settings.locale, found.taken),
            CodeSurrogates(self._key, language, found.taken),
            found.kinds,
            self._key,
        )

    def _spans(self, batch: Iterable[Passage], joined: list[Joined], found: Survey) -> list[list[Span]]:
        """Spans as the survey kept them; what it has not seen is read now."""
        known = [found.spans_of(passage.id) for passage in batch]
        missing = [index for index, spans in enumerate(known) if spans is None]
        read = self._reader().detect([joined[index].text for index in missing]) if missing else []
        for index, spans in zip(missing, read, strict=True):
            known[index] = within_fields(joined[index], spans)
        return [spans or [] for spans in known]

    def _again(self, works: list[_Work], results: list[Protected], look: SecondLook) -> Iterator[Protected]:
        """Read what came out once more, and replace what only this second look finds."""
        views = [_views(result.passage, look) for result in results]
        found = iter(self._reader().detect([text for texts in views for text in texts], look.places))
        for work, result, texts in zip(works, results, views, strict=True):
            missed = frozenset[str]().union(*(look.all_words(text, next(found)) for text in texts))
            yield self._one(replace(work, missed=missed)) if missed else result

    def _one(self, work: _Work) -> Protected:
        passage, text, vault = work.passage, work.joined.text, work.found.vault
        values, codes = values_of(text, work.spans)
        local = local_words(values) | work.missed
        hashes = frozenset(keyed_hex(self._key, "direct", *value) for value in values) | frozenset(
            keyed_hex(self._key, "direct", code) for code in codes
        )
        made = self._edits(text, passage.document, work.spans, local, work)
        protected, dropped = self._apply(work, made.sorted())
        if protected is not None and work.round >= DROPPING_ROUND and any(vault.find(join(protected).text, local)):
            protected, dropped = None, Counter({"leak": len(passage.questions)})
        edits, wants_links = made.sorted(), self._settings.mapping == "sealed" and protected is not None
        links = links_of(text, work.spans, edits) if wants_links else Counter[tuple[str, str, str]]()
        return Protected(passage.id, protected, made.counts, dropped, hashes, links)

    def _classes(self, round_: int) -> frozenset[str]:
        chosen = frozenset[str](self._settings.classes)
        return chosen if round_ < WIDER_ROUND else chosen | {"DIRECT", "QUASI", "OTHER"}

    def _edits(self, text: str, document: str, spans: list[Span], local: frozenset[str], work: _Work) -> PassageEdits:
        language, vault = self._settings.language, work.found.vault
        classes = self._classes(work.round)
        # Asked word by word: a set of both would be a copy of the whole vault for each passage.
        made = PassageEdits(
            text,
            work.surrogates,
            document,
            shift_of(self._key, document),
            language,
            lambda word: word in local or word in vault.words,
        )
        for span, action in active(spans, classes, self._settings):
            made.apply(span, action)
        if "DIRECT" in classes:
            for span, action in active(vault.find(text, local), classes, self._settings):
                made.apply(span, action)
        if self._settings.method != "mask":
            made.carry_over(common_words(language))
        return made

    def _apply(self, work: _Work, edits: list[Edit]) -> tuple[Passage | None, Counter[str]]:
        passage, joined = work.passage, work.joined
        texts: dict[tuple[int, str], str] = {}
        context = rewrite(passage.context, split_edits(edits, 0, len(passage.context)))
        for place, column, start, end in joined.fields[1:]:
            texts[place, column] = rewrite(joined.text[start:end], split_edits(edits, start, end)).text
        kept: list[Question] = []
        for index, question in enumerate(passage.questions):
            extra = {column: texts[index, column] for column in question.extra}
            aligned = realign(passage.context, context, question, texts[index, ""])
            if aligned is not None:
                kept.append(replace(aligned, id=self._opaque(question.id, work.found), extra=extra))
        lost = len(passage.questions) - len(kept)
        dropped = Counter({"misaligned": lost} if lost else {})
        if not kept:
            return None, dropped
        is_own_name = passage.document == passage.context
        document = context.text if is_own_name else self._title(passage.document, work)
        made = Passage(self._opaque(passage.id, work.found), document, context.text, tuple(kept))
        if made.misaligned():  # what realign promises; a wrong answer must never leave this room
            raise AssertionError("an answer does not stand where it says")
        return made, dropped

    def _opaque(self, name: str, found: Survey) -> str:
        """An id as it is, or a keyed one when it holds a direct identifier."""
        return opaque_id(self._key, name) if any(found.vault.find(readable(name))) else name

    def _title(self, name: str, work: _Work) -> str:
        """A document's name; it depends on the name and the data set alone, so it stays one for all its passages."""
        text = readable(name)
        spans = unpack(work.found.titles.get(name, b""))
        values, _ = values_of(text, spans)
        made = self._edits(text, name, spans, local_words(values), work)
        if self._settings.method != "mask":
            made.replace_known(common_words(self._settings.language))
        return rewrite(name, made.sorted()).text


def _views(passage: Passage | None, look: SecondLook) -> list[str]:
    """A passage as it is, as minimisation leaves it, and each question alone: what a second look may find something in.

    A recogniser sees names by what stands around them, so what one view hides another may show.
    """
    if passage is None:
        return []
    bare = replace(passage, questions=tuple(replace(question, extra={}) for question in passage.questions))
    views = dict.fromkeys((join(passage).text, join(bare).text, *(question.text for question in passage.questions)))
    return [view for view in views if look.may_find(view)]
