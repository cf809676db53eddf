"""Rewrites a SQuAD JSON passage by passage and keeps its shape, so that other tools can read the result."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import InputError, IntegrityError
from kubepipe.passages.align import align_answers
from kubepipe.passages.columns import cell_text
from kubepipe.passages.files import replacing
from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.passages.opening import open_source
from kubepipe.passages.squad import (
    ARTICLE_KEYS,
    PARAGRAPH_KEYS,
    QUESTION_KEYS,
    answer_list,
    articles_of,
    gold_answers,
    read_squad,
)
from kubepipe.passages.tally import Tally
from kubepipe.passages.text import check_encoding, decode, names, parse_json, whole

Transform = Callable[[Passage], Passage | None]

#: What a SQuAD document may hold without being shown to the transform, so without a chance to hide a value in it.
_PLAIN: Final = (bool, float, type(None))
_PLAUSIBLE: Final = " (plausible answers)"
_MAX_BYTES: Final = 5_000_000_000
_ALWAYS: Final = ("passages", "questions", "answers", "unanswerable")


def rewrite_squad(source: Path, target: Path, transform: Transform, *, max_bytes: int = _MAX_BYTES) -> dict[str, int]:
    """Write a SQuAD JSON whose passages went through a transform.

    Ids, order, structure, version and is_impossible stay (the transform sees ids of its own). The title becomes the
    document of the article's first returned passage. Plausible answers go through the transform as answers of a
    question of their own, right behind theirs, and are left out when they cannot be aligned. A further key of an
    article, paragraph or question stays when the transform leaves it in `Question.extra`, with the text it has there.
    Keys that the transform never sees (beside `data`, or within an answer) stay only when their value is no text.

    Args:
        source: SQuAD JSON, version 1.1 or 2.0, plain or gzip.
        target: The new file, appears whole or not at all; gzip when its name ends in .gz.
        transform: Gets each paragraph as a passage (without questions when it has none) and returns it with the
            same question ids, or without those that it drops. None drops the whole paragraph.
        max_bytes: Largest source after unpacking.

    Returns:
        Counts: passages, questions, answers and unanswerable as written, and what was dropped or repaired, by reason.

    Raises:
        InputError: The source is no SQuAD JSON.
        IntegrityError: The transform returned an answer that does not stand in its context.
        OutputError: The target cannot be written.
    """
    document, is_ascii = _load(source, max_bytes)
    articles = articles_of(document)
    if articles is None:
        raise InputError(
            f"is no SQuAD JSON (keys: {names(document if isinstance(document, dict) else [])})",
            place=str(source),
            remedy="Give a file with data, paragraphs and qas",
        )
    # One pass that keeps nothing: it finds every part of a wrong shape before the work begins.
    for _ in read_squad(articles, str(source), Tally()):
        pass
    rewriter = _Rewriter(transform, str(source))
    new_articles = [rewriter.article(article, number) for number, article in enumerate(articles, start=1)]
    result: Any = new_articles
    if isinstance(document, dict):
        result = {key: value for key, value in document.items() if rewriter.may_stay(key, value)}
        result["data"] = new_articles
    text = json.dumps(result, ensure_ascii=is_ascii, allow_nan=False)
    with replacing(target) as temporary:
        data = text.encode()
        temporary.write_bytes(gzip.compress(data, mtime=0) if target.suffix == ".gz" else data)
    return dict(rewriter.tally)


def _load(source: Path, max_bytes: int) -> tuple[Any, bool]:
    """The document, and whether its text is plain ASCII (as the files of SQuAD are)."""
    place = str(source)
    with open_source(source, max_bytes) as opened:
        if not opened.is_single:
            raise InputError("is no single file", place=place, remedy="Name the SQuAD JSON file")
        (member,) = opened.members.values()
        with member.open() as stream:
            data = stream.read()
    check_encoding(data, place)
    document = parse_json(decode(data, place), place)
    may_hold_half_pairs = b"\\ud" in data.lower()
    return _whole_texts(document) if may_hold_half_pairs else document, data.isascii()


def _whole_texts(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_whole_texts(item) for item in value]
    if isinstance(value, dict):
        return {whole(key): _whole_texts(item) for key, item in value.items()}
    return value


@dataclass(slots=True)
class _Rewriter:
    transform: Transform
    place: str
    tally: Tally = field(default_factory=lambda: Tally(dict.fromkeys(_ALWAYS, 0)))
    _number: int = 0

    def may_stay(self, key: str, value: Any) -> bool:
        """Whether a key of the outermost object may stay; the transform never sees it."""
        stays = key in {"data", "version"} or isinstance(value, _PLAIN)
        self.tally["keys_left_out"] += not stays
        return stays

    def article(self, article: Mapping[str, Any], number: int) -> dict[str, Any]:
        """An article with all its paragraphs rewritten."""
        title = cell_text(article.get("title")) or f"article-{number}"
        paragraphs, first = [], None
        for index, paragraph in enumerate(article["paragraphs"], start=1):
            place = f"{self.place}, article {number}, paragraph {index}"
            new = self.paragraph(article, paragraph, title, place)
            if new is None:
                self.tally["passages_dropped_by_transform"] += 1
                continue
            paragraphs.append(new[0])
            first = first or new[1]
        rewritten = self.further(article, ARTICLE_KEYS, first)
        if "title" in article:
            rewritten["title"] = first.document if first else ""
        return _like(article, {**rewritten, "paragraphs": paragraphs})

    def paragraph(
        self, article: Mapping[str, Any], paragraph: Mapping[str, Any], title: str, place: str
    ) -> tuple[dict[str, Any], Passage] | None:
        """A paragraph rewritten, and the passage that the transform returned for it; None when it returned none."""
        self._number += 1
        context = str(paragraph.get("context") or "")
        outer = {**_further(article, ARTICLE_KEYS), **_further(paragraph, PARAGRAPH_KEYS)}
        questions = self.questions(paragraph["qas"], context, outer, place)
        asked = [part for pair in questions.values() for part in pair if part is not None]
        passage = self.transform(Passage(f"passage-{self._number}", title, context, tuple(asked)))
        if passage is None:
            return None
        if passage.misaligned():
            raise IntegrityError(
                "an answer no longer stands in its context",
                place=place,
                remedy="This is a fault of KubePipe: report it",
            )
        returned = {question.id: question for question in passage.questions}
        qas = []
        for index, (question, plausible) in questions.items():
            new = returned.get(question.id)
            if new is None:
                self.tally["questions_dropped_by_transform"] += 1
                continue
            shadow = returned.get(plausible.id) if plausible else None
            qas.append(self.question(paragraph["qas"][index], new, shadow))
        self.tally["passages"] += 1
        further = self.further(paragraph, PARAGRAPH_KEYS, passage)
        return _like(paragraph, {**further, "context": passage.context, "qas": qas}), passage

    def questions(
        self, qas: list[dict[str, Any]], context: str, outer: Mapping[str, str], place: str
    ) -> dict[int, tuple[Question, Question | None]]:
        """Questions that can be aligned by their index, each with the question that carries its plausible answers."""
        found: dict[int, tuple[Question, Question | None]] = {}
        for index, item in enumerate(qas):
            at = f"{place}, question {index + 1}"
            answers = align_answers(context, gold_answers(item, at, Tally()), self.tally)
            if isinstance(answers, str):
                self.tally[answers] += 1
                continue
            # Ids need to be unique only within the passage; the file keeps its own.
            name = f"{self._number}-{index + 1}"
            text = str(item.get("question") or "")
            extra = {**outer, **_further(item, QUESTION_KEYS)}
            plausible = align_answers(context, answer_list(item, "plausible_answers", at, Tally()), Tally())
            has_plausible = bool(plausible) and not isinstance(plausible, str)
            shadow = Question(name + _PLAUSIBLE, text, tuple(plausible), extra) if has_plausible else None  # type: ignore[arg-type]
            found[index] = (Question(name, text, answers, extra), shadow)
        return found

    def question(self, item: Mapping[str, Any], new: Question, shadow: Question | None) -> dict[str, Any]:
        """A question of the file with its new text and answers."""
        self.tally["questions"] += 1
        self.tally["answers"] += len(new.answers)
        self.tally["unanswerable"] += not new.is_answerable
        further = _kept(item, QUESTION_KEYS, new.extra)
        self.tally["keys_left_out"] += len(item.keys() - QUESTION_KEYS - further.keys())
        values: dict[str, Any] = {**further, "question": new.text}
        if "answers" in item:
            values["answers"] = self.answers(item["answers"], new.answers)
        for key in ("id", "is_impossible"):
            if key in item:
                values[key] = item[key]
        if "plausible_answers" in item:
            given = item["plausible_answers"] or []
            values["plausible_answers"] = self.answers(given, shadow.answers if shadow else ())
            self.tally["plausible_answers_left_out"] += len(given) - len(values["plausible_answers"])
        return _like(item, values)

    def answers(self, given: Any, new: tuple[Answer, ...]) -> list[dict[str, Any]]:
        """Answers of the file with their new texts and offsets; further keys stay where nothing can hide in them."""
        items = given if isinstance(given, list) and len(given) == len(new) else [{} for _ in new]
        written = []
        for item, answer in zip(items, new, strict=True):
            own = {"text": answer.text, "answer_start": answer.start}
            further = {key: value for key, value in item.items() if key not in own and isinstance(value, _PLAIN)}
            self.tally["keys_left_out"] += len(item.keys() - own.keys() - further.keys())
            written.append(_like(item, {**further, **own}))
        return written

    def further(self, item: Mapping[str, Any], own: frozenset[str], passage: Passage | None) -> dict[str, Any]:
        """Further keys of an article or paragraph, as its first question has them after the transform."""
        if passage is None or not passage.questions:
            self.tally["keys_left_out"] += len(item.keys() - own)
            return {}
        kept = _kept(item, own, passage.questions[0].extra)
        self.tally["keys_left_out"] += len(item.keys() - own - kept.keys())
        return kept


def _further(item: Mapping[str, Any], own: frozenset[str]) -> dict[str, str]:
    texts = {key: cell_text(value) for key, value in item.items() if key not in own}
    return {key: text for key, text in texts.items() if text}


def _kept(item: Mapping[str, Any], own: frozenset[str], extra: Mapping[str, str]) -> dict[str, Any]:
    """Further keys that are still in the transform's extra: the old value where its text is the same, else the text."""
    kept: dict[str, Any] = {}
    for key, text in _further(item, own).items():
        if key in extra:
            kept[key] = item[key] if extra[key] == text else extra[key]
    return kept


def _like(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The new values in the order of the old keys; new keys come last."""
    order = [key for key in old if key in new]
    return {key: new[key] for key in [*order, *(key for key in new if key not in old)]}
