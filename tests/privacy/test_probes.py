"""Seeded probes: invented people that the engine has to find."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from kubepipe.passages.model import Passage
from kubepipe.privacy import Detector, Span, decide, measure, probe
from kubepipe.privacy.gate.probes import COPIES
from kubepipe.privacy.intervals import clopper_pearson
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))
Make = Callable[..., Passage]


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 10, 0.0, 0.30850), (10, 10, 0.69150, 1.0), (5, 10, 0.18709, 0.81291), (1, 100, 0.00025, 0.05446)],
)
def test_exact_intervals(hits: int, total: int, low: float, high: float) -> None:
    """Clopper-Pearson intervals as in the tables."""
    assert clopper_pearson(hits, total) == (pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5))


def test_nothing_tried_nothing_known() -> None:
    """Without probes the interval is all of 0 to 1."""
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_the_engine_finds_most_probes(detector: Detector, passage: Make) -> None:
    """With its model the engine finds the numbers, and so many of the names that the gate is content."""
    some = [passage(f"Granite is hard. Sample {n}.", ("What is hard?", "Granite"), id=f"p{n}") for n in range(7)]
    probes = probe(some, PrivacySettings(), KEY, detector)
    assert probes.seeded == 2 * COPIES
    assert {each.type: each.found == each.seeded for each in probes.types if each.type != "PERSON"} == {
        "CARD": True, "CODE": True, "EMAIL": True, "IBAN": True, "PHONE": True,
    }  # fmt: skip
    assert probes.missed_upper < PrivacySettings().max_missed_probes
    assert probe(some, PrivacySettings(), KEY, detector) == probes


class Blind(Detector):
    """Has the rules for numbers, and sees no name."""

    def rules(self, text: str) -> Iterator[Span]:
        """All rules but those for people."""
        return (span for span in super().rules(text) if span.type != "PERSON")


def test_a_blind_detector_is_found_out(passage: Make) -> None:
    """Negative control: names are missed, and the gate says so whatever else was measured."""
    some = [passage("Granite is hard.", ("What is hard?", "Granite"))]
    probes = probe(some, PrivacySettings(), KEY, Blind(None, "en"))
    person = next(each for each in probes.types if each.type == "PERSON")
    assert person.found < 0.75 * person.seeded
    assert probes.missed_upper > PrivacySettings().max_missed_probes


def test_missed_probes_break_a_rule(rules: Detector, passage: Make) -> None:
    """The upper end of the interval decides."""
    made = [passage("Granite is hard.", ("What is hard?", "Granite"))]
    policy = PrivacySettings()
    measures = measure(made, made, policy, KEY, rules)
    probes = probe(made, policy, KEY, rules)
    assert decide(measures, policy).verdict == "pass"
    verdict = decide(measures, policy, probes)
    assert [reason.code for reason in verdict.reasons] == ["probes_missed"]
    assert decide(measures, PrivacySettings(max_missed_probes=1.0), probes).verdict == "pass"
