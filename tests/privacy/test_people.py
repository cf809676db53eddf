"""The further columns as a table of people."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubepipe.passages import read_source
from kubepipe.passages.model import Passage, Question
from kubepipe.privacy import Detector, assess
from kubepipe.privacy.assess.table import table_risk
from kubepipe.records import validate
from kubepipe.settings.model import DatasetSettings
from kubepipe.settings.privacy import PrivacySettings

Knows = Callable[..., Detector]
_ROWS = [("34", "Ulm", "flu"), ("34", "Ulm", "gout"), ("51", "Kronau", "flu")]
_QUASI = ("age", "education", "occupation", "relationship", "sex", "native-country")


def data(rows: list[tuple[str, str, str]], questions: int = 1) -> dict[str, list[Passage]]:
    """A passage a person, with so many questions on it."""
    return {
        "train": [
            Passage(
                f"p{number}",
                "d",
                f"File {number}.",
                tuple(
                    Question(
                        f"q{number}-{each}", "Which?", (), dict(zip(("age", "town", "diagnosis"), row, strict=True))
                    )
                    for each in range(questions)
                ),
            )
            for number, row in enumerate(rows)
        ]
    }


def test_columns_that_look_like_it_are_taken(knows: Knows) -> None:
    """Age and town are quasi-identifiers, the diagnosis is sensitive; one person of three stands alone."""
    report = assess(data(_ROWS), PrivacySettings(), knows({})).document()
    validate(report, "risk-report", place="the report")
    people = report["people"]
    assert people["quasi_identifiers"] == ["age", "town"]
    assert (people["chosen"], people["rows"], people["classes"], people["k"], people["unique"]) == (
        "detected",
        3,
        2,
        1,
        1,
    )
    assert people["sensitive"][0]["name"] == "diagnosis"
    assert "singled_out_columns" in report["reasons"]
    assert not any(value in str(report) for value in ("Ulm", "Kronau", "gout"))


def test_five_questions_on_one_person_are_one_record(knows: Knows) -> None:
    """The k counts people, not questions: otherwise everybody would seem to have company."""
    people = assess(data(_ROWS, questions=5), PrivacySettings(), knows({})).document()["people"]
    assert (people["rows"], people["k"]) == (3, 1)


def test_declared_columns_count_and_no_others(knows: Knows) -> None:
    """What the policy declares is taken as it says, and a declared column that is not there is told."""
    policy = PrivacySettings(quasi_identifiers=("town", "ward"), sensitive_columns=("age",), min_k=1)
    report = assess(data(_ROWS), policy, knows({})).document()
    people = report["people"]
    assert (people["chosen"], people["quasi_identifiers"], people["absent"]) == ("declared", ["town"], ["ward"])
    assert [each["name"] for each in people["sensitive"]] == ["age"]
    assert {column["name"]: column["role"] for column in report["columns"]}["age"] == "sensitive"
    assert "singled_out_columns" not in report["reasons"]


def test_a_data_set_without_such_columns_has_no_table(knows: Knows) -> None:
    """Nothing is said where there is nothing."""
    report = assess({"train": [Passage("p", "d", "Water.", (Question("q", "What?"),))]}, PrivacySettings(), knows({}))
    assert report.document()["people"] is None
    assert report.people.absent() == []


@pytest.fixture
def adult() -> Path:
    """The census of 1994."""
    path = Path(os.environ.get("KUBEPIPE_TEST_DATA", "-")) / "adult" / "adult.csv"
    if not path.is_file():
        pytest.skip("KUBEPIPE_TEST_DATA names no folder with adult/adult.csv")
    return path


def test_the_census_travels_with_its_columns_and_is_assessed(adult: Path, tmp_path: Path, rules: Detector) -> None:
    """Read as a data set with further columns, Adult has the figures of its table."""
    with adult.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))[:2000]
    source = tmp_path / "people.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["context", "question", "answers", *rows[0]])
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow({"context": f"File {number}.", "question": "Which file?", "answers": str(number), **row})

    def passages() -> Iterator[Passage]:
        for split in read_source(source, DatasetSettings(), seed=0, hold_out=False).splits.values():
            yield from split

    policy = PrivacySettings(quasi_identifiers=_QUASI, sensitive_columns=("salary-class",))
    people = assess({"train": passages()}, policy, rules).document()["people"]
    expected = table_risk({name: [row[name] for row in rows] for name in rows[0]}, sorted(_QUASI), ["salary-class"])
    assert expected is not None
    assert people == {"chosen": "declared", "absent": [], **expected.document()}
