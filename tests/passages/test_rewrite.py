"""A rewritten SQuAD JSON has the shape of its source, and nothing of its texts that the transform did not let pass."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import InputError, IntegrityError, OutputError
from kubepipe.passages import Answer, Passage, Question, rewrite_squad

Row = dict[str, Any]

DOCUMENT: Row = {
    "version": "v2.0",
    "exported_by": "Ann",
    "final": True,
    "data": [
        {
            "title": "Ann",
            "author": "Ann",
            "paragraphs": [
                {
                    "qas": [
                        {
                            "question": "Who met Ann?",
                            "id": "1",
                            "answers": [
                                {"answer_start": 9, "text": "Bo", "checked": True, "note": "Ann"},
                                {"answer_start": 9, "text": "Bo"},
                            ],
                            "is_impossible": False,
                            "clerk": "Ann",
                        },
                        {
                            "plausible_answers": [
                                {"text": "Kiel", "answer_start": 15},
                                {"text": "Rome", "answer_start": 0},
                            ],
                            "question": "Where is Ann?",
                            "id": "2",
                            "answers": [],
                            "is_impossible": True,
                        },
                        {"question": "Where?", "id": "3", "answers": [{"text": "Kiel", "answer_start": 99}]},
                        {"question": "Which?", "id": "4", "answers": [{"text": "Rome", "answer_start": 0}]},
                    ],
                    "context": "Ann met  Bo in Kiel.",
                    "number": 7,
                },
                {"context": "Ann, alone.", "qas": []},
            ],
        }
    ],
}


def longer(text: str) -> str:
    """The text under another name."""
    return text.replace("Ann", "Xenia")


def rename(passage: Passage) -> Passage:
    """Every Ann becomes a Xenia, everywhere, and further keys of that name go away."""

    def moved(start: int) -> int:
        return len(longer(passage.context[:start]))

    def renamed(question: Question) -> Question:
        answers = tuple(Answer(longer(answer.text), moved(answer.start)) for answer in question.answers)
        extra = {name: text for name, text in question.extra.items() if text != "Ann"}
        return replace(question, text=longer(question.text), answers=answers, extra=extra)

    questions = tuple(map(renamed, passage.questions))
    return Passage(passage.id, longer(passage.document), longer(passage.context), questions)


def source_at(path: Path, document: Row, *, ascii_only: bool = True) -> Path:
    """Write a document."""
    path.write_text(json.dumps(document, ensure_ascii=ascii_only), encoding="utf-8")
    return path


def test_a_document_is_rewritten_in_its_shape(tmp_path: Path) -> None:
    """Ids, order, keys, version and is_impossible stay; texts, offsets, titles and plausible answers follow."""
    counts = rewrite_squad(source_at(tmp_path / "in.json", DOCUMENT), tmp_path / "out.json", rename)
    text = (tmp_path / "out.json").read_text()
    assert "Ann" not in text
    document = json.loads(text)
    assert list(document) == ["version", "final", "data"]
    (article,) = document["data"]
    assert list(article) == ["title", "paragraphs"]
    assert article["title"] == "Xenia"
    first, second = article["paragraphs"]
    assert list(first) == ["qas", "context", "number"]
    assert (first["context"], first["number"]) == ("Xenia met  Bo in Kiel.", 7)
    assert second == {"context": "Xenia, alone.", "qas": []}
    assert first["qas"] == [
        {
            "question": "Who met Xenia?",
            "id": "1",
            "answers": [
                {"answer_start": 11, "text": "Bo", "checked": True},
                {"answer_start": 11, "text": "Bo"},
            ],
            "is_impossible": False,
        },
        {
            "plausible_answers": [],
            "question": "Where is Xenia?",
            "id": "2",
            "answers": [],
            "is_impossible": True,
        },
        {"question": "Where?", "id": "3", "answers": [{"text": "Kiel", "answer_start": 17}]},
    ]
    assert counts == {
        "passages": 2,
        "questions": 3,
        "answers": 3,
        "unanswerable": 1,
        "answers_realigned": 1,
        "questions_dropped_answer_absent": 1,
        "plausible_answers_left_out": 2,
        "keys_left_out": 4,
    }


def test_plausible_answers_follow_when_they_can(tmp_path: Path) -> None:
    """Plausible answers that stand in the context are moved like gold answers."""
    document = json.loads(json.dumps(DOCUMENT))
    question = document["data"][0]["paragraphs"][0]["qas"][1]
    del question["plausible_answers"][1]
    rewrite_squad(source_at(tmp_path / "in.json", document), tmp_path / "out.json", rename)
    written = json.loads((tmp_path / "out.json").read_text())["data"][0]["paragraphs"][0]["qas"][1]
    assert written["plausible_answers"] == [{"text": "Kiel", "answer_start": 17}]
    assert written["answers"] == []


def test_without_a_change_nothing_changes(tmp_path: Path) -> None:
    """A transform that changes nothing gives the same document, further keys included."""
    document = json.loads(json.dumps(DOCUMENT))
    del document["exported_by"]
    qas = document["data"][0]["paragraphs"][0]["qas"]
    del qas[0]["answers"][0]["note"], qas[1]["plausible_answers"][1], qas[2:]
    for ascii_only in (True, False):
        document["data"][0]["title"] = "Änn 🎈"
        source = source_at(tmp_path / "in.json", document, ascii_only=ascii_only)
        rewrite_squad(source, tmp_path / "out.json", lambda passage: passage)
        assert (tmp_path / "out.json").read_bytes() == source.read_bytes()


def test_questions_that_the_transform_drops_are_dropped(tmp_path: Path) -> None:
    """A question that does not come back is left out and counted; its paragraph stays."""

    def drop(passage: Passage) -> Passage:
        return replace(passage, questions=passage.questions[1:])

    counts = rewrite_squad(source_at(tmp_path / "in.json", DOCUMENT), tmp_path / "out.json", drop)
    paragraphs = json.loads((tmp_path / "out.json").read_text())["data"][0]["paragraphs"]
    assert [question["id"] for question in paragraphs[0]["qas"]] == ["2", "3"]
    assert counts["questions_dropped_by_transform"] == 1


def test_paragraphs_that_the_transform_drops_are_dropped(tmp_path: Path) -> None:
    """A paragraph for which nothing comes back is left out whole and counted, and gives its article no title."""

    def first_only(passage: Passage) -> Passage | None:
        return passage if passage.questions else None

    source = source_at(tmp_path / "in.json", DOCUMENT)
    counts = rewrite_squad(source, tmp_path / "out.json", first_only)
    assert len(json.loads((tmp_path / "out.json").read_text())["data"][0]["paragraphs"]) == 1
    assert (counts["passages"], counts["passages_dropped_by_transform"]) == (1, 1)
    rewrite_squad(source, tmp_path / "out.json", lambda _passage: None)
    assert json.loads((tmp_path / "out.json").read_text())["data"] == [{"title": "", "paragraphs": []}]


def test_duplicate_ids_stay(tmp_path: Path) -> None:
    """Ids of the file are written as they were, even where two questions have the same."""
    document = json.loads(json.dumps(DOCUMENT))
    for question in document["data"][0]["paragraphs"][0]["qas"]:
        question["id"] = "same"
    rewrite_squad(source_at(tmp_path / "in.json", document), tmp_path / "out.json", rename)
    qas = json.loads((tmp_path / "out.json").read_text())["data"][0]["paragraphs"][0]["qas"]
    assert [(question["id"], question["question"]) for question in qas] == [
        ("same", "Who met Xenia?"),
        ("same", "Where is Xenia?"),
        ("same", "Where?"),
    ]


def test_gzip_in_and_out(tmp_path: Path) -> None:
    """A gzip file is read as what it holds; a target that ends in .gz is one, the same bytes every time."""
    (tmp_path / "in.json.gz").write_bytes(gzip.compress(json.dumps(DOCUMENT).encode()))
    for name in ("a.json.gz", "b.json.gz"):
        rewrite_squad(tmp_path / "in.json.gz", tmp_path / name, rename)
    assert json.loads(gzip.decompress((tmp_path / "a.json.gz").read_bytes()))["version"] == "v2.0"
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()


def misplace(passage: Passage) -> Passage:
    """A transform that forgets the offsets."""
    return replace(passage, context=f"!{passage.context}")


def fail(_passage: Passage) -> Passage:
    """A transform that breaks."""
    raise RuntimeError("out of order")


FAULTS: list[tuple[Any, Callable[[Passage], Passage], type[Exception], str]] = [
    (DOCUMENT, misplace, IntegrityError, "an answer no longer stands in its context"),
    (DOCUMENT, fail, RuntimeError, "out of order"),
    ([{"context": "Ann"}], rename, InputError, "is no SQuAD JSON"),
    ({"other": 1}, rename, InputError, r"is no SQuAD JSON \(keys: other\)"),
    ({"data": [*DOCUMENT["data"], {"paragraphs": 1}]}, rename, InputError, "article 2: 'paragraphs' is no list"),
]


@pytest.mark.parametrize(("document", "transform", "error", "message"), FAULTS)
def test_a_fault_leaves_the_target_alone(
    document: Any, transform: Callable[[Passage], Passage], error: type[Exception], message: str, tmp_path: Path
) -> None:
    """Whatever goes wrong, an earlier target stays as it was and no partial file appears."""
    (tmp_path / "out.json").write_text("before")
    with pytest.raises(error, match=message):
        rewrite_squad(source_at(tmp_path / "in.json", document), tmp_path / "out.json", transform)
    assert (tmp_path / "out.json").read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_unwritable_target_is_an_output_error(tmp_path: Path) -> None:
    """A target that is a folder, or lies below a file, is one clear line."""
    source = source_at(tmp_path / "in.json", DOCUMENT)
    for target in (tmp_path, source / "out.json"):
        with pytest.raises(OutputError, match="cannot be written"):
            rewrite_squad(source, target, rename)
