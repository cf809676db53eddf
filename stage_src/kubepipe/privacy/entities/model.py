"""What a detector reports: a span of a type, and the class that the type belongs to (see settings/entities)."""

from __future__ import annotations

from dataclasses import dataclass

from kubepipe.settings.entities import CLASS_OF_TYPE, EntityClass

__all__ = ["CLASS_OF_TYPE", "EntityClass", "Span", "class_of"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A piece of a text that says something about a person.

    Attributes:
        start: First code point.
        end: One past the last code point.
        type: A key of `CLASS_OF_TYPE`.
        cls: Its class.
        source: The detector that found it, for example `ner`, `pattern:iban`, `propagated`.
        score: Confidence between 0 and 1; 1 means that a checksum or an unambiguous syntax agreed.
    """

    start: int
    end: int
    type: str
    cls: EntityClass
    source: str
    score: float


def class_of(type_: str) -> EntityClass:
    """Class of a type; a type of a plug-in that is not listed counts as OTHER."""
    return CLASS_OF_TYPE.get(type_, "OTHER")
