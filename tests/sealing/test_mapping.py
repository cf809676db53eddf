"""The encrypted mapping: one surrogate at a time, with the key."""

from __future__ import annotations

import copy
import json

import pytest

from kubepipe.errors import IntegrityError
from kubepipe.records import validate
from kubepipe.sealing import Link, look_up, new_data_key, seal_mapping

LINKS = {
    Link("PERSON", "Mara Kessel", "Ada Lind"): 2,
    Link("PERSON", "Mara", "Adelina"): 1,
    Link("PERSON", "Mara", "Beatrix"): 3,
    Link("PLACE", "Straße", "Gade \U0001f600"): 1,
}


def test_a_surrogate_gives_back_what_it_stands_for() -> None:
    """The most frequent original comes first; case and blanks do not matter; an unknown surrogate gives nothing."""
    key = new_data_key()
    document = seal_mapping("one", LINKS, key)
    validate(document, "mapping", place="mapping")
    assert look_up(document, "mara  KESSEL", key) == [(Link("PERSON", "Mara Kessel", "Ada Lind"), 2)]
    assert [(link.original, count) for link, count in look_up(document, "Mara", key)] == [
        ("Beatrix", 3),
        ("Adelina", 1),
    ]
    assert look_up(document, "STRASSE", key)[0][0].original == "Gade \U0001f600"
    assert look_up(document, "Ada Lind", key) == []


def test_the_document_tells_neither_names_nor_surrogates_nor_their_lengths() -> None:
    """Neither stands in it, entries of short names are equally long, and sealing twice gives other bytes."""
    key = new_data_key()
    document = seal_mapping("one", LINKS, key)
    text = json.dumps(document)
    assert not [word for link in LINKS for word in link if word in text]
    short = seal_mapping("one", {Link("AGE", "31", "32"): 1, Link("PERSON", "Mara", "Ada"): 1}, key)
    assert len({len(entry) for entry in short["entries"].values()}) == 1
    again = seal_mapping("one", LINKS, key)
    assert not set(document["entries"]) & set(again["entries"])


def test_another_key_and_a_change_are_refused() -> None:
    """A key of another installation, an entry of another surrogate or run, a changed entry: not intact."""
    key = new_data_key()
    document = seal_mapping("one", LINKS, key)
    with pytest.raises(IntegrityError, match="another key"):
        look_up(document, "Mara", new_data_key())
    moved = copy.deepcopy(document) | {"run": "two"}
    with pytest.raises(IntegrityError, match="does not hold"):
        look_up(moved, "Mara", key)
    swapped = copy.deepcopy(document)
    names = list(swapped["entries"])
    swapped["entries"] = {name: swapped["entries"][names[place - 1]] for place, name in enumerate(names)}
    with pytest.raises(IntegrityError, match="does not hold"):
        look_up(swapped, "Mara", key)
    cut = copy.deepcopy(document)
    cut["entries"] = {name: entry[:-8] for name, entry in cut["entries"].items()}
    with pytest.raises(IntegrityError, match="does not hold"):
        look_up(cut, "Mara", key)
