"""The large public data sets, and the samples that the repository ships."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kubepipe.passages import Source, rewrite_squad, verify_dataset, write_dataset

Read = Callable[..., Source]
REPOSITORY = Path(__file__).parent.parent.parent

SETS = [
    ("squad/dev-v1.1.rebuilt.json", "squad-v1.1", 2067, 10570, 34726, 0),
    ("squad/dev-v2.0.rebuilt.json", "squad-v2.0", 1204, 11873, 20302, 5945),
    ("squad/train-v1.1.partial.json", "json", 678, 4370, 4370, 0),
    ("xquad/xquad.en.json", "squad-v1.1", 240, 1190, 1190, 0),
]


def totals(source: Source) -> tuple[int, int, int, int]:
    """Numbers of passages, questions, answers and unanswerable questions."""
    passages = [passage for split in source.splits.values() for passage in split]
    questions = [question for passage in passages for question in passage.questions]
    answers = sum(len(question.answers) for question in questions)
    return len(passages), len(questions), answers, sum(not question.is_answerable for question in questions)


@pytest.mark.parametrize(("name", "form", "passages", "questions", "answers", "unanswerable"), SETS)
def test_public_sets_are_read_whole(
    name: str,
    form: str,
    passages: int,
    questions: int,
    answers: int,
    unanswerable: int,
    shared_data: Path,
    tmp_path: Path,
    read: Read,
) -> None:
    """SQuAD 1.1, 2.0 and XQuAD are read without losing a question or an answer, and survive storing."""
    source = read(shared_data / name)
    assert (source.format, *totals(source)) == (form, passages, questions, answers, unanswerable)
    write_dataset(tmp_path, source.splits, origin={"source_digest": source.digest}, counts=source.counts)
    verify_dataset(tmp_path)
    assert read(tmp_path).splits == source.splits


@pytest.mark.parametrize("name", ["squad/dev-v1.1.rebuilt.json", "squad/dev-v2.0.rebuilt.json", "xquad/xquad.en.json"])
def test_public_sets_are_rewritten_as_they_are(name: str, shared_data: Path, tmp_path: Path) -> None:
    """Rewriting a public set without a change gives an equal document."""
    rewrite_squad(shared_data / name, tmp_path / "out.json", lambda passage: passage)
    assert json.loads((tmp_path / "out.json").read_text()) == json.loads((shared_data / name).read_text())


def test_wrong_offsets_of_a_real_set_are_found(shared_data: Path, read: Read) -> None:
    """A real file with wrong offsets: what can be repaired is repaired, the rest is dropped and counted."""
    source = read(shared_data / "squad" / "dev-v1.1.partial.json")
    assert source.counts["answers_realigned"] == 3
    assert source.counts["questions_dropped_answer_absent"] == 8
    assert totals(source)[1] == 1096 - 8


def test_the_squad_sample_keeps_its_splits(examples: Path, read: Read) -> None:
    """The sample of SQuAD holds two splits without a shared article, all offsets right, and its notice."""
    source = read(examples / "squad")
    assert {split: len(passages) for split, passages in source.splits.items()} == {"train": 60, "validation": 63}
    assert {reason for reason, count in source.counts.items() if count} == {"rows_read"}
    assert "CC BY-SA 4.0" in (examples / "squad" / "NOTICE.md").read_text()


def test_the_clinic_sample_is_what_its_program_writes(examples: Path, tmp_path: Path, read: Read) -> None:
    """The invented clinic is the same every time, all offsets right, with columns that minimisation must remove."""
    program = REPOSITORY / "scripts" / "make_clinic_example.py"
    subprocess.run([sys.executable, program, tmp_path / "clinic.jsonl"], check=True, capture_output=True)
    assert (tmp_path / "clinic.jsonl").read_bytes() == (examples / "clinic" / "clinic.jsonl").read_bytes()
    source = read(examples / "clinic")
    assert totals(source)[:2] == (40, 120)
    assert {reason for reason, count in source.counts.items() if count} == {"rows_read"}
    assert set(source.splits["train"][0].questions[0].extra) == {"patient_id", "phone", "ward"}


def test_the_numbers_of_the_clinic_are_valid(examples: Path, read: Read) -> None:
    """IBANs and NHS numbers of the sample have right check digits, so that detectors can be tried on them."""
    import re

    from stdnum import iban
    from stdnum.gb import nhs

    text = " ".join(passage.context for passages in read(examples / "clinic").splits.values() for passage in passages)
    accounts = re.findall(r"DE\d\d(?: \d{4}){4} \d\d", text)
    numbers = re.findall(r"999 \d{3} \d{4}", text)
    assert len(accounts) >= 4
    assert len(numbers) >= 4
    assert all(map(iban.is_valid, accounts))
    assert all(map(nhs.is_valid, numbers))
