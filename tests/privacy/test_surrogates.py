"""Surrogates: the same for the same, another under another key, never a real value, and of the same form."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepipe.errors import SettingsError
from kubepipe.privacy.align import rewrite
from kubepipe.privacy.detect import numbers
from kubepipe.privacy.pseudonymise.codes import CodeSurrogates
from kubepipe.privacy.pseudonymise.dates import date_edits, shift_of
from kubepipe.privacy.pseudonymise.keyed import is_opaque, keyed_number
from kubepipe.privacy.pseudonymise.names import NameSurrogates, name_lists

KEY, OTHER_KEY = bytes(32), bytes(range(32))


def names(key: bytes = KEY, *, taken: set[str] | None = None, language: str = "en") -> NameSurrogates:
    """Name surrogates of a key."""
    return NameSurrogates(key, language, None, taken or set())


def codes(key: bytes = KEY, *, taken: set[str] | None = None) -> CodeSurrogates:
    """Code surrogates of a key."""
    return CodeSurrogates(key, "en", taken or set())


@pytest.mark.parametrize("kind", ["given", "family", "org", "place", "nationality"])
def test_the_same_word_draws_the_same_surrogate_under_one_key_only(kind: str) -> None:
    """One key, one world: two objects of a key agree, another key draws otherwise."""
    words = ["Lovelace", "Babbage", "Somerville", "Herschel", "Byron"]
    first = [names().draw(word, kind) for word in words]  # type: ignore[arg-type]
    assert first == [names().draw(word, kind) for word in words]  # type: ignore[arg-type]
    assert first != [names(OTHER_KEY).draw(word, kind) for word in words]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "pattern"),
    [("LOVELACE", "[A-Z]{3,}"), ("lovelace", "[a-z]{3,}"), ("Lovelace", "[A-Z][a-z]{2,}"), ("J", "[A-IK-Z]")],
)
def test_the_case_of_a_name_stays(word: str, pattern: str) -> None:
    """Capitals stay capitals, and an initial becomes another initial."""
    assert re.fullmatch(pattern, names().draw(word, "family"))


def test_the_gender_of_a_first_name_stays() -> None:
    """A name that only women of the lists bear draws one of theirs, and the same for men."""
    lists = name_lists("en", None)
    assert names().draw("Margaret", "given") in lists.female
    assert names().draw("Frederick", "given") in lists.male


def test_no_surrogate_equals_a_word_of_the_data() -> None:
    """Whatever the data set holds is passed over, even when it holds all names of the lists."""
    lists = name_lists("en", None)
    taken = {name.casefold() for group in lists for name in group}
    drawn = {
        names(taken=taken).draw(f"Name{letter * 3}", kind).casefold()
        for letter in "abcdef"
        for kind in ("given", "family")
    }  # type: ignore[arg-type]
    assert not drawn & taken
    assert len(drawn) > 6


def test_an_acronym_stays_an_acronym() -> None:
    """The letters of an organisation's short name all change, their number stays."""
    drawn = names().draw("NATO", "org")
    assert re.fullmatch("[A-Z]{4}", drawn)
    assert all(old != new for old, new in zip("NATO", drawn, strict=True))


def test_an_unknown_locale_is_a_settings_error() -> None:
    """The message names the setting."""
    with pytest.raises(SettingsError, match=r"privacy\.locale"):
        name_lists("en", "xx_XX")


CODES = [
    ("EMAIL", "ada.lovelace@analytical.co.uk", r"[a-z]{3}\.[a-z]{8}@[a-z]{10}\.[a-z]{2}\.example"),
    ("URL", "https://www.analytical.org/people/42", r"https://www\.[a-z]{10}\.example/[a-z]{6}/\d\d"),
    ("IP", "93.184.216.34", r"10(\.\d{1,3}){3}"),
    ("IP", "2001:4860:4860::8888", r"2001:db8(:[0-9a-f]{1,4}){6}"),
    ("MAC", "00:1B:44:11:3A:B7", r"[0-9A-F]2(:[0-9A-F]{2}){5}"),
    ("PHONE", "(212) 555-0175", r"\([1-9]\d\d\) \d{3}-\d{4}"),
    ("CODE", "AB-123/45", r"[A-Z]{2}-[1-9]\d\d/\d\d"),
    ("HANDLE", "@ada_l", r"@[a-z]{3}_[a-z]"),
    ("POSTCODE", "SW1A 1AA", r"[A-Z]{2}\d[A-Z] \d[A-Z]{2}"),
]


@pytest.mark.parametrize(("type_", "value", "pattern"), CODES)
def test_an_identifier_keeps_its_form(type_: str, value: str, pattern: str) -> None:
    """Length of the parts, separators and case stay; hosts and addresses are those reserved for examples."""
    drawn = codes().draw(value, type_)
    assert drawn != value
    assert re.fullmatch(pattern, drawn)
    assert drawn == codes().draw(value, type_)
    assert drawn != codes(OTHER_KEY).draw(value, type_)


@pytest.mark.parametrize(
    "value",
    [
        "DE89 3704 0044 0532 0130 00",
        "DE89-3704-0044-0532-0130-00",
        "GB29NWBK60161331926819",
        "FR1420041010050500013M02606",
    ],
)
def test_the_surrogate_of_an_iban_is_an_iban(value: str) -> None:
    """Country, blanks and checksum hold."""
    drawn = codes().draw(value, "IBAN")
    assert drawn[:2] == value[:2]
    assert [len(part) for part in drawn.split()] == [len(part) for part in value.split()]
    assert numbers.is_iban(re.sub("[ -]", "", drawn))


def test_what_a_plug_in_calls_an_iban_need_not_be_one() -> None:
    """It keeps its form, whatever stands where country and checksum should."""
    assert re.fullmatch(r"'[a-z]\d", codes().draw("'s2", "IBAN"))


@pytest.mark.parametrize("value", ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"])
def test_the_surrogate_of_a_card_number_is_one(value: str) -> None:
    """Issuer's digit, groups and Luhn's sum hold."""
    drawn = codes().draw(value, "CARD")
    assert drawn[0] == value[0]
    assert numbers.is_card(re.sub(r"\D", "", drawn))


@pytest.mark.parametrize("value", ["943 476 5919", "54362315K", "+44 20 7946 0958"])
def test_the_surrogate_of_a_valid_number_is_valid(value: str) -> None:
    """What the checksum or the numbering plan accepted before, it accepts after."""
    if value.startswith("+"):
        assert numbers.is_valid_phone(codes().draw(value, "PHONE"), "en")
        return
    compact = value.replace(" ", "")
    scheme = numbers.national_scheme(value, compact)
    assert scheme is not None
    assert numbers.scheme_holds(scheme, codes().draw(value, "NATIONAL_ID"))


def test_no_identifier_is_drawn_that_the_data_holds() -> None:
    """A surrogate that is taken is passed over."""
    drawn = codes().draw("AB-1234", "CODE")
    again = codes(taken={drawn.replace("-", "").lower()}).draw("AB-1234", "CODE")
    assert again != drawn


def shifted(text: str, document: str = "d", language: str = "en") -> str:
    """The text with its dates moved."""
    return rewrite(text, date_edits(text, 0, len(text), shift_of(KEY, document), language)).text


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("12 May 2011", r"\d{1,2} [A-Z][a-z]+ 20\d\d"),
        ("May 12th, 2011", r"[A-Z][a-z]+ \d{1,2}(st|nd|rd|th), 20\d\d"),
        ("2011-05-12", r"20\d\d-[01]\d-[0-3]\d"),
        ("05/12/2011", r"[01]\d/[0-3]\d/20\d\d"),
        ("5/2/2011", r"\d{1,2}/\d{1,2}/20\d\d"),
        ("1990-91", r"\d{4}-\d\d"),
        ("12. März 2011", r"\d{1,2}\. [A-Zä-ü][a-zä-ü]+ 20\d\d"),
        ("le 1er mars 2011", r"le \d{1,2}er [a-zé-û]+ 20\d\d"),
    ],
)
def test_a_date_keeps_its_way_of_writing(text: str, pattern: str) -> None:
    """Words for words, digits for digits, zeros where zeros were."""
    moved = shifted(text)
    assert moved != text
    assert re.fullmatch(pattern, moved)


@pytest.mark.parametrize("text", ["last year", "the 1960s", "Tuesday", "19th century", "three weeks", "45 BC"])
def test_what_names_no_day_or_year_stays(text: str) -> None:
    """Durations, decades and weekdays are not moved."""
    assert shifted(text) == text


def test_one_clear_date_shows_how_the_others_are_written() -> None:
    """Beside 23/01/1938, the date 05/12/1954 is the fifth of December."""
    first, second = (part.split("/") for part in shifted("23/01/1938 and 05/12/1954").split(" and "))
    assert int(first[1]) <= 12
    assert int(second[1]) <= 12
    assert shifted("5 December 1954").split()[0] == str(int(second[0]))


def test_dates_of_a_document_move_together() -> None:
    """The full date, the day alone and the year alone of one text still agree after the shift."""
    day, month, year = shifted("12 May 2011").split()
    assert shifted("12 May") == f"{day} {month}"
    assert shifted("in 2011") == f"in {year}"


@given(st.dates(date(1950, 1, 1), date(2020, 12, 31)), st.text(max_size=8))
def test_a_shifted_date_is_a_date(day: date, document: str) -> None:
    """Whatever the day and the document: the result is a valid calendar date of another year."""
    moved = shifted(day.isoformat(), document)
    if (day.month, day.day) == (2, 29):
        return
    assert date.fromisoformat(moved.replace("-02-29", "-02-28")).year != day.year


@given(st.binary(min_size=32, max_size=32), st.lists(st.text(max_size=3), min_size=1, max_size=4))
def test_no_part_of_a_keyed_choice_runs_into_its_neighbour(key: bytes, parts: list[str]) -> None:
    """`("ab", "c")` and `("a", "bc")` choose apart."""
    joined = "".join(parts)
    if len(parts) > 1 and parts != [joined]:
        assert keyed_number(key, *parts) != keyed_number(key, joined)


@pytest.mark.parametrize(
    ("name", "opaque"),
    [
        ("56be4db0acb8001400a502ec", True),
        ("0b7c3a52-6c3e-4b8e-9a51-2f7f0c1b2d3e", True),
        ("passage-17", True),
        ("Ada_Lovelace-3", False),
        ("56be4d", False),
        ("patient-1815", False),
    ],
)
def test_only_ids_that_tell_nothing_are_opaque(name: str, opaque: bool) -> None:
    """Hex of at least 16 digits, UUIDs and the reader's own numbers are opaque; anything else may name somebody."""
    assert is_opaque(name) is opaque
