"""Counting what was found: mentions, different values, passages, by type and by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from kubepipe.privacy.assess.singling import ValueSets
from kubepipe.privacy.entities.model import CLASS_OF_TYPE, EntityClass, Span


@dataclass(slots=True)
class TypeTally:
    """Counts of one type; of the values only hashes are kept."""

    mentions: int = 0
    passages: int = 0
    values: set[int] = field(default_factory=set)


@dataclass(slots=True)
class SplitTally:
    """Counts of one split."""

    passages: int = 0
    questions: int = 0
    tokens: int = 0
    with_direct: int = 0


@dataclass(slots=True)
class Tally:
    """Counts of a data set.

    Attributes:
        types: By type of entity.
        class_passages: Passages with an entity of each class.
        with_linkage: Passages with a direct identifier and a special category.
        questions_at_risk: Questions of passages with a direct identifier.
        quasi_sets: How many passages share each set of quasi-identifiers (as the set's hash).
        quasi_values: The sets themselves, as hashes of their values.
    """

    types: dict[str, TypeTally] = field(default_factory=dict)
    class_passages: Counter[EntityClass] = field(default_factory=Counter)
    with_linkage: int = 0
    questions_at_risk: int = 0
    quasi_sets: Counter[int] = field(default_factory=Counter)
    quasi_values: ValueSets = field(default_factory=ValueSets)

    def add(self, text: str, spans: Iterable[Span], questions: int) -> frozenset[EntityClass]:
        """Count a passage; returns the classes that were found in it."""
        seen: set[str] = set()
        quasi: set[int] = set()
        classes: set[EntityClass] = set()
        for span in spans:
            value = hash((span.type, text[span.start : span.end].casefold()))
            counts = self.types.setdefault(span.type, TypeTally())
            counts.mentions += 1
            counts.values.add(value)
            seen.add(span.type)
            classes.add(span.cls)
            if span.cls == "QUASI":
                quasi.add(value)
        for type_ in seen:
            self.types[type_].passages += 1
        self.class_passages.update(classes)
        self.with_linkage += {"DIRECT", "ART9"} <= classes
        self.questions_at_risk += questions if "DIRECT" in classes else 0
        self.quasi_values.add(quasi)
        if quasi:
            self.quasi_sets[hash(frozenset(quasi))] += 1
        return frozenset(classes)

    def unique_sets(self) -> int:
        """Passages whose set of quasi-identifiers no other passage has."""
        return sum(1 for count in self.quasi_sets.values() if count == 1)

    def of_class(self, cls: EntityClass) -> list[TypeTally]:
        """Tallies of the types of a class."""
        return [counts for type_, counts in self.types.items() if CLASS_OF_TYPE.get(type_, "OTHER") == cls]
