"""The answers column in all the forms in which tools write it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepipe.passages.answers import AnswerShapeError, read_answers, read_start
from kubepipe.passages.literal import NotALiteralError, parse_literal

CELLS: list[tuple[Any, Any, list[tuple[str, int | None]]]] = [
    ({"text": ["Rome"], "answer_start": [3]}, None, [("Rome", 3)]),
    ({"text": ["Rome", "Rome"], "answer_start": [3, 3]}, None, [("Rome", 3), ("Rome", 3)]),
    ({"text": "Rome", "answer_start": 3}, None, [("Rome", 3)]),
    ({"text": ["Rome"]}, None, [("Rome", None)]),
    ({"text": ["Rome"]}, [3], [("Rome", 3)]),
    ({"text": ["Rome", "Ostia"], "answer_start": [3]}, None, [("Rome", 3), ("Ostia", None)]),
    ({"text": [], "answer_start": []}, None, []),
    ([{"text": "Rome", "answer_start": 3}], None, [("Rome", 3)]),
    (["Rome", "Ostia"], None, [("Rome", None), ("Ostia", None)]),
    (["Rome", "Ostia"], [3, 9], [("Rome", 3), ("Ostia", 9)]),
    ("Rome", 3, [("Rome", 3)]),
    ("Rome", "3", [("Rome", 3)]),
    ("Rome", "3.0", [("Rome", 3)]),
    ("Rome", 3.0, [("Rome", 3)]),
    ("Rome", "", [("Rome", None)]),
    ("Rome", float("nan"), [("Rome", None)]),
    ("Rome", float("inf"), [("Rome", None)]),
    ("Rome", "1e999", [("Rome", None)]),
    ("Rome", "third", [("Rome", None)]),
    (1969, 3, [("1969", 3)]),
    (None, None, []),
    (float("nan"), None, []),
    ("", None, [("", None)]),
    ('{"text": ["Rome"], "answer_start": [3]}', None, [("Rome", 3)]),
    ("{'text': ['Rome'], 'answer_start': [3]}", None, [("Rome", 3)]),
    ("{'text': array(['Rome'], dtype=object), 'answer_start': array([3])}", None, [("Rome", 3)]),
    ("{'text': array(['Rome'], dtype=object), 'answer_start': array([3], dtype=int32)}", None, [("Rome", 3)]),
    ("{'text': array([], dtype=object), 'answer_start': array([], dtype=int32)}", None, []),
    ("{'text': np.str_('Rome'), 'answer_start': np.int64(3)}", None, [("Rome", 3)]),
    ("{'text': ['It\\'s', \"a \\\"b\\\"\"], 'answer_start': [3, 9]}", None, [("It's", 3), ('a "b"', 9)]),
    ("['Rome' 'Ostia']", "[3 9]", [("Rome", 3), ("Ostia", 9)]),
    ("['Rome'\n 'Ostia']", None, [("Rome", None), ("Ostia", None)]),
    ("['Rome', None]", None, [("Rome", None)]),
    ("[]", None, []),
    ("[1]", 3, [("[1]", 3)]),
    ("(1986)", 3, [("(1986)", 3)]),
    ("[sic]", 3, [("[sic]", 3)]),
    ("{x}", 3, [("{x}", 3)]),
    ("[" * 100_000, 3, [("[" * 100_000, 3)]),
    ("{'text': __import__('os').system('true')}", 3, [("{'text': __import__('os').system('true')}", 3)]),
]


@pytest.mark.parametrize(("cell", "start", "expected"), CELLS)
def test_forms_of_answers(cell: Any, start: Any, expected: list[tuple[str, int | None]]) -> None:
    """Objects, lists, texts, and their JSON, Python and NumPy prints give the same answers; other texts are answers."""
    assert [(answer.text, answer.start) for answer in read_answers(cell, start)] == expected


@pytest.mark.parametrize("cell", [{"answer": ["x"]}, [["x"]], {"text": [{"a": 1}]}, True, b"x"])
def test_other_shapes_are_refused(cell: Any) -> None:
    """What is no answers in any form is an error that names its type, never its value."""
    with pytest.raises(AnswerShapeError) as caught:
        read_answers(cell)
    assert "x" not in str(caught.value).replace("text", "")


@pytest.mark.parametrize("value", [True, "1_0x", "", None, [], 2.5, "nan"])
def test_unreadable_offsets_are_missing(value: Any) -> None:
    """An offset that is no whole number is as good as none."""
    assert read_start(value) is None


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=5))
def test_numpy_prints_come_back(texts: list[str]) -> None:
    """What Python and NumPy print of a list of texts is read as that list."""
    assert parse_literal(repr(texts)) == texts
    assert parse_literal(repr({"text": texts})) == {"text": texts}
    assert parse_literal(repr(np.array(texts, dtype=object))) == texts
    assert parse_literal(str(np.array(texts, dtype=object))) == texts


@given(st.text(alphabet="{}[]()',:=\"\\array0x1 .-", max_size=40))
def test_any_text_is_a_literal_or_is_refused(text: str) -> None:
    """Broken prints are refused by one kind of error."""
    try:
        parse_literal(text)
    except NotALiteralError:
        return
