"""A question as a reader finds it, before it is aligned and grouped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A gold answer of the source.

    Attributes:
        text: The answer.
        start: Offset in code points as the source claims it; None where it says nothing readable.
    """

    text: str
    start: int | None


@dataclass(frozen=True, slots=True)
class RawQuestion:
    """A question of the source with the context it is asked on.

    Attributes:
        context: The context; blank where the source has none.
        text: The question; blank where the source has none.
        answers: Gold answers in the order of the source; empty means unanswerable.
        id: The source's id, if it has one.
        document: The source's name of the document, if it has one.
        extra: Further columns as text.
    """

    context: str
    text: str
    answers: tuple[RawAnswer, ...] = ()
    id: str | None = None
    document: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
