"""The gate: leaks are seen wherever they stand, ordinary words are none, and nothing passes by chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.privacy import Detector, Measures, Pseudonymiser, Span, decide, measure, minimise
from kubepipe.privacy.detect.detector import Telling
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))
POLICY = PrivacySettings()
Knows = Callable[..., Detector]
Make = Callable[..., Passage]
WORDS = {"Ada Lovelace": "PERSON", "Babbage": "PERSON"}


@pytest.fixture
def before(passage: Make) -> Passage:
    """A passage with two people and an e-mail address."""
    context = "Ada Lovelace (ada@example.org) met Babbage. She wrote notes on the engine."
    return passage(context, ("Who met Babbage?", "Ada Lovelace"), ("What did she write?", "notes"), ("Why?", ""))


def protected(detector: Detector, *passages: Passage) -> list[Passage]:
    """What the engine and minimisation make of passages."""
    results = Pseudonymiser(POLICY, KEY, detector).protect(passages)
    return list(minimise((item.passage for item in results if item.passage), POLICY, KEY))


def judged(
    detector: Detector, before: Passage, *after: Passage, policy: PrivacySettings = POLICY
) -> tuple[str, list[str]]:
    """Verdict and reason codes."""
    verdict = decide(measure([before], after, policy, KEY, detector), policy)
    return verdict.verdict, [reason.code for reason in verdict.reasons]


def test_protected_data_passes(knows: Knows, before: Passage) -> None:
    """What the engine made of the data passes, with all answers and questions."""
    detector = knows(WORDS)
    (after,) = protected(detector, before)
    measures = measure([before], [after], POLICY, KEY, detector)
    assert decide(measures, POLICY).verdict == "pass"
    assert (measures.leaks, measures.aligned, measures.answers, measures.dropped_share) == (0, 2, 2, 0.0)
    assert measures.direct_values > 0


def test_untouched_data_is_quarantined(knows: Knows, before: Passage) -> None:
    """Negative control: with anonymisation switched off, data with personal data does not pass."""
    policy = PrivacySettings(enabled=False)
    detector = knows(WORDS)
    (result,) = Pseudonymiser(policy, KEY, detector).protect([before])
    assert result.passage is not None
    verdict, codes = judged(detector, before, result.passage, policy=policy)
    assert verdict == "quarantine"
    assert "direct_identifier_left" in codes


def test_masked_data_passes(knows: Knows, before: Passage) -> None:
    """Positive control: everything masked passes."""
    policy = PrivacySettings(method="mask")
    detector = knows(WORDS)
    (result,) = Pseudonymiser(policy, KEY, detector).protect([before], round=2)
    assert result.passage is not None
    assert judged(detector, before, result.passage, policy=policy) == ("pass", [])


def test_untouched_data_without_personal_data_passes(knows: Knows, passage: Make) -> None:
    """Where there is nothing to protect, nothing is held back."""
    plain = passage("Water boils at 100 degrees.", ("What boils?", "Water"))
    assert judged(knows({}), plain, plain) == ("pass", [])


@pytest.mark.parametrize(
    "leak",
    [
        "Ada Lovelace",
        "Lovelace",
        "LOVELACE",
        "ada lovelace, ADA LOVELACE",
        "Babbage's",
        "ALovelace1815",
        "LOVELACÉ",
        "ada@example.org",
        "ADA@EXAMPLE.ORG",
    ],
)
@pytest.mark.parametrize("place", ["context", "question", "extra", "document", "id"])
def test_a_leak_is_seen_in_every_field(knows: Knows, before: Passage, leak: str, place: str) -> None:
    """A direct identifier of the original, or the telling part of a name, counts wherever it stands."""
    detector = knows(WORDS)
    (after,) = protected(detector, before)
    question = after.questions[1]
    changed = {
        "context": replace(after, context=f"{after.context} {leak}"),
        "question": replace(after, questions=(after.questions[0], replace(question, text=leak), after.questions[2])),
        "extra": replace(
            after, questions=(after.questions[0], replace(question, extra={"x": leak}), after.questions[2])
        ),
        "document": replace(after, document=leak.replace(" ", "_")),
        "id": replace(after, questions=(after.questions[0], replace(question, id=leak), after.questions[2])),
    }[place]
    verdict, codes = judged(detector, before, changed)
    assert verdict == "quarantine"
    assert "direct_identifier_left" in codes


def test_a_leak_into_another_passage_is_seen(knows: Knows, passage: Make, before: Passage) -> None:
    """A name of one passage that stands in the protected text of another one is a leak."""
    detector = knows({"Ada Lovelace": "PERSON"})
    other = passage("The notes are long.", ("What is long?", "notes"), id="passage-2")
    one, two = protected(detector, before, other)
    leaking = replace(two, context=f"{two.context} By Lovelace.")
    verdict = decide(measure([before, other], [one, leaking], POLICY, KEY, detector), POLICY)
    assert verdict.verdict == "quarantine"


def test_an_ordinary_word_that_is_also_a_name_is_no_leak_elsewhere(knows: Knows, passage: Make) -> None:
    """May is a person in one passage and a month in another: the month is no leak."""
    person = passage("Theresa May spoke.", ("Who?", "Theresa May"), id="passage-1")
    month = passage("In May it rains.", ("When?", "In May"), id="passage-2")
    detector = knows({"Theresa May": "PERSON"})
    after = protected(detector, person, month)
    assert after[1].context == "In May it rains."
    assert decide(measure([person, month], after, POLICY, KEY, detector), POLICY).verdict == "pass"


def test_a_word_that_the_data_writes_small_is_ordinary(knows: Knows, passage: Make) -> None:
    """The recogniser's mistakes are not spread: a word that also stands in small letters names nobody."""
    odd = passage("Kettle Whistles spoke.", ("Who?", "Kettle Whistles"), id="passage-1")
    plain = passage("Kettles: a kettle whistles, the kettle whistles. Kettle!", ("What?", "Kettle"), id="passage-2")
    detector = knows({"Kettle Whistles": "PERSON"})
    after = protected(detector, odd, plain)
    assert after[1].context == plain.context
    assert decide(measure([odd, plain], after, POLICY, KEY, detector), POLICY).verdict == "pass"


def test_what_only_the_second_look_finds_counts(knows: Knows, passage: Make) -> None:
    """A name that was missed at first and is found in the protected text counts, and the second round replaces it."""
    before = passage("Zuvora met Babbage.", ("Who met Babbage?", "Zuvora"))
    blind, seeing = knows({"Babbage": "PERSON"}), knows({"Zuvora": "PERSON"})
    (result,) = Pseudonymiser(POLICY, KEY, blind).protect([before])
    assert result.passage is not None

    class Late(Detector):
        """Finds Zuvora only when Babbage is gone, as a recogniser may that reads another context."""

        def detect(self, texts: Sequence[str], telling: Telling | None = None) -> list[list[Span]]:
            """Which detector reads depends on the text."""
            return [(blind if "Babbage" in text else seeing).detect([text], telling)[0] for text in texts]

    late = Late(None, "en")
    verdict, codes = judged(late, before, result.passage)
    assert verdict == "quarantine"
    assert "redetected" in codes
    (second,) = Pseudonymiser(POLICY, KEY, late).protect([before], round=2)
    assert second.passage is not None
    assert judged(late, before, second.passage) == ("pass", [])


def test_a_wrong_answer_is_seen(knows: Knows, before: Passage) -> None:
    """One answer that does not stand where it says is enough."""
    detector = knows(WORDS)
    (after,) = protected(detector, before)
    wrong = replace(after.questions[0], answers=(Answer("nonsense", 0),))
    assert "misaligned" in judged(detector, before, replace(after, questions=(wrong, *after.questions[1:])))[1]


def test_an_invented_answer_is_seen(knows: Knows, before: Passage) -> None:
    """An unanswerable question must not become answerable."""
    detector = knows(WORDS)
    (after,) = protected(detector, before)
    invented = replace(after.questions[2], answers=(Answer(after.context[:3], 0),))
    assert "answers_changed" in judged(detector, before, replace(after, questions=(*after.questions[:2], invented)))[1]


def test_a_foreign_passage_is_seen(knows: Knows, passage: Make, before: Passage) -> None:
    """Data that does not come from the original never passes."""
    detector = knows(WORDS)
    foreign = passage("Water boils.", ("What?", "Water"), id="passage-99")
    assert "foreign_passages" in judged(detector, before, *protected(detector, before), foreign)[1]


def test_too_much_loss_is_seen(knows: Knows, before: Passage) -> None:
    """Dropping questions has a limit, and dropping all has its own reason."""
    detector = knows(WORDS)
    (after,) = protected(detector, before)
    assert "too_many_dropped" in judged(detector, before, replace(after, questions=after.questions[:1]))[1]
    assert "nothing_left" in judged(detector, before)[1]


def test_a_person_is_asked_when_the_policy_says_so(knows: Knows, before: Passage) -> None:
    """Everything holds, yet the verdict is needs_human."""
    policy = PrivacySettings(require_approval=True)
    detector = knows(WORDS)
    assert judged(detector, before, *protected(detector, before), policy=policy) == (
        "needs_human",
        ["approval_required"],
    )


def test_no_reason_and_no_measure_holds_a_value(knows: Knows, before: Passage) -> None:
    """Reports of a refusal can be shown to anybody."""
    measures = measure([before], [before], POLICY, KEY, knows(WORDS))
    shown = str(measures.document()) + str(decide(measures, POLICY))
    assert not any(word in shown for word in ("Ada", "Lovelace", "Babbage", "example"))


def test_a_measure_that_is_no_number_breaks_its_rule() -> None:
    """Fail closed: NaN is not below any limit."""
    nan = float("nan")
    measures = Measures(1, 1, 1, 1, 1, 1, 0, 0, nan, (0.0, 1.0), 0, nan, 1, 1, 1.0, nan, 0, 0, 1.0, 0)
    codes = {reason.code for reason in decide(measures, POLICY).reasons}
    assert codes == {"direct_identifier_left", "redetected", "too_many_dropped"}


def test_ids_that_were_replaced_are_still_known(knows: Knows) -> None:
    """Minimisation gives keyed ids; the gate finds the original by the key."""
    question = Question("Mrs-Miller-1", "What boils?", (Answer("Water", 0),))
    before = Passage("room 7", "d", "Water boils.", (question,))
    (after,) = protected(knows({}), before)
    assert after.id != before.id
    assert judged(knows({}), before, after) == ("pass", [])
