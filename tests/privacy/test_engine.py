"""The pseudonymiser: consistent in every field, aligned everywhere, never keeping what it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubepipe.errors import IntegrityError
from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.privacy import Detector, Pseudonymiser, Span
from kubepipe.privacy.detect.merge import merge
from kubepipe.privacy.entities import CLASS_OF_TYPE, class_of
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))
POLICY = PrivacySettings()
Knows = Callable[..., Detector]
Make = Callable[..., Passage]


def protect(detector: Detector, *passages: Passage, policy: PrivacySettings = POLICY, round_: int = 1) -> list[Passage]:
    """The protected passages, in order; dropped ones are left out."""
    found = Pseudonymiser(policy, KEY, detector).protect(passages, round=round_)
    return [item.passage for item in found if item.passage is not None]


def test_a_name_is_replaced_alike_in_every_field(knows: Knows, passage: Make) -> None:
    """Context, questions, answers and the document's name speak of the same new person."""
    before = passage(
        "Ada Lovelace met Babbage. Lovelace wrote notes.",
        ("What did Lovelace write?", "notes"),
        ("Who met Babbage?", "Ada Lovelace"),
        document="Ada_Lovelace",
    )
    (after,) = protect(knows({"Ada Lovelace": "PERSON", "Babbage": "PERSON"}), before)
    given_name, family_name = after.questions[1].answers[0].text.split()
    other = after.questions[1].text.removeprefix("Who met ").removesuffix("?")
    assert after.context == f"{given_name} {family_name} met {other}. {family_name} wrote notes."
    assert after.questions[0].text == f"What did {family_name} write?"
    assert after.document == f"{given_name}_{family_name}"
    assert not {"Ada", "Lovelace", "Babbage"} & set(after.context.replace(".", "").split())


def test_a_name_that_only_a_question_holds_is_replaced(knows: Knows, passage: Make) -> None:
    """Nothing in the context names Babbage, yet no question may."""
    before = passage("She wrote notes.", ("What did Babbage say?", ""), ("Who wrote?", "She"))
    (after,) = protect(knows({"Babbage": "PERSON"}), before)
    assert "Babbage" not in after.questions[0].text


def test_a_name_in_a_question_without_capitals_is_replaced(knows: Knows, passage: Make) -> None:
    """As people type into a search box: the whole name and its parts; ordinary words that are names as well stay."""
    before = passage(
        "Anna Kowalski met Frank Stone.",
        ("when did anna kowalski come?", ""),
        ("What did kowalski say?", ""),
        ("what did i read on the stone of kowalski", ""),
        ("Is a stone older than Kowalski?", ""),
    )
    (after,) = protect(knows({"Anna Kowalski": "PERSON", "Frank Stone": "PERSON"}), before)
    given_name, family_name = after.context.split(" met ")[0].split()
    assert [each.text for each in after.questions] == [
        f"when did {given_name.lower()} {family_name.lower()} come?",
        f"What did {family_name.lower()} say?",
        f"what did i read on the stone of {family_name.lower()}",
        f"Is a stone older than {family_name}?",
    ]


def test_words_in_questions_without_capitals_are_no_sign_of_an_ordinary_word(knows: Knows, passage: Make) -> None:
    """A surname that is often asked for in lower case is looked for in the whole data set all the same."""
    asked = [(f"what did kowalski do {number}?", "") for number in range(5)]
    first, second = passage("Anna Kowalski came.", *asked), passage("Old Kowalski left.", ("who?", ""), id="passage-2")
    found = Pseudonymiser(POLICY, KEY, knows({"Anna Kowalski": "PERSON"})).survey([first, second])
    assert "kowalski" in found.vault.words
    assert [each.type for each in found.vault.find("is kowalski here?")] == ["PERSON"]
    assert not list(found.vault.find("Is a kowalski Polish?"))


def test_a_name_in_small_letters_beside_capitals_is_replaced(knows: Knows, passage: Make) -> None:
    """Where nearly every other mention is written as a name; a word that is often small is an ordinary one."""
    before = passage(
        "Anna Kowalski met Frank Birch. Kowalski saw Birch, Birch saw Kowalski. Kowalski left. Birch left. "
        "Kowalski slept.",
        ("What did kowalski say to the Poles?", ""),
        ("Was the Polish birch high?", ""),
        ("Is a birch tree in Warsaw?", ""),
    )
    (after,) = protect(knows({"Anna Kowalski": "PERSON", "Frank Birch": "PERSON"}), before)
    asked = [each.text for each in after.questions]
    assert "kowalski" not in asked[0]
    assert asked[0].startswith("What did ")
    assert asked[0].endswith("say to the Poles?")
    assert "birch" in asked[1]
    assert "birch" in asked[2]


def test_a_person_is_the_same_in_every_passage(knows: Knows, passage: Make) -> None:
    """One key: full name here, surname there, the same surrogate."""
    detector = knows({"Ada Lovelace": "PERSON", "Lovelace": "PERSON"})
    first = passage("Ada Lovelace wrote.", ("Who?", "Ada Lovelace"), id="passage-1")
    second = passage("Then Lovelace left.", ("Who left?", "Lovelace"), id="passage-2")
    one, two = protect(detector, first, second)
    assert one.questions[0].answers[0].text.split()[1] == two.questions[0].answers[0].text


def test_another_key_makes_another_world(knows: Knows, passage: Make) -> None:
    """Without the key the surrogates tell nothing about each other."""
    before = passage("Ada Lovelace wrote.", ("Who?", "Ada Lovelace"))
    detector = knows({"Ada Lovelace": "PERSON"})
    worlds = {
        next(Pseudonymiser(POLICY, key, detector).protect([before])).passage.context  # type: ignore[union-attr]
        for key in (bytes(32), bytes(range(32)), b"k" * 32)
    }
    assert len(worlds) == 3


def test_two_people_of_a_passage_never_share_a_surrogate(knows: Knows, passage: Make) -> None:
    """Three hundred surnames in one text stay three hundred."""
    surnames = [f"Na{chr(97 + n // 26)}{chr(97 + n % 26)}me" for n in range(300)]
    before = passage(" ".join(surnames), ("Who?", ""))
    (after,) = protect(knows(dict.fromkeys(surnames, "PERSON")), before)
    assert len(set(after.context.split())) == 300


def test_accents_make_no_difference(knows: Knows, passage: Make) -> None:
    """Renée with and without her accent is one person."""
    before = passage("Renée Quillfeather sang. Who heard Renee?", ("Did RENEE sing?", "Renée"))
    (after,) = protect(knows({"Renée Quillfeather": "PERSON"}), before)
    name = after.questions[0].answers[0].text
    assert after.context.endswith(f"Who heard {name}?")
    assert name.upper() in after.questions[0].text


def test_a_user_name_that_holds_a_name_is_replaced(knows: Knows, passage: Make) -> None:
    """No form of the surname is left in a login."""
    before = passage("Ada Lovelace signed in as ALovelace1815.", ("Who?", "Ada Lovelace"))
    (after,) = protect(knows({"Ada Lovelace": "PERSON"}), before)
    assert "ovelace" not in after.context


def test_a_surrogate_is_never_a_word_of_the_data_set(knows: Knows, passage: Make) -> None:
    """What one passage draws does not stand in another one."""
    detector = knows({"Ada": "PERSON"})
    first = passage("Ada wrote.", ("Who?", "Ada"), id="passage-1")
    drawn = protect(detector, first)[0].questions[0].answers[0].text
    second = passage(f"{drawn} is another word here.", ("What?", "word"), id="passage-2")
    again = protect(detector, first, second)[0].questions[0].answers[0].text
    assert again != drawn


def test_titles_possessives_and_particles_stay(knows: Knows, passage: Make) -> None:
    """Dr, 's and von are no names; the words around keep their form."""
    before = passage("Dr Anna von Humm's car and ANNA VON HUMM", ("Whose?", "Anna von Humm"))
    (after,) = protect(knows({"Anna von Humm": "PERSON"}), before)
    words = after.context.split()
    assert words[0] == "Dr"
    assert words[2] == "von"
    assert words[3].endswith("'s")
    assert words[6] == words[1].upper()


@pytest.mark.parametrize(
    ("context", "entity", "answer"),
    [
        ("Martin Luther King spoke.", "Martin Luther King", "Luther"),
        ("Martin Luther King spoke.", "Martin Luther", "Luther King"),
        ("Tesla's coil", "Tesla", "Tesla's"),
        ("McDonaldson ate", "McDonaldson", "Donald"),
        ("He paid 1234567 then", "", "4567"),
    ],
)
def test_an_answer_that_cuts_an_entity_stays_aligned(
    knows: Knows, passage: Make, context: str, entity: str, answer: str
) -> None:
    """Words are replaced one by one, so the answer is the surrogate of its own words, or of the whole word it cuts."""
    (after,) = protect(knows({entity: "PERSON"} if entity else {}), passage(context, ("Q?", answer)))
    assert after.misaligned() == []
    if " " not in answer.strip() and answer == "Luther":
        assert after.questions[0].answers[0].text == after.context.split()[1]


def test_masking_puts_tags_in_place(knows: Knows, passage: Make) -> None:
    """With the method mask the type stands where the entity stood, and answers are aligned all the same."""
    before = passage("Ada Lovelace wrote to Babbage.", ("Who wrote?", "Ada Lovelace"))
    policy = PrivacySettings(method="mask")
    (after,) = protect(knows({"Ada Lovelace": "PERSON", "Babbage": "PERSON"}), before, policy=policy)
    assert after.context == "[PERSON] wrote to [PERSON]."
    assert after.questions[0].answers[0] == Answer("[PERSON]", 0)


def test_switched_off_it_changes_nothing(knows: Knows, passage: Make) -> None:
    """With privacy.enabled false the passages come out as they went in; the gate judges them."""
    before = passage("Ada wrote.", ("Who?", "Ada"))
    assert protect(knows({"Ada": "PERSON"}), before, policy=PrivacySettings(enabled=False)) == [before]


def test_the_first_round_leaves_other_classes_the_second_takes_them(knows: Knows, passage: Make) -> None:
    """Escalation: round 1 replaces the policy's classes, round 2 also QUASI and OTHER."""
    before = passage("Ada flew to Ulmen.", ("Where?", "Ulmen"))
    policy = PrivacySettings(classes=("DIRECT",))
    detector = knows({"Ada": "PERSON", "Ulmen": "PLACE"})
    assert "Ulmen" in protect(detector, before, policy=policy)[0].context
    assert "Ulmen" not in protect(detector, before, policy=policy, round_=2)[0].context


def test_a_telling_id_is_replaced(knows: Knows, passage: Make) -> None:
    """An id made of a name that the data set holds leaves nothing of it."""
    before = passage("Ada Lovelace wrote.", ("Who?", "Ada Lovelace"), id="Ada_Lovelace")
    (after,) = protect(knows({"Ada Lovelace": "PERSON"}), before)
    assert "Lovelace" not in after.id + after.questions[0].id


def test_extra_columns_are_pseudonymised_too(knows: Knows) -> None:
    """Until minimisation drops them, a column speaks of the new person as well."""
    question = Question("question-1", "Who wrote?", (Answer("Ada", 0),), {"author": "Ada Lovelace"})
    (after,) = protect(knows({"Ada Lovelace": "PERSON"}), Passage("passage-1", "d", "Ada wrote.", (question,)))
    assert after.questions[0].extra["author"].split()[0] == after.questions[0].answers[0].text != "Ada"


def test_a_misaligned_question_is_dropped_and_counted(knows: Knows) -> None:
    """It is never kept wrong; a passage without questions is dropped as a whole."""
    wrong = Question("question-1", "Who?", (Answer("Ada", 3),))
    (result,) = Pseudonymiser(POLICY, KEY, knows({})).protect([Passage("passage-1", "d", "Ada wrote.", (wrong,))])
    assert result.passage is None
    assert result.dropped == {"misaligned": 1}


def test_counts_and_hashes_tell_no_value(knows: Knows, passage: Make) -> None:
    """What is reported are types, numbers and keyed hashes."""
    before = passage("Ada Lovelace wrote to ada@example.org.", ("Who?", "Ada Lovelace"))
    (result,) = Pseudonymiser(POLICY, KEY, knows({"Ada Lovelace": "PERSON"})).protect([before])
    assert result.counts["PERSON"] == 1
    assert result.counts["EMAIL"] == 1
    assert all(len(value) == 24 and int(value, 16) >= 0 for value in result.original_direct)


def test_a_key_of_the_wrong_length_is_refused() -> None:
    """A short key would be guessable."""
    with pytest.raises(IntegrityError, match="32 bytes"):
        Pseudonymiser(POLICY, b"short")


PIECES = [
    "Ada",
    "Lovelace",
    " ",
    " ",
    "'s",
    "e\u0301",
    "\U0001f469\u200d\U0001f52c",
    "\r\n",
    "\n",
    "שלום",
    "مرحبا",
    "2011",
    "May 12",
    ".",
    "-",
    "a@b.cd",
]


class Scripted:
    """A recogniser that says what it is told, in any order and overlap."""

    reach = None

    def __init__(self, spans: list[Span]) -> None:
        self.spans = spans

    def recognise(self, texts: Sequence[str]) -> list[list[Span]]:
        """The script's spans, cut to each text."""
        return [
            [
                Span(s.start, min(s.end, len(text)), s.type, s.cls, s.source, s.score)
                for s in self.spans
                if s.start < len(text)
            ]
            for text in texts
        ]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Passage, list[Span]]:
    """A passage with answers anywhere in its context, and nested, adjacent and overlapping spans."""
    context = draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=25).map("".join))
    questions = []
    for number in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(context) - 1))
        end = draw(st.integers(start + 1, len(context)))
        answers = (Answer(context[start:end], start),) if draw(st.booleans()) else ()
        text = draw(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
        questions.append(Question(f"question-{number}", text, answers))
    spans = []
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, len(context) - 1))
        type_ = draw(st.sampled_from(sorted(CLASS_OF_TYPE)))
        if type_ == "AGE":
            continue
        spans.append(Span(start, start + draw(st.integers(1, 12)), type_, class_of(type_), "ner", 0.9))
    return Passage("passage-1", "d", context, tuple(questions)), spans


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(cases(), st.sampled_from(["pseudonymise", "mask"]))
def test_whatever_is_found_every_answer_stays_aligned(case: tuple[Passage, list[Span]], method: str) -> None:
    """Nested, adjacent, overlapping spans; emoji, combining marks, CRLF, right-to-left: no answer is ever wrong."""
    before, spans = case
    policy = PrivacySettings(method=method)  # type: ignore[arg-type]
    (result,) = Pseudonymiser(policy, KEY, Detector(Scripted(spans), "en")).protect([before], round=2)
    if result.passage is None:
        return
    assert result.passage.misaligned() == []
    after = {question.id: question for question in result.passage.questions}
    for question in before.questions:
        if question.id in after:
            assert len(after[question.id].answers) == len(question.answers)
    assert sum(result.dropped.values()) + len(after) == len(before.questions)


@settings(deadline=None, max_examples=150)
@given(cases())
def test_merged_spans_never_overlap_and_cover_what_was_found(case: tuple[Passage, list[Span]]) -> None:
    """Merging loses no letter of a finding and leaves no overlap."""
    passage, spans = case
    text = passage.context
    inside = [Span(s.start, min(s.end, len(text)), s.type, s.cls, s.source, s.score) for s in spans]
    merged = merge(text, inside)
    assert all(left.end <= right.start for left, right in pairwise(merged))
    covered = {at for span in merged for at in range(span.start, span.end)}
    wanted = {at for span in inside for at in range(span.start, span.end) if text[at].isalpha() and text[at] != "s"}
    assert wanted <= covered
