"""What a second look reads: only what bears on the words it may find, and with the same result."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepipe.privacy.detect.detector import Detector
from kubepipe.privacy.detect.stretches import stretches
from kubepipe.privacy.pseudonymise.residual import SecondLook

TEXTS = Path(__file__).parent / "texts"
TEXT = "one two three four five six seven eight nine ten"


@pytest.mark.parametrize(
    ("places", "found"),
    [
        ([], []),
        ([(0, 3)], ["one two three"]),
        ([(20, 21)], ["three four five six seven"]),
        ([(4, 7), (45, 48)], ["one two three four", "eight nine ten"]),
        ([(4, 7), (28, 33)], ["one two three four", "five six seven eight nine"]),
        ([(4, 7), (24, 27)], ["one two three four five six seven eight"]),
        ([(4, 33)], [TEXT[:-4]]),
    ],
)
def test_so_many_words_on_both_sides(places: list[tuple[int, int]], found: list[str]) -> None:
    """Pieces that touch become one; a place may be a part of a word, or several."""
    assert [TEXT[start:end] for start, end in stretches(TEXT, places, 2)] == found


@given(st.text(alphabet="ab \n", max_size=60), st.data())
def test_every_place_is_inside_one_piece(text: str, data: st.DataObject) -> None:
    """Whatever the text: no place is lost, pieces are in order and do not touch."""
    ends = sorted(data.draw(st.sets(st.sampled_from([i for i, c in enumerate(text) if not c.isspace()] or [-1]))))
    places = [(end, end + 1) for end in ends if end >= 0]
    pieces = stretches(text, places, 1)
    assert all(any(start <= a and b <= end for start, end in pieces) for a, b in places)
    assert all(one[1] < other[0] for one, other in pairwise(pieces))


def test_away_from_the_places_nothing_is_read(knows: Callable[..., Detector]) -> None:
    """A name far from every telling word is left out, one beside it has its offsets in the whole text."""
    detector = knows({"Zuvora": "PERSON", "Belquist": "PERSON"})
    text = "Zuvora here one two three four five six Quarb seven Belquist."
    look = SecondLook({"quarb"}, "en")
    (spans,) = detector.detect([text], look.places)
    assert [(span.start, text[span.start : span.end]) for span in spans] == [(52, "Belquist")]


def test_a_second_look_finds_the_same_of_less(detector: Detector) -> None:
    """With the real model, what the look tells of a text is the same as after reading all of it."""
    whole = [path.read_text(encoding="utf-8") for path in sorted(TEXTS.glob("judgments*.txt"))]
    texts = [re.sub("[⟦⟧]", "", text) for text in whole]
    words = {word.casefold() for text in texts for word in re.findall(r"\w+", text) if word.istitle()}
    look = SecondLook(set(sorted(words)[::7]), "en")
    told = [look.all_words(text, spans) for text, spans in zip(texts, detector.detect(texts), strict=True)]
    near = detector.detect(texts, look.places)
    assert [look.all_words(text, spans) for text, spans in zip(texts, near, strict=True)] == told
    assert sum(map(len, told)) > 30
