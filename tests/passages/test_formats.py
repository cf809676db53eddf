"""Formats are told by the content, and all of them give the same passages."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kubepipe.errors import InputError
from kubepipe.passages import Passage, Source

Row = dict[str, Any]
Read = Callable[..., Source]


def as_jsonl(rows: list[Row], path: Path) -> None:
    """One JSON object per line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def as_array(rows: list[Row], path: Path) -> None:
    """A JSON array over several lines."""
    path.write_text(json.dumps(rows, indent=2), encoding="utf-8")


def as_wrapped_array(rows: list[Row], path: Path) -> None:
    """An array under `data`."""
    path.write_text(json.dumps({"data": rows}), encoding="utf-8")


def as_bom(rows: list[Row], path: Path) -> None:
    """An array behind a byte order mark."""
    path.write_text(json.dumps(rows), encoding="utf-8-sig")


def as_jsonl_with_bom_and_blank_lines(rows: list[Row], path: Path) -> None:
    """Lines as a Windows program may write them."""
    lines = [json.dumps(row) for row in rows]
    path.write_text("\r\n\r\n" + "\r\n\r\n".join(lines) + "\r\n\r\n", encoding="utf-8-sig")


def as_pandas_json(rows: list[Row], path: Path) -> None:
    """What DataFrame.to_json writes: an object per column."""
    pd.DataFrame(rows).to_json(path)


def as_dict_of_lists(rows: list[Row], path: Path) -> None:
    """What Dataset.to_dict gives: a list per column."""
    path.write_text(json.dumps({key: [row[key] for row in rows] for key in rows[0]}), encoding="utf-8")


def as_list_of_answer_objects(rows: list[Row], path: Path) -> None:
    """Answers as SQuAD JSON has them, in rows."""

    def objects(row: Row) -> list[Row]:
        answers = row["answers"]
        return [
            {"text": text, "answer_start": start}
            for text, start in zip(answers["text"], answers["answer_start"], strict=True)
        ]

    as_jsonl([{**row, "answers": objects(row)} for row in rows], path)


def as_csv_with_json(rows: list[Row], path: Path, delimiter: str = ",") -> None:
    """CSV with the answers as JSON."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows([{**row, "answers": json.dumps(row["answers"])} for row in rows])


def as_csv_with_semicolons(rows: list[Row], path: Path) -> None:
    """CSV as spreadsheets in Europe write it."""
    as_csv_with_json(rows, path, ";")


def as_tsv(rows: list[Row], path: Path) -> None:
    """Tabs between the fields."""
    as_csv_with_json(rows, path, "\t")


def as_pandas_csv(rows: list[Row], path: Path) -> None:
    """What DataFrame.to_csv writes: Python's print of the answers, and an index column."""
    pd.DataFrame(rows).to_csv(path)


def as_pandas_csv_of_arrays(rows: list[Row], path: Path) -> None:
    """The same after a round through Parquet: answers are NumPy arrays."""

    def arrays(answers: Row) -> Row:
        return {"text": np.array(answers["text"], dtype=object), "answer_start": np.array(answers["answer_start"])}

    pd.DataFrame([{**row, "answers": arrays(row["answers"])} for row in rows]).to_csv(path, index=False)


def as_parquet(rows: list[Row], path: Path) -> None:
    """Parquet with nested answers."""
    pd.DataFrame(rows).to_parquet(path)


def as_gzip(rows: list[Row], path: Path) -> None:
    """JSONL in gzip."""
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def as_zip(rows: list[Row], path: Path) -> None:
    """JSONL in a zip, beside files that are no data."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        archive.writestr("folder/README.md", "nothing")
        archive.writestr("__MACOSX/._rows.jsonl", b"\0\0")


def as_gzip_of_parquet(rows: list[Row], path: Path) -> None:
    """Parquet in gzip."""
    buffer = io.BytesIO()
    pd.DataFrame(rows).to_parquet(buffer)
    path.write_bytes(gzip.compress(buffer.getvalue()))


def as_saved_dataset(rows: list[Row], path: Path) -> None:
    """Dataset.save_to_disk, two Arrow files."""
    import datasets

    datasets.Dataset.from_list(rows).save_to_disk(path, num_shards=2)


def as_saved_dict_of_one(rows: list[Row], path: Path) -> None:
    """DatasetDict.save_to_disk with one split."""
    import datasets

    datasets.DatasetDict({"train": datasets.Dataset.from_list(rows)}).save_to_disk(path)


def as_zip_of_saved_dataset(rows: list[Row], path: Path) -> None:
    """A saved data set in a zip."""
    folder = path.with_suffix(".folder")
    as_saved_dataset(rows, folder)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, f"saved/{file.relative_to(folder)}")


FORMS: list[tuple[Callable[[list[Row], Path], None], str]] = [
    (as_jsonl, "jsonl"),
    (as_array, "json"),
    (as_wrapped_array, "json"),
    (as_bom, "json"),
    (as_jsonl_with_bom_and_blank_lines, "jsonl"),
    (as_pandas_json, "json"),
    (as_dict_of_lists, "json"),
    (as_list_of_answer_objects, "jsonl"),
    (as_csv_with_json, "csv"),
    (as_csv_with_semicolons, "csv"),
    (as_tsv, "csv"),
    (as_pandas_csv, "csv"),
    (as_pandas_csv_of_arrays, "csv"),
    (as_parquet, "parquet"),
    (as_gzip, "jsonl+gzip"),
    (as_zip, "jsonl+zip"),
    (as_gzip_of_parquet, "parquet+gzip"),
    (as_saved_dataset, "datasets"),
    (as_saved_dict_of_one, "datasets"),
    (as_zip_of_saved_dataset, "datasets+zip"),
]


def everything(source: Source) -> list[Passage]:
    """All passages in the order of the source."""
    passages = [passage for split in source.splits.values() for passage in split]
    return sorted(passages, key=lambda passage: passage.id)


@pytest.mark.parametrize(("write", "name"), FORMS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_form_gives_the_same_passages(
    write: Callable[[list[Row], Path], None], name: str, rows: list[Row], tmp_path: Path, read: Read
) -> None:
    """The name of a file says nothing: its content tells the format, and every format gives the same passages."""
    path = tmp_path / "data"
    write(rows, path)
    source = read(path)
    reference = tmp_path / "reference"
    as_jsonl(rows, reference)
    assert source.format == name
    assert everything(source) == everything(read(reference))
    assert source.counts["rows_read"] == len(rows)


def test_squad_gives_the_same_passages_as_rows(squad: Row, rows: list[Row], tmp_path: Path, read: Read) -> None:
    """SQuAD JSON 2.0 keeps unanswerable questions and the title as the document."""
    path = tmp_path / "squad"
    path.write_text(json.dumps(squad), encoding="utf-8")
    reference = tmp_path / "reference"
    as_jsonl(rows, reference)
    source = read(path)
    assert source.format == "squad-v2.0"
    assert everything(source) == everything(read(reference))
    assert [question.is_answerable for passage in everything(source) for question in passage.questions] == [
        True,
        True,
        True,
        False,
    ]


def test_squad_1_1_is_told_from_2_0(squad: Row, tmp_path: Path, read: Read) -> None:
    """Without version 2 and without is_impossible it is SQuAD 1.1, with or without the object around the articles."""
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                del question["is_impossible"]
    for document in ({"version": "1.1", "data": squad["data"]}, squad["data"]):
        path = tmp_path / "squad"
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        assert read(path).format == "squad-v1.1"


def test_plausible_answers_are_no_answers(squad: Row, tmp_path: Path, read: Read) -> None:
    """Plausible answers of an unanswerable question are left out and counted."""
    question = squad["data"][2]["paragraphs"][0]["qas"][0]
    question["plausible_answers"] = [{"text": "two hands", "answer_start": 12}]
    path = tmp_path / "squad"
    path.write_text(json.dumps(squad), encoding="utf-8")
    source = read(path)
    assert not everything(source)[2].questions[0].answers
    assert source.counts["plausible_answers_left_out"] == 1


def test_a_format_that_is_asked_for_and_is_not_there_is_refused(rows: list[Row], tmp_path: Path, read: Read) -> None:
    """A setting that contradicts the content is an error that names both."""
    as_jsonl(rows, tmp_path / "data")
    with pytest.raises(InputError, match=r"is jsonl, but dataset\.format says parquet"):
        read(tmp_path / "data", format="parquet")
    assert read(tmp_path / "data", format="jsonl").format == "jsonl"


def test_columns_of_other_names_are_mapped(rows: list[Row], tmp_path: Path, read: Read) -> None:
    """A mapping in the settings names other columns; offsets may stand in a column of their own."""
    flat = [
        {
            "key": row["id"],
            "passage": row["context"],
            "ask": row["question"],
            "gold.text": json.dumps(row["answers"]["text"]),
            "gold.start": json.dumps(row["answers"]["answer_start"]),
            "work": row["title"],
        }
        for row in rows
    ]
    with (tmp_path / "data").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(flat[0]))
        writer.writeheader()
        writer.writerows(flat)
    columns = {
        "context": "passage",
        "question": "ask",
        "answers": "gold.text",
        "answer_start": "gold.start",
        "id": "key",
        "document": "work",
    }
    as_jsonl(rows, tmp_path / "reference")
    assert everything(read(tmp_path / "data", columns=columns)) == everything(read(tmp_path / "reference"))


def test_unknown_columns_are_kept_as_text(rows: list[Row], jsonl: Callable[[list[Row]], Path], read: Read) -> None:
    """Columns that are none of ours go to Question.extra as text, empty ones left out."""
    rows[0] |= {"patient": 17, "seen": True, "note": None, "blank": "", "tags": ["a", "b"], "": 3}
    first = everything(read(jsonl(rows)))[0].questions[0]
    assert first.extra == {"patient": "17", "seen": "true", "tags": '["a", "b"]'}


def test_rows_with_one_context_become_one_passage(
    rows: list[Row], jsonl: Callable[[list[Row]], Path], read: Read
) -> None:
    """Rows with the same context and document are grouped wherever they stand, in order of first appearance."""
    shuffled = [rows[0], rows[2], rows[3], rows[1]]
    passages = everything(read(jsonl(shuffled)))
    assert [passage.context for passage in passages] == [rows[0]["context"], rows[2]["context"], rows[3]["context"]]
    assert [question.id for question in passages[0].questions] == ["a1", "a2"]


def test_rows_without_id_and_title_get_names_that_do_not_recognise_them(
    rows: list[Row], jsonl: Callable[[list[Row]], Path], read: Read
) -> None:
    """Missing ids and documents are made of positions, never of the text."""
    for row in rows:
        del row["id"], row["title"]
    passages = everything(read(jsonl(rows)))
    assert [passage.document for passage in passages] == ["document-1", "document-2", "document-3"]
    assert [q.id for passage in passages for q in passage.questions] == ["row-1", "row-2", "row-3", "row-4"]


def test_the_digest_is_that_of_the_bytes(rows: list[Row], tmp_path: Path, read: Read) -> None:
    """Equal bytes have one digest, whatever their name; other bytes have another."""
    as_jsonl(rows, tmp_path / "one")
    as_jsonl(rows, tmp_path / "two")
    as_array(rows, tmp_path / "three")
    digests = [read(tmp_path / name).digest for name in ("one", "two", "three")]
    assert digests[0] == digests[1] != digests[2]


def test_half_surrogate_pairs_are_replaced(rows: list[Row], tmp_path: Path, read: Read) -> None:
    """JSON can carry half a character: it is replaced by one mark, so that offsets stay right."""
    rows[2]["context"] = "\ud83d " + rows[2]["context"]
    rows[2]["answers"]["answer_start"] = [19]
    (tmp_path / "data").write_text(json.dumps(rows), encoding="utf-8")
    source = read(tmp_path / "data")
    assert everything(source)[1].context.startswith("\N{REPLACEMENT CHARACTER} Anna")
    assert source.counts["characters_replaced"] == 1
    assert source.counts["answers_realigned"] == 0
