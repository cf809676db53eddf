"""SQuAD JSON, versions 1.1 and 2.0.

Layout: https://rajpurkar.github.io/SQuAD-explorer/: articles hold paragraphs, a paragraph holds a context and its
questions (`qas`); version 2.0 marks unanswerable questions with `is_impossible` and gives them `plausible_answers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubepipe.errors import InputError
from kubepipe.passages.answers import read_start
from kubepipe.passages.columns import cell_text, extra_columns
from kubepipe.passages.raw import RawAnswer, RawQuestion
from kubepipe.passages.tally import Tally
from kubepipe.passages.text import names

ARTICLE_KEYS: Final = frozenset({"title", "paragraphs"})
PARAGRAPH_KEYS: Final = frozenset({"context", "qas"})
QUESTION_KEYS: Final = frozenset({"id", "question", "answers", "is_impossible", "plausible_answers"})
ANSWER_KEYS: Final = frozenset({"text", "answer_start"})


def articles_of(document: Any) -> list[Any] | None:
    """The articles of a SQuAD document, also without its outer object; None when it is no SQuAD JSON."""
    articles = document.get("data") if isinstance(document, dict) else document
    if not isinstance(articles, list) or not articles:
        return None
    is_squad = any(isinstance(article, dict) and "paragraphs" in article for article in articles)
    return articles if is_squad else None


def squad_version(document: Any, articles: list[Any]) -> str:
    """Name of the format: version 2.0 is the one that knows unanswerable questions."""
    version = str(document.get("version", "")) if isinstance(document, dict) else ""
    if version.removeprefix("v").startswith("2"):
        return "squad-v2.0"
    marked = (
        "is_impossible" in question
        for article in articles
        for paragraph in _items(article, "paragraphs")
        for question in _items(paragraph, "qas")
        if isinstance(question, dict)
    )
    return "squad-v2.0" if any(marked) else "squad-v1.1"


def _items(value: Any, key: str) -> list[Any]:
    items = value.get(key) if isinstance(value, dict) else None
    return items if isinstance(items, list) else []


def read_squad(articles: list[Any], place: str, tally: Tally) -> Iterator[RawQuestion]:
    """Questions of all articles in their order.

    Raises:
        InputError: A part of the document has another shape; the message says where.
    """
    for number, article in enumerate(articles, start=1):
        at = f"{place}, article {number}"
        title = cell_text(_object(article, at).get("title")) or f"article-{number}"
        outer = _extra(article, ARTICLE_KEYS)
        for index, paragraph in enumerate(_list(article, "paragraphs", at), start=1):
            yield from _paragraph(paragraph, title, outer, f"{at}, paragraph {index}", tally)


def _paragraph(paragraph: Any, title: str, outer: Mapping[str, str], place: str, tally: Tally) -> Iterator[RawQuestion]:
    context = _text(_object(paragraph, place), "context", place)
    extra = {**outer, **_extra(paragraph, PARAGRAPH_KEYS)}
    questions = _list(paragraph, "qas", place)
    if not questions:
        tally["contexts_without_questions"] += 1
    for number, question in enumerate(questions, start=1):
        at = f"{place}, question {number}"
        yield RawQuestion(
            context=context,
            text=_text(_object(question, at), "question", at),
            answers=gold_answers(question, at, tally),
            id=cell_text(question.get("id")),
            document=title,
            extra={**extra, **_extra(question, QUESTION_KEYS)},
        )


def gold_answers(question: Mapping[str, Any], place: str, tally: Tally) -> tuple[RawAnswer, ...]:
    """Gold answers of a question; none when it is marked as impossible.

    Raises:
        InputError: The answers have another shape.
    """
    tally["plausible_answers_left_out"] += len(_items(question, "plausible_answers"))
    answers = answer_list(question, "answers", place, tally)
    if question.get("is_impossible") is True and answers:
        tally["answers_of_impossible_questions"] += len(answers)
        return ()
    return answers


def answer_list(question: Mapping[str, Any], key: str, place: str, tally: Tally) -> tuple[RawAnswer, ...]:
    """Answers under a key of a question.

    Raises:
        InputError: The answers have another shape.
    """
    if question.get(key) is None:
        return ()
    answers = []
    for number, item in enumerate(_list(question, key, place), start=1):
        at = f"{place}, answer {number}"
        answer = _object(item, at)
        tally["answer_keys_left_out"] += len(answer.keys() - ANSWER_KEYS)
        answers.append(RawAnswer(_text(answer, "text", at), read_start(answer.get("answer_start"))))
    return tuple(answers)


def _extra(value: Mapping[str, Any], own: frozenset[str]) -> dict[str, str]:
    return extra_columns({key: item for key, item in value.items() if key not in own})


def _object(value: Any, place: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise InputError("is no object, as SQuAD JSON has it", place=place, remedy="Compare with the SQuAD format")


def _list(value: Mapping[str, Any], key: str, place: str) -> list[Any]:
    items = value.get(key)
    if isinstance(items, list):
        return items
    reason = f"'{key}' is no list" if key in value else f"has no list '{key}' (found: {names(value)})"
    raise InputError(reason, place=place, remedy="Compare with the SQuAD format")


def _text(value: Mapping[str, Any], key: str, place: str) -> str:
    """A text; blank where it is missing."""
    text = value.get(key)
    if text is None:
        return ""
    if isinstance(text, str):
        return text
    raise InputError(f"'{key}' is no text", place=place, remedy="Compare with the SQuAD format")
