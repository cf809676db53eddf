"""Roles of columns beyond context, question and answers, from their names and from what stands in them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from kubepipe.privacy.entities.model import EntityClass

Role = Literal["direct", "quasi", "sensitive", "free text", "other"]

_DIRECT: Final = re.compile(
    r"(?:^|[_\W])(?:(?:first|last|full|sur|given|family|middle|maiden|patient|customer|client|user|doctor|"
    r"employee)?_?name|"
    r"e?_?mail|phone|mobile|fax|tel|ssn|iban|card|passport|mrn|nhs|nino|licen[cs]e|account|address|street|ip|"
    r"url|handle|"
    r"(?:patient|customer|client|user|person|member|employee)_?(?:id|no|nr|number)|vorname|nachname|anschrift|"
    r"nom|prenom)"
    r"(?:$|[_\W])",
    re.IGNORECASE,
)
_QUASI: Final = re.compile(
    r"(?:^|[_\W])(?:age|dob|birth\w*|date|year|sex|gender|zip|post_?code|plz|city|town|state|region|county|country|"
    r"nationality|job|occupation|profession|employer|company|marital\w*|education|income|salary|alter|"
    r"geburt\w*|ort|beruf)"
    r"(?:$|[_\W])",
    re.IGNORECASE,
)
_SENSITIVE: Final = re.compile(
    r"(?:^|[_\W])(?:diagnos\w*|disease|condition|health\w*|medic\w*|drug|blood\w*|religion|race|ethnic\w*|"
    r"politic\w*|party|"
    r"union|sexual\w*|orientation|criminal\w*|offen[cs]e|disability|icd\w*|symptom\w*|treatment|therapy)(?:$|[_\W])",
    re.IGNORECASE,
)
_FREE_TEXT_WORDS: Final = 6
_MOSTLY: Final = 0.5


@dataclass(slots=True)
class Column:
    """What was seen of a column; of the values only hashes are kept, and what they are as numbers.

    Attributes:
        name: Its name in the source.
        declared: Role that the policy gives it; None leaves it to name and values.
        rows: Questions that have a value.
        codes: Number of each different value, by its hash, from 1.
        figures: What each different value is as a number, in the order of their codes; None for a word.
        words: Words of all values together.
        classes: Rows in which an entity of each class was found.
    """

    name: str
    declared: Role | None = None
    rows: int = 0
    codes: dict[int, int] = field(default_factory=dict)
    figures: list[float | None] = field(default_factory=list)
    words: int = 0
    classes: Counter[EntityClass] = field(default_factory=Counter)

    def add(self, value: str, classes: frozenset[EntityClass]) -> int:
        """Take in one value; returns its code. An empty one does not count and has the code 0."""
        plain = value.strip()
        if not plain:
            return 0
        self.rows += 1
        self.words += len(value.split())
        self.classes.update(classes)
        code = self.codes.setdefault(hash(plain), len(self.codes) + 1)
        if code > len(self.figures):
            self.figures.append(_number(plain))
        return code

    def role(self) -> Role:
        """What the column is: as declared, or as name and values look."""
        return self.declared or self._looks()

    def _looks(self) -> Role:
        """What name and values look like, worst first."""
        if _DIRECT.search(self.name):
            return "direct"
        if _SENSITIVE.search(self.name):
            return "sensitive"
        is_text = self.rows > 0 and self.words / self.rows > _FREE_TEXT_WORDS
        if is_text:
            return "free text"
        if self._mostly("DIRECT"):
            return "direct"
        if _QUASI.search(self.name) or self._mostly("QUASI"):
            return "quasi"
        return "sensitive" if self._mostly("ART9") else "other"

    def document(self) -> Mapping[str, Any]:
        """The column as JSON values."""
        return {
            "name": self.name,
            "role": self.role(),
            "rows": self.rows,
            "distinct": len(self.codes),
            "uniqueness": len(self.codes) / self.rows if self.rows else 0.0,
        }

    def _mostly(self, cls: EntityClass) -> bool:
        return self.rows > 0 and self.classes[cls] / self.rows > _MOSTLY


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
