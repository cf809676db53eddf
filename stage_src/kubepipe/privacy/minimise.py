"""Data minimisation (GDPR article 5(1)(c)): context, question and answers stay, everything else goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from kubepipe.errors import InputError
from kubepipe.passages.model import Passage, Question
from kubepipe.privacy.pseudonymise.keyed import is_opaque, keyed_hex, opaque_id
from kubepipe.settings.privacy import PrivacySettings


def minimise(
    passages: Iterable[Passage], settings: PrivacySettings, key: bytes, counts: Counter[str] | None = None
) -> Iterator[Passage]:
    """Passages with what training needs.

    Args:
        passages: Protected passages.
        settings: Its `unknown_columns` says whether further columns are dropped or refused.
        key: Pseudonym key: names of documents and telling ids become keyed ids.
        counts: Is added to: `column:NAME` dropped values per column, `ids_replaced`, `documents_renamed`.

    Raises:
        InputError: There are further columns, and the policy refuses them.
    """
    tally: Counter[str] = Counter() if counts is None else counts
    renamed: dict[str, str] = {}
    for passage in passages:
        if passage.document not in renamed:
            renamed[passage.document] = f"document-{keyed_hex(key, 'document', passage.document, length=16)}"
            tally["documents_renamed"] += 1
        questions = tuple(_minimised(question, settings, key, tally) for question in passage.questions)
        yield Passage(_id(passage.id, key, tally), renamed[passage.document], passage.context, questions)


def _minimised(question: Question, settings: PrivacySettings, key: bytes, tally: Counter[str]) -> Question:
    if question.extra and settings.unknown_columns == "refuse":
        raise InputError(
            f"there are {len(question.extra)} columns beyond context, question and answers",
            place="minimisation",
            remedy="Remove them, or set privacy.unknown_columns to drop",
        )
    tally.update(f"column:{name}" for name in question.extra)
    return replace(question, id=_id(question.id, key, tally), extra={})


def _id(name: str, key: bytes, tally: Counter[str]) -> str:
    if is_opaque(name):
        return name
    tally["ids_replaced"] += 1
    return opaque_id(key, name)
