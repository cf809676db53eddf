"""The risk report: what is counted, and that no value is in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.privacy import Detector, assess
from kubepipe.privacy.assess.columns import Column
from kubepipe.privacy.intervals import wilson
from kubepipe.records import validate
from kubepipe.settings.privacy import PrivacySettings

Knows = Callable[..., Detector]
Make = Callable[..., Passage]
WORDS = {"Ada Lovelace": "PERSON", "Ulmen": "PLACE", "Kronau": "PLACE"}


def data() -> dict[str, list[Passage]]:
    """Two splits: a person with a disease, two places, and a passage that names nobody."""
    ill = Question("question-1", "Who?", (Answer("Ada Lovelace", 0),), {"ward": "7", "email": "ada@example.org"})
    plain = Question("question-2", "What?", ())
    return {
        "train": [Passage("passage-1", "d", "Ada Lovelace of Ulmen has diabetes.", (ill, plain))],
        "validation": [
            Passage("passage-2", "e", "In Kronau it rains.", (plain,)),
            Passage("passage-3", "f", "Water boils.", (plain,)),
        ],
    }


def test_the_report_counts_by_type_class_split_and_passage(knows: Knows) -> None:
    """Mentions, different values, passages, the linkage of a person with a special category, unique places."""
    report = assess(data(), PrivacySettings(), knows(WORDS)).document()
    validate(report, "risk-report", place="the report")
    types = {row["type"]: row for row in report["types"]}
    assert report["risk"] == "yes"
    assert (types["PERSON"]["mentions"], types["PERSON"]["distinct"], types["PERSON"]["passages"]) == (1, 1, 1)
    assert (types["PLACE"]["mentions"], types["PLACE"]["distinct"], types["PLACE"]["passages"]) == (2, 2, 2)
    assert types["HEALTH"]["class"] == "ART9"
    assert report["passages"] == {
        "total": 3, "with_direct": 1, "with_quasi": 2, "with_sensitive_linkage": 1, "unique_quasi_sets": 2,
    }  # fmt: skip
    assert report["questions"] == 4
    assert report["shares"]["questions_at_risk"]["share"] == pytest.approx(0.5)
    assert report["splits"]["train"]["with_direct"] == 1
    assert report["splits"]["validation"]["with_direct"] == 0


def test_the_report_names_columns_and_their_roles_but_no_value(knows: Knows) -> None:
    """The name of a column is shown, never what stands in it."""
    report = assess(data(), PrivacySettings(), knows(WORDS)).document()
    assert [(column["name"], column["role"]) for column in report["columns"]] == [
        ("email", "direct"),
        ("ward", "other"),
    ]
    assert not any(value in str(report) for value in ("Ada", "Lovelace", "Ulmen", "example.org"))


def test_data_without_personal_data_is_no_risk(knows: Knows, passage: Make) -> None:
    """The verdict is no, and no reason is given."""
    plain = passage("Water boils.", ("What boils?", "Water"))
    report = assess({"train": [plain]}, PrivacySettings(), knows({})).document()
    assert (report["risk"], report["reasons"]) == ("no", [])


def test_an_empty_data_set_is_reported_without_dividing_by_zero(knows: Knows) -> None:
    """Shares of nothing are 0 with the widest interval."""
    report = assess({"train": []}, PrivacySettings(), knows({})).document()
    validate(report, "risk-report", place="the report")
    assert report["shares"]["at_risk"] == {"share": 0.0, "interval": [0.0, 1.0]}


@pytest.mark.parametrize(
    ("name", "values", "role"),
    [
        ("patient_name", ["x"], "direct"),
        ("E-Mail", ["x"], "direct"),
        ("customer_id", ["1"], "direct"),
        ("diagnosis", ["flu"], "sensitive"),
        ("zip", ["1234"], "quasi"),
        ("age", ["46"], "quasi"),
        ("note", ["the patient came in late and went home soon"], "free text"),
        ("category", ["a"], "other"),
    ],
)
def test_the_name_of_a_column_tells_its_role(name: str, values: list[str], role: str) -> None:
    """Worst first: direct, sensitive, free text, quasi, other."""
    column = Column(name)
    for value in values:
        column.add(value, frozenset())
    assert column.role() == role


def test_what_stands_in_a_column_tells_its_role_too() -> None:
    """A column called x that mostly holds people is direct."""
    column = Column("x")
    for classes in (frozenset({"DIRECT"}), frozenset({"DIRECT"}), frozenset()):
        column.add("value", classes)  # type: ignore[arg-type]
    assert column.role() == "direct"


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (0, 0, 0, 1)],
)
def test_the_interval_is_wilsons(hits: int, total: int, low: float, high: float) -> None:
    """Values of the published formula, to four digits."""
    assert wilson(hits, total) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
