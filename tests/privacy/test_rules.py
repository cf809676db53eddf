"""What the rules find without a language model, and what they leave alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from kubepipe.privacy import Detector

FOUND = [
    ("Write to ada.lovelace@example.co.uk, please.", "EMAIL", "ada.lovelace@example.co.uk"),
    ("See https://example.org/people/42?x=1.", "URL", "https://example.org/people/42?x=1"),
    ("It is on www.example.net", "URL", "www.example.net"),
    ("It is on shop.example.com today", "URL", "shop.example.com"),
    ("Ask @ada_l about it", "HANDLE", "@ada_l"),
    ("signed in as user LIngersoll3 today", "HANDLE", "LIngersoll3"),
    ("username: ada.lovelace1815", "HANDLE", "ada.lovelace1815"),
    ("From 192.168.17.4 at noon", "IP", "192.168.17.4"),
    ("From 2001:db8:85a3::8a2e:370:7334 at noon", "IP", "2001:db8:85a3::8a2e:370:7334"),
    ("Card reader 00:1B:44:11:3A:B7 failed", "MAC", "00:1B:44:11:3A:B7"),
    ("Pay to DE89 3704 0044 0532 0130 00 now", "IBAN", "DE89 3704 0044 0532 0130 00"),
    ("Pay to gb33BUKB20201555555555", "IBAN", "gb33BUKB20201555555555"),
    ("Charge 4111 1111 1111 1111 please", "CARD", "4111 1111 1111 1111"),
    ("Charge 5500-0000-0000-0004 please", "CARD", "5500-0000-0000-0004"),
    ("Ring +49 30 901820 tomorrow", "PHONE", "+49 30 901820"),
    ("Ring (212) 555-0175 tomorrow", "PHONE", "(212) 555-0175"),
    ("Ring 020 7946 0958 tomorrow", "PHONE", "020 7946 0958"),
    ("My mobile is 60-56-85-91", "PHONE", "60-56-85-91"),
    ("SSN: 219-09-9999", "NATIONAL_ID", "219-09-9999"),
    ("NHS number 943 476 5919", "NATIONAL_ID", "943 476 5919"),
    ("NINO QQ123456C", "CODE", "QQ123456C"),
    ("Her DNI is 54362315K.", "NATIONAL_ID", "54362315K"),
    ("application no. 36110/97 was lodged", "CODE", "36110/97"),
    ("applications nos. 36110/97 and 5029/71", "CODE", "5029/71"),
    ("My account number is MZ-28764512-Q.", "CODE", "MZ-28764512-Q"),
    ("passport C01X00T47", "CODE", "C01X00T47"),
    ("Mr Whitcombe left", "PERSON", "Whitcombe"),
    ("Dr. Anna-Lena van der Berg left", "PERSON", "Anna-Lena van der Berg"),
    ("my name is Oyelaran", "PERSON", "Oyelaran"),
    ("Dear Wilhelmina,", "PERSON", "Wilhelmina"),
    ("Patient: Grzegorz Brzęczyszczykiewicz", "PERSON", "Grzegorz Brzęczyszczykiewicz"),
    ("Then Gertrude Whitcombe left", "PERSON", "Gertrude Whitcombe"),
    ("She lives at 17 Larch Tree Lane in town", "ADDRESS", "17 Larch Tree Lane"),
    ("Lindenstraße 42 in town", "ADDRESS", "Lindenstraße 42"),
    ("au 12 rue des Lilas à côté", "ADDRESS", "12 rue des Lilas"),
    ("Write to P.O. Box 1234 there", "ADDRESS", "P.O. Box 1234"),
    ("near SW1A 1AA by car", "POSTCODE", "SW1A 1AA"),
    ("Springfield, IL 62704", "POSTCODE", "62704"),
    ("my zip code is 90210", "POSTCODE", "90210"),
    ("a 46 year old man", "AGE", "46"),
    ("a man aged 46 came", "AGE", "46"),
    ("on 12 May 2011 it", "DATE", "12 May 2011"),
    ("on May 12th, 2011 it", "DATE", "May 12th, 2011"),
    ("on 2011-05-12 it", "DATE", "2011-05-12"),
    ("the treaty (1922\N{EN DASH}26) held", "DATE", "1922\N{EN DASH}26"),
]  # fmt: skip

LEFT_ALONE = [
    "It cost 1,250,000 dollars in all.",
    "From 1914-1918 and in 1990/91 again.",
    "The score was 24-10 with 3:08 left.",
    "About 20 000 000 people live there.",
    "A ratio of 3.14159265 was measured.",
    "The F-16 and the Boeing 747 flew at 900 km/h.",
    "Open 24/7, e.g. at night.",
    "He won 6-4 6-3 7-5 in 2011.",
    "Section 3(2) of the Act, pages 112-118.",
    "(date of birth 22/07/1975) in room 4.10",
    "Her number 2010 hit, file 1999, the user interface and the user experience.",
    "pi = 3.14, e = 2.718; 50% of 100",
]


@pytest.mark.parametrize(("text", "type_", "value"), FOUND)
def test_a_rule_finds_the_identifier_whole(rules: Detector, text: str, type_: str, value: str) -> None:
    """An identifier is found from its first to its last character, with its type."""
    spans = rules.detect([text])[0]
    assert (type_, value) in [(span.type, text[span.start : span.end]) for span in spans]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_numbers_that_name_nobody_are_left_alone(rules: Detector, text: str) -> None:
    """Amounts, ranges, scores and product names are no direct identifiers."""
    direct = [span for span in rules.detect([text])[0] if span.cls == "DIRECT"]
    assert direct == []


def test_an_address_block_is_read_line_by_line(rules: Detector) -> None:
    """Under a name, the street, the postcode and the box of a letter's head are found."""
    text = "To the tenant\n28245 Puruntie 82 Apt. 595\nLappeenranta\nSK\n53650"
    found = {text[span.start : span.end]: span.type for span in rules.detect([text])[0]}
    assert found["28245 Puruntie 82 Apt. 595"] == "ADDRESS"
    assert found["53650"] == "POSTCODE"


def test_a_name_ends_with_its_sentence(rules: Detector) -> None:
    """A full stop belongs to a name only behind an initial."""
    text = "Ask Dr. Tobias Kranz. Her daughter knows Mr J. R. Whitcombe. He left."
    found = [text[span.start : span.end] for span in rules.detect([text])[0] if span.type == "PERSON"]
    assert found == ["Tobias Kranz", "J. R. Whitcombe"]


def test_special_categories_count_only_beside_a_person(rules: Detector) -> None:
    """A word such as diabetes is reported when the text also holds a direct identifier, and not otherwise."""
    alone, beside = rules.detect(["Diabetes is a disease.", "Mr Whitcombe has diabetes."])
    assert [span.type for span in alone] == []
    assert "HEALTH" in [span.type for span in beside]


def test_a_found_name_is_carried_to_its_other_mentions(rules: Detector) -> None:
    """After "Mr Johan Whitcombe", the surname alone, the whole name in small letters and in capitals are found."""
    text = "Mr Johan Whitcombe came. Whitcombe sat. johan whitcombe ate. WHITCOMBE left."
    found = [text[span.start : span.end] for span in rules.detect([text])[0] if span.type == "PERSON"]
    assert found == ["Johan Whitcombe", "Whitcombe", "johan whitcombe", "WHITCOMBE"]


@pytest.mark.parametrize(
    "text", ["A" * 200_000, "a" * 200_000, "1 " * 50_000, "Aa " * 50_000, ".1" * 50_000, "\n" * 99_999]
)
def test_long_monotonous_texts_are_read_in_linear_time(rules: Detector, text: str) -> None:
    """No pattern backtracks over a long run of the same character (a quadratic one would take minutes)."""
    import time

    start = time.process_time()
    rules.detect([text])
    assert time.process_time() - start < 10


def test_spans_are_sorted_and_never_overlap(rules: Detector) -> None:
    """Whatever the detectors say, the result is a sorted list without overlaps."""
    text = " ".join(text for text, _, _ in FOUND)
    spans = rules.detect([text])[0]
    assert len(spans) > 20
    assert all(left.end <= right.start for left, right in pairwise(spans))


def test_a_day_of_a_month_is_no_age(rules: Detector) -> None:
    """German `am 3. Mai` is a date; English `I am 34.` is an age."""
    text = "Er kam am 3. Mai 2021."
    assert not [span for span in rules.detect([text])[0] if span.type == "AGE"]
    assert [span.type for span in rules.detect(["I am 34. I live here."])[0]] == ["AGE"]


def test_a_german_genitive_is_a_mention(knows: Callable[..., Detector]) -> None:
    """The s stays: Jürgens becomes Steffens."""
    text = "Jürgen Habermann kam. Jürgens Hut blieb."
    spans = knows({"Jürgen Habermann": "PERSON"}, "de").detect([text])[0]
    assert (22, 28, "PERSON") in {(span.start, span.end, span.type) for span in spans}


@pytest.mark.parametrize("blank", [" ", "\u00a0"])
@pytest.mark.parametrize(
    "iban",
    [
        "GB82 WEST 1234 5698 7654 32",
        "NL91 ABNA 0417 1643 00",
        "IE29AIBK93115212345678",
        "MT84MALT011000012345MTLCAST001S",
    ],
)
def test_an_account_number_with_letters_is_found(rules: Detector, iban: str, blank: str) -> None:
    """Printed in fours or in one piece, and no more than it, though capitals follow."""
    iban = iban.replace(" ", blank)
    text = f"Pay into {iban}{blank}BY{blank}FRIDAY."
    assert iban in [text[span.start : span.end] for span in rules.detect([text])[0] if span.type == "IBAN"]


@pytest.mark.parametrize(
    ("text", "found", "not_found"),
    [
        ("She was seen with Berat and Tobiasz Łosiak.", "Tobiasz Łosiak", ""),
        ("The Café opened. A Boštjan came.", "Boštjan", ""),
        ("Purmals denied it. Witnesses said so. NASA stated this.", "Purmals", "NASA"),
        ("According to the file, Quarb later explained why.", "Quarb", ""),
    ],
)
def test_letters_and_deeds_give_a_name_away(rules: Detector, text: str, found: str, not_found: str) -> None:
    """A letter that the language does not have, and a verb that only people are the subject of."""
    people = {text[span.start : span.end] for span in rules.detect([text])[0] if span.type == "PERSON"}
    assert found in people
    assert not_found not in people


def test_letters_of_the_language_say_nothing() -> None:
    """German words have umlauts: only letters that German does not have tell a name."""
    text = "Die Größe der Öfen prüft Jože."
    spans = Detector(None, "de").detect([text])[0]
    assert [text[span.start : span.end] for span in spans if span.type == "PERSON"] == ["Jože"]


def test_the_rows_of_a_list_are_people_where_some_are(knows: Callable[..., Detector]) -> None:
    """A court's bench: one name to a line, with or without a role; lines without a known person say nothing."""
    text = "Composed of:\nAda Lindqvist, President,\nQuarb Zuvora,\nMiro Belquist, judges,\nRules of Court\nFirst Part"
    spans = knows({"Ada Lindqvist": "PERSON"}).detect([text])[0]
    people = [text[span.start : span.end] for span in spans if span.type == "PERSON"]
    assert people == ["Ada Lindqvist", "Quarb Zuvora", "Miro Belquist"]
    alone = "Wooden Table\nGreen Chair"
    assert not [span for span in knows({"Ada": "PERSON"}).detect([alone])[0] if span.type == "PERSON"]
