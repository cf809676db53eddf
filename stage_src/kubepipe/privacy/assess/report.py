"""The risk report of a data set: counts, densities and shares with intervals; never a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any, Final

from kubepipe.passages.model import Passage
from kubepipe.privacy.assess.people import PeopleTable
from kubepipe.privacy.assess.table import TableRisk
from kubepipe.privacy.assess.tally import SplitTally, Tally, TypeTally
from kubepipe.privacy.detect.detector import Detector, build_detector
from kubepipe.privacy.entities.model import EntityClass, Span, class_of
from kubepipe.privacy.entities.tokens import tokens_of
from kubepipe.privacy.intervals import wilson
from kubepipe.privacy.language import other_language
from kubepipe.privacy.pseudonymise.fields import Joined
from kubepipe.privacy.pseudonymise.survey import within_fields
from kubepipe.privacy.reading import read_passages
from kubepipe.settings.privacy import PrivacySettings

_CLASSES: Final[tuple[EntityClass, ...]] = ("DIRECT", "QUASI", "ART9", "OTHER")


@dataclass(slots=True)
class RiskReport:
    """What `assess` counted.

    Attributes:
        settings: The policy that it was counted under.
        tally: Counts of all passages.
        splits: Counts by split.
        languages: Passages that are written in another language than the declared one, by language.
        foreign: Hashes of the names of their documents.
        people: Columns beyond context, question and answers.
    """

    settings: PrivacySettings
    tally: Tally = field(default_factory=Tally)
    splits: dict[str, SplitTally] = field(default_factory=dict)
    languages: Counter[str] = field(default_factory=Counter)
    foreign: set[int] = field(default_factory=set)
    people: PeopleTable = field(init=False)

    def __post_init__(self) -> None:
        self.people = PeopleTable(self.settings)

    def _reasons(self, people: TableRisk | None) -> list[str]:
        """Why the risk is yes; empty when it is no."""
        per_1000 = self._density(self.tally.of_class("DIRECT"))
        found = []
        if per_1000 > self.settings.max_direct_density:
            found.append("direct_identifiers")
        if self.tally.with_linkage:
            found.append("sensitive_linkage")
        if self.people.with_role("direct") or self.people.with_role("sensitive"):
            found.append("columns")
        if people is not None and people.k < self.settings.min_k:
            found.append("singled_out_columns")
        return found

    def document(self) -> dict[str, Any]:
        """The report as JSON values (schema `risk-report`)."""
        tally = self.tally
        passages = sum(split.passages for split in self.splits.values())
        questions = sum(split.questions for split in self.splits.values())
        with_direct = tally.class_passages["DIRECT"]
        unique = tally.unique_sets()
        people, columns = self.people.risk(), self.people.columns
        reasons = self._reasons(people)
        return {
            "schema_version": 1,
            "language": self.settings.language,
            "risk": "yes" if reasons else "no",
            "reasons": reasons,
            "tokens": self._tokens(),
            "questions": questions,
            "passages": {
                "total": passages,
                "with_direct": with_direct,
                "with_quasi": tally.class_passages["QUASI"],
                "with_sensitive_linkage": tally.with_linkage,
                "unique_quasi_sets": unique,
            },
            "classes": [self._class_row(cls) for cls in _CLASSES],
            "types": [self._type_row(type_, tally.types[type_]) for type_ in sorted(tally.types, key=_by_class)],
            "shares": {
                "at_risk": _share(with_direct, passages),
                "sensitive_linkage": _share(tally.with_linkage, passages),
                "singling_out": _share(unique, passages),
                "questions_at_risk": _share(tally.questions_at_risk, questions),
            },
            "other_language": {
                "passages": sum(self.languages.values()),
                "documents": len(self.foreign),
                "languages": dict(sorted(self.languages.items())),
            },
            "singled_out": tally.quasi_values.singled_out().document(),
            "columns": [dict(columns[name].document()) for name in sorted(columns)],
            "people": self.people.document(people),
            "splits": {
                name: {
                    "passages": split.passages,
                    "questions": split.questions,
                    "tokens": split.tokens,
                    "with_direct": split.with_direct,
                }
                for name, split in self.splits.items()
            },
        }

    def _tokens(self) -> int:
        return sum(split.tokens for split in self.splits.values())

    def _density(self, tallies: Iterable[TypeTally]) -> float:
        tokens = self._tokens()
        return 1000 * sum(counts.mentions for counts in tallies) / tokens if tokens else 0.0

    def _class_row(self, cls: EntityClass) -> dict[str, Any]:
        tallies = self.tally.of_class(cls)
        return {
            "class": cls,
            "mentions": sum(counts.mentions for counts in tallies),
            "distinct": sum(len(counts.values) for counts in tallies),
            "density_per_1000_tokens": self._density(tallies),
            "passages": self.tally.class_passages[cls],
        }

    def _type_row(self, type_: str, counts: TypeTally) -> dict[str, Any]:
        return {
            "class": class_of(type_),
            "type": type_,
            "mentions": counts.mentions,
            "distinct": len(counts.values),
            "density_per_1000_tokens": self._density([counts]),
            "passages": counts.passages,
        }


def assess(
    splits: Mapping[str, Iterable[Passage]], settings: PrivacySettings, detector: Detector | None = None
) -> RiskReport:
    """Count the personal data of a data set; nothing is changed.

    Args:
        splits: Passages by split.
        settings: The policy.
        detector: Finds the spans; None builds the policy's own.

    Raises:
        ModelNotFoundError: The language's model is not on this machine.
    """
    reader = detector if detector is not None else build_detector(settings)
    report = RiskReport(settings)
    for name, passages in splits.items():
        split = report.splits.setdefault(name, SplitTally())
        for passage, joined, spans in read_passages(passages, reader):
            _add(report, split, passage, joined, within_fields(joined, spans))
    return report


def _add(report: RiskReport, split: SplitTally, passage: Passage, joined: Joined, spans: list[Span]) -> None:
    split.passages += 1
    split.questions += len(passage.questions)
    split.tokens += sum(1 for _ in tokens_of(joined.text))
    language = other_language(joined.text, report.settings.language)
    if language is not None:
        report.languages[language] += 1
        report.foreign.add(hash(passage.document))
    classes = report.tally.add(joined.text, spans, len(passage.questions))
    split.with_direct += "DIRECT" in classes
    if any(question.extra for question in passage.questions):
        _add_columns(report, passage, joined, spans)


def _add_columns(report: RiskReport, passage: Passage, joined: Joined, spans: list[Span]) -> None:
    rows: list[dict[str, tuple[str, frozenset[EntityClass]]]] = [{} for _ in passage.questions]
    position = 0
    for place in joined.fields:
        if not place.column:
            continue
        while position < len(spans) and spans[position].end <= place.start:
            position += 1
        inside = takewhile(lambda span, end=place.end: span.start < end, islice(spans, position, None))  # type: ignore[misc]
        value = joined.text[place.start : place.end]
        rows[place.question][place.column] = (value, frozenset(span.cls for span in inside))
    for row in rows:
        report.people.add(sum(split.passages for split in report.splits.values()), row)


def _by_class(type_: str) -> tuple[int, str]:
    return _CLASSES.index(class_of(type_)), type_


def _share(hits: int, total: int) -> dict[str, Any]:
    return {"share": hits / total if total else 0.0, "interval": list(wilson(hits, total))}
