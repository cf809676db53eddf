"""Labelled texts: readers of the public sets, one form for all."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Labelled:
    """A text and its gold spans as (start, end, type), and where it is known the person or thing that each names."""

    text: str
    gold: tuple[tuple[int, int, str], ...]
    whose: tuple[str, ...] = ()


def read_presidio(path: Path) -> list[Labelled]:
    """presidio-research: `full_text` and `spans`."""
    return [
        Labelled(
            item["full_text"],
            tuple((span["start_position"], span["end_position"], span["entity_type"]) for span in item["spans"]),
        )
        for item in json.loads(path.read_text(encoding="utf-8"))
    ]


def read_conll(path: Path) -> list[Labelled]:
    """CoNLL columns: the word first, its IO or BIO label last; sentences are set apart by empty lines."""
    found, words = [], []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        columns = line.split()
        if columns and columns[0] != "-DOCSTART-":
            words.append((columns[0], columns[-1]))
        elif words:
            found.append(_sentence(words))
            words = []
    return found


def read_notes(path: Path) -> list[Labelled]:
    """safe-synthesizer's fictitious people: the gold is where the other columns' values stand in the notes."""
    found = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            gold: list[tuple[int, int, str]] = []
            taken = bytearray(len(row["notes"]))
            for column, type_ in (
                ("full address", "ADDRESS"),
                ("email", "EMAIL"),
                ("fname", "PERSON"),
                ("lname", "PERSON"),
            ):
                for match in re.finditer(rf"(?<!\w){re.escape(row[column])}(?!\w)", row["notes"]):
                    if not any(taken[match.start() : match.end()]):
                        taken[match.start() : match.end()] = b"\1" * len(match.group())
                        gold.append((match.start(), match.end(), type_))
            found.append(Labelled(row["notes"], tuple(sorted(gold))))
    return found


def read_marked(path: Path) -> list[Labelled]:
    """Texts of this repository's tests: a text a line, identifiers between ⟦ and ⟧, ¶ for a line break."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        text, gold = "", []
        for number, piece in enumerate(re.split("[⟦⟧]", line.replace("¶", "\n"))):
            if number % 2:
                gold.append((len(text), len(text) + len(piece), "CODE" if any(map(str.isdigit, piece)) else "PERSON"))
            text += piece
        found.append(Labelled(text, tuple(gold)))
    return found


def _sentence(words: Sequence[tuple[str, str]]) -> Labelled:
    text, gold, position = "", [], 0
    previous = "O"
    for word, label in words:
        name = label.removeprefix("B-").removeprefix("I-")
        text += word + " "
        if name != "O":
            if gold and previous == name and not label.startswith("B-"):
                gold[-1] = (gold[-1][0], position + len(word), name)
            else:
                gold.append((position, position + len(word), name))
        previous = name
        position = len(text)
    return Labelled(text, tuple(gold))
