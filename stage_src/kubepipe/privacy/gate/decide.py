"""The verdict: hard rules over measures. Nothing is weighed against anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from kubepipe.privacy.assess.table import TableRisk
from kubepipe.privacy.gate.attacks import Attacks
from kubepipe.privacy.gate.measure import Measures
from kubepipe.privacy.gate.probes import Probes
from kubepipe.settings.privacy import PrivacySettings

OVERRULABLE: Final = frozenset(
    {"redetected", "probes_missed", "too_many_dropped", "singled_out", "linkable", "second_detector_disagrees"}
)
"""Rules that estimate: a person who has looked may overrule them. What is measured to stand in the data, or to be wrong
with it, nobody overrules; and no rule that is not listed here."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the verdict is what it is.

    Attributes:
        code: For programs.
        text: For people; never a value of the data.
    """

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided.

    Attributes:
        verdict: `pass`, `quarantine`, or `needs_human` when all rules hold but the policy asks for a person.
        reasons: Empty on `pass`.
    """

    verdict: Literal["pass", "quarantine", "needs_human"]
    reasons: tuple[Reason, ...]


def decide(
    measures: Measures,
    settings: PrivacySettings,
    probes: Probes | None = None,
    attacks: Attacks | None = None,
    people: TableRisk | None = None,
) -> Verdict:
    """Apply the policy's limits; a rule that cannot be judged counts as broken.

    Args:
        measures: What was measured on the protected data.
        settings: The policy.
        probes: What became of the seeded probes; None where none were put in, and then nothing is said about them.
        attacks: What the attacks came to; None where none were made, and then nothing is said about them.
        people: Risk of the further columns that the protected data still has; None where it has none.
    """
    broken = (
        *_broken(measures, settings),
        *_missed(probes, settings),
        *(() if attacks is None else _attacked(attacks, settings)),
        *(() if people is None else _identified(people, settings)),
    )
    if broken:
        return Verdict("quarantine", broken)
    if settings.require_approval:
        return Verdict("needs_human", (Reason("approval_required", "The policy asks a person to approve the data."),))
    return Verdict("pass", ())


def _broken(measures: Measures, settings: PrivacySettings) -> Iterator[Reason]:
    if measures.questions_after == 0:
        yield Reason("nothing_left", "No question is left after protection.")
    if not measures.leaking_share <= settings.max_residual_direct:
        yield Reason(
            "direct_identifier_left",
            f"Direct identifiers of the original stand in {measures.leaking_passages} of {measures.passages_after} "
            f"passages ({measures.leaks} places); at most a share of {settings.max_residual_direct:g} is allowed.",
        )
    if not measures.redetected_per_1000_tokens <= settings.max_redetected:
        yield Reason(
            "redetected",
            f"A second look finds {measures.redetected_per_1000_tokens:.2f} direct identifiers per 1,000 words that "
            f"are no surrogates; at most {settings.max_redetected:g} are allowed.",
        )
    if measures.aligned != measures.answers:
        yield Reason(
            "misaligned", f"{measures.answers - measures.aligned} answers do not stand where they say in their context."
        )
    if measures.changed_answer_counts:
        yield Reason(
            "answers_changed", f"{measures.changed_answer_counts} questions have gained or lost answers on the way."
        )
    if measures.foreign_passages:
        yield Reason("foreign_passages", f"{measures.foreign_passages} passages belong to no passage of the original.")
    if not measures.dropped_share <= settings.max_dropped:
        yield Reason(
            "too_many_dropped",
            f"Protection cost a share of {measures.dropped_share:.3f} of the questions; at most "
            f"{settings.max_dropped:g} is allowed.",
        )


def _missed(probes: Probes | None, settings: PrivacySettings) -> Iterator[Reason]:
    if probes is not None and not probes.missed_upper <= settings.max_missed_probes:
        yield Reason(
            "probes_missed",
            f"Of {probes.seeded} invented identifiers {probes.missed} were not found; the share missed may be as high "
            f"as {probes.missed_upper:.3f}, and at most {settings.max_missed_probes:g} is allowed.",
        )


def _attacked(attacks: Attacks, settings: PrivacySettings) -> Iterator[Reason]:
    alone, linkage, second = attacks.singled_out, attacks.linkage, attacks.disagreement
    if not alone.unique_interval[1] <= settings.max_singled_out:
        yield Reason(
            "singled_out",
            f"What still stands of the original's places, dates and the like singles out {alone.unique} of "
            f"{alone.examined} passages that have any; of all passages that may be a share of "
            f"{alone.unique_interval[1]:.3f}, and at most {settings.max_singled_out:g} is allowed.",
        )
    if not linkage.beyond_interval[1] <= settings.max_linked:
        yield Reason(
            "linkable",
            f"Who knows what the original says of people finds {linkage.linked} of {linkage.examined} passages, "
            f"{linkage.beyond} of them not by the prose alone; the share may be as high as "
            f"{linkage.beyond_interval[1]:.3f}, and at most {settings.max_linked:g} is allowed.",
        )
    if second.detector is None and settings.max_disagreement < 1:
        yield Reason("second_detector_missing", "The policy limits what a second detector may see and names none.")
    elif not second.interval[1] <= settings.max_disagreement:
        yield Reason(
            "second_detector_disagrees",
            f"A second detector ({second.detector}) sees direct identifiers of the original in {second.passages} of "
            f"{second.examined} passages; the share may be as high as {second.interval[1]:.3f}, and at most "
            f"{settings.max_disagreement:g} is allowed.",
        )


def _identified(people: TableRisk, settings: PrivacySettings) -> Iterator[Reason]:
    if not people.k >= settings.min_k:
        yield Reason(
            "columns_single_out",
            f"The data still has columns that describe people, and only {people.k} share their values; at least "
            f"{settings.min_k} must.",
        )
