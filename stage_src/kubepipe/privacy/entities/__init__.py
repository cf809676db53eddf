"""What counts as personal data: types of entities, their classes, and the words around them."""

from kubepipe.privacy.entities.model import CLASS_OF_TYPE, EntityClass, Span, class_of
from kubepipe.privacy.entities.tokens import (
    Token,
    all_tokens,
    all_words,
    fold,
    is_enclitic,
    is_name_like,
    may_be_name,
    tokens_of,
)

__all__ = [
    "CLASS_OF_TYPE",
    "EntityClass",
    "Span",
    "Token",
    "all_tokens",
    "all_words",
    "class_of",
    "fold",
    "is_enclitic",
    "is_name_like",
    "may_be_name",
    "tokens_of",
]
