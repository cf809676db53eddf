"""Characters that nobody sees hide nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepipe.passages.model import Passage
from kubepipe.privacy import Detector, Pseudonymiser
from kubepipe.privacy.detect.invisible import visible
from kubepipe.privacy.entities import fold, tokens_of
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))
UNSEEN = ["\u200b", "\u00ad", "\u200d", "\u202e", "\ufeff", "\u2060", "\ufe0f", "\u034f"]


@pytest.mark.parametrize("mark", UNSEEN)
@pytest.mark.parametrize("value", ["ada.lind@example.org", "GB82 WEST 1234 5698 7654 32", "+44 20 7946 0958"])
def test_a_mark_inside_an_identifier_does_not_hide_it(rules: Detector, value: str, mark: str) -> None:
    """The whole of it is found, with the mark; offsets are those of the text as it is."""
    hidden = f"{value[:6]}{mark}{value[6:]}"
    text = f"Please write {hidden} today."
    assert hidden in {text[span.start : span.end] for span in rules.detect([text])[0]}


@pytest.mark.parametrize("mark", ["\x00", "\x07", "\x1b", "\x0b", "\x85", "\u2028"])
def test_a_control_between_words_parts_them(rules: Detector, mark: str) -> None:
    """As a blank does: the address beside it is found alone."""
    text = f"Mail{mark}ada.lind@example.org{mark}now"
    assert [text[span.start : span.end] for span in rules.detect([text])[0]] == ["ada.lind@example.org"]


def test_a_name_with_a_mark_in_it_is_replaced_wholly(
    knows: Callable[..., Detector], passage: Callable[..., Passage]
) -> None:
    """Nothing of it stays, wherever it stands again without the mark; the answer is aligned."""
    context = "Ada Whit\u200bcombe met Bo. Later Whitcombe wrote."
    made = passage(context, ("Who met Bo?", "Ada Whit\u200bcombe"))
    after = next(Pseudonymiser(PrivacySettings(), KEY, knows({"Ada Whitcombe": "PERSON"})).protect([made])).passage
    assert after is not None
    assert not [part for part in ("Ada", "Whit", "combe") if part in after.context]
    assert not after.misaligned()


@pytest.mark.parametrize("mark", UNSEEN)
def test_a_word_with_a_mark_is_the_same_word(mark: str) -> None:
    """One token, one spelling."""
    assert [token.text for token in tokens_of(f"Whit{mark}combe met")] == [f"Whit{mark}combe", "met"]
    assert fold(f"Whit{mark}combe") == fold("WHITCOMBE")


@given(
    st.text(
        st.one_of(st.sampled_from(["\u200b", "\x00", "\x0b", "\u2028", "\U0001f600", "e\u0301"[1]]), st.characters())
    )
)
def test_places_lead_back_to_the_same_characters(text: str) -> None:
    """Each visible character stands where its place says, or is the blank or line end that took a control's place."""
    seen = visible(text)
    places = seen.places or tuple(range(len(seen.text)))
    assert len(places) == len(seen.text)
    assert all(
        shown == text[place] or (shown in " \n" and not text[place].isprintable())
        for shown, place in zip(seen.text, places, strict=True)
    )
