"""Attacks on the protected data: what they find, what their controls take off, and what the gate makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from kubepipe.passages.model import Passage
from kubepipe.privacy import Attacks, Detector, Pseudonymiser, attack, decide, measure, minimise, survey
from kubepipe.privacy.assess.table import table_risk
from kubepipe.privacy.gate import attacks as attacks_module
from kubepipe.privacy.gate.casing import Casing
from kubepipe.privacy.gate.linkage import link
from kubepipe.privacy.gate.second import CasedNames
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))
POLICY = PrivacySettings()
Knows = Callable[..., Detector]
Make = Callable[..., Passage]
PEOPLE = ("Edmund Whitcombe", "Harriet Oakes", "Ruben Castell", "Imke Dorrance")
PLACES = ("Ulmen", "Kronau", "Pellworm", "Zwiesel")
WORDS = {**dict.fromkeys(PEOPLE, "PERSON"), **dict.fromkeys(PLACES, "PLACE")}


@pytest.fixture
def four(passage: Make) -> list[Passage]:
    """Four passages of the same prose, each about another person in another place."""
    return [
        passage(
            f"The clerk {person} lives in {place}. It rains there.", ("Where does it rain?", place), id=f"p{number}"
        )
        for number, (person, place) in enumerate(zip(PEOPLE, PLACES, strict=True))
    ]


def attacked(
    detector: Detector, before: list[Passage], after: Iterable[Passage], policy: PrivacySettings = POLICY
) -> Attacks:
    """All attacks."""
    held = list(after)
    return attack(lambda: before, lambda: held, policy, KEY, survey(before, detector, "en"))


def protected(detector: Detector, before: list[Passage], policy: PrivacySettings = POLICY) -> list[Passage]:
    """What the engine and minimisation make of passages."""
    results = Pseudonymiser(policy, KEY, detector).protect(before)
    return list(minimise((item.passage for item in results if item.passage), policy, KEY))


def codes(
    found: Attacks, detector: Detector, before: list[Passage], after: list[Passage], policy: PrivacySettings
) -> list[str]:
    """Reasons of the gate."""
    verdict = decide(measure(before, after, policy, KEY, detector), policy, None, found)
    return [reason.code for reason in verdict.reasons]


def test_protected_data_withstands(knows: Knows, four: list[Passage]) -> None:
    """Nobody is singled out, nobody is linked, the second detector sees nobody of the original."""
    detector = knows(WORDS)
    after = protected(detector, four)
    found = attacked(detector, four, after)
    assert (found.singled_out.unique, found.linkage.beyond_share, found.disagreement.passages) == (0, 0.0, 0)
    assert found.linkage.examined == 4
    assert codes(found, detector, four, after, POLICY) == []


def test_untouched_data_is_linked_singled_out_and_disagreed_with(knows: Knows, four: list[Passage]) -> None:
    """Negative control: without protection all attacks succeed, and each breaks its own rule."""
    detector = knows(WORDS)
    after = list(minimise(four, POLICY, KEY))
    found = attacked(detector, four, after)
    assert (found.singled_out.unique, found.linkage.linked, found.linkage.linked_control) == (4, 4, 0)
    assert found.linkage.beyond_interval == (1.0, 1.0)
    assert found.disagreement.passages >= 3
    assert {"singled_out", "linkable", "second_detector_disagrees"} <= set(codes(found, detector, four, after, POLICY))


def test_masked_data_withstands(knows: Knows, four: list[Passage]) -> None:
    """Positive control: with tags in the place of all values no attack has anything to hold on to."""
    policy = PrivacySettings(method="mask")
    detector = knows(WORDS)
    found = attacked(detector, four, protected(detector, four, policy), policy)
    assert (found.singled_out.unique, found.linkage.linked, found.disagreement.findings) == (0, 0, 0)


def test_a_name_that_the_first_detector_does_not_know_is_seen(knows: Knows, four: list[Passage]) -> None:
    """The first detector does not know Aino: the second sees her, and whoever knows her links the passage."""
    detector = knows(WORDS)
    unknown = [
        replace(four[0], context=four[0].context.replace("It rains", "With Aino Virtaselka it rains")),
        *four[1:],
    ]
    found = attacked(detector, unknown, protected(detector, unknown))
    assert found.disagreement.passages == 1
    assert found.linkage.beyond == 1


def test_prose_alone_links_nobody_beyond_the_control() -> None:
    """What the control links as well hangs on the prose, and is no leak."""
    texts = ["granite is hard", "water is wet", "iron rusts slowly"]
    known = [frozenset({"rust"}), frozenset({"waters"}), frozenset({"slow"})]
    found = link(known, texts, texts, is_all=True)
    assert found.linked == found.linked_control > 0
    assert (found.beyond, found.beyond_share) == (0, 0.0)


def test_a_control_that_links_everybody_says_nothing_and_does_not_pass() -> None:
    """Fail closed: nothing can be said, so the share is all."""
    found = link([frozenset({"rust"})], ["iron rusts"], ["iron rusts"], is_all=True)
    assert found.linked_control == 1
    assert found.beyond_interval == (1.0, 1.0)


def test_a_sample_gives_an_interval(knows: Knows, four: list[Passage], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all passages are attacked, the upper end of the interval decides."""
    monkeypatch.setattr(attacks_module, "SAMPLE", 2)
    detector = knows(WORDS)
    found = attacked(detector, four, protected(detector, four))
    assert found.linkage.examined == found.disagreement.examined == 2
    assert found.linkage.beyond_interval[1] > 0.5
    assert found.disagreement.interval == (0.0, 0.5)


def test_without_a_second_detector_its_rule_is_broken(knows: Knows, four: list[Passage]) -> None:
    """A rule that cannot be judged does not hold; without the rule the report says that nobody looked."""
    detector = knows(WORDS)
    policy = PrivacySettings(second_detector=None)
    after = protected(detector, four, policy)
    found = attacked(detector, four, after, policy)
    assert found.document()["disagreement"]["detector"] is None
    assert codes(found, detector, four, after, policy) == ["second_detector_missing"]
    lenient = policy.model_copy(update={"max_disagreement": 1.0})
    assert codes(found, detector, four, after, lenient) == []


def test_a_figure_that_is_no_number_breaks_its_rule(knows: Knows, four: list[Passage]) -> None:
    """Fail closed: NaN is not below any limit."""
    detector = knows(WORDS)
    after = protected(detector, four)
    found = attacked(detector, four, after)
    nan = (0.0, float("nan"))
    broken = replace(
        found,
        singled_out=replace(found.singled_out, unique_interval=nan),
        linkage=replace(found.linkage, beyond_interval=nan),
        disagreement=replace(found.disagreement, interval=nan),
    )
    assert codes(broken, detector, four, after, POLICY) == ["singled_out", "linkable", "second_detector_disagrees"]


def test_columns_that_are_left_must_not_single_out(knows: Knows, four: list[Passage]) -> None:
    """Data that still has columns about people passes only when enough people share their values."""
    measures = measure(four, protected(knows(WORDS), four), POLICY, KEY, knows(WORDS))
    for ages, expected in ((["34"] * 5, []), (["34"] * 5 + ["51"], ["columns_single_out"])):
        verdict = decide(measures, POLICY, None, None, table_risk({"age": ages}, ["age"]))
        assert [reason.code for reason in verdict.reasons] == expected


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Yesterday the clerk Harriet Oakes left.", ["Harriet Oakes"]),
        ("Harriet left. It rained.", ["Harriet"]),
        ("Granite is hard. Water is wet.", []),
        ("Write to a.b@example.org soon.", ["a.b@example.org"]),
        ("Call +49 30 9018 2012 or 12.", ["+49 30 9018 2012"]),
        ("It has 2,600,000 people since 1914-1918.", []),
        ("The Granite Road is long.", []),
    ],
)
def test_the_built_in_second_detector(text: str, seen: list[str]) -> None:
    """Names by lists and case, mail and long numbers by their form, and no ordinary words."""
    casing = Casing(["the granite road is long, water is wet, it is yesterday", text])
    assert [text[start:end] for start, end in CasedNames(casing).identifiers([text])[0]] == seen


def test_no_figure_holds_a_value(knows: Knows, four: list[Passage]) -> None:
    """Figures of attacks can be shown to anybody."""
    detector = knows(WORDS)
    found = attacked(detector, four, list(minimise(four, POLICY, KEY)))
    verdict = decide(measure(four, four, POLICY, KEY, detector), POLICY, None, found)
    shown = str(found.document()) + "".join(reason.text for reason in verdict.reasons)
    assert "second detector" in shown
    assert not any(word in shown for name in WORDS for word in name.split())
