"""What a policy does with each class and type."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubepipe.errors import SettingsError
from kubepipe.passages.model import Passage
from kubepipe.privacy import Detector, Pseudonymiser
from kubepipe.privacy.pseudonymise.generalise import generalised
from kubepipe.privacy.pseudonymise.jobs import job_surrogate
from kubepipe.settings import load_settings
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))
Make = Callable[..., Passage]
Knows = Callable[..., Detector]

_CONTEXT = "Ada Lind, aged 47, moved to Berlin on 4 May 1951."
_KNOWN = {"Ada Lind": "PERSON", "47": "AGE", "Berlin": "PLACE", "4 May 1951": "DATE"}


def _protect(policy: PrivacySettings, detector: Detector, passage: Passage) -> tuple[Passage | None, dict[str, int]]:
    done = next(Pseudonymiser(policy, KEY, detector).protect([passage]))
    return done.passage, dict(done.dropped)


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ({"AGE": "generalise"}, "aged 40-49,"),
        ({"DATE": "generalise"}, "on 1951."),
        ({"PLACE": "generalise"}, "moved to Germany on"),
        ({"PLACE": "mask", "QUASI": "generalise"}, "aged 40-49, moved to [PLACE] on 1951."),
        ({"DIRECT": "mask"}, "[PERSON], aged"),
        ({"PERSON": "generalise"}, "[PERSON], aged"),
        ({"QUASI": "drop"}, ", aged , moved to  on ."),
    ],
)
def test_actions_by_type_and_class(knows: Knows, passage: Make, actions: dict[str, str], expected: str) -> None:
    """A type's action counts before its class's, and everything else follows the method."""
    policy = PrivacySettings(actions=actions)  # type: ignore[arg-type]
    after, _ = _protect(policy, knows(_KNOWN), passage(_CONTEXT, ("Who moved?", "Ada Lind")))
    assert after is not None
    assert expected in after.context
    assert "Ada" not in after.context
    assert not after.misaligned()


def test_an_answer_that_is_dropped_takes_its_question_along(knows: Knows, passage: Make) -> None:
    """Where nothing is left of an answer the question is dropped and counted, never kept wrong."""
    policy = PrivacySettings(actions={"AGE": "drop"})
    made = passage(_CONTEXT, ("How old is she?", "47"), ("Who moved?", "Ada Lind"))
    after, dropped = _protect(policy, knows(_KNOWN), made)
    assert after is not None
    assert len(after.questions) == 1
    assert dropped == {"misaligned": 1}


def test_an_unknown_type_is_refused() -> None:
    """A policy that names a type which no detector has is refused, with the names that there are."""
    with pytest.raises(SettingsError, match="'PERSONS' is no class or type") as caught:
        load_settings(overrides=["privacy.actions.PERSONS=mask"])
    assert "PERSON," in caught.value.one_line()
    with pytest.raises(SettingsError):
        load_settings(overrides=["privacy.actions.PERSON=hide"])
    assert load_settings(overrides=["privacy.actions.PERSON=mask"]).privacy.actions == {"PERSON": "mask"}


@pytest.mark.parametrize(
    ("text", "type_", "expected"),
    [
        ("4 May 1951", "DATE", "1951"),
        ("last Tuesday", "DATE", None),
        ("between 1951 and 1953", "DATE", None),
        ("7", "AGE", "0-9"),
        ("103", "AGE", "100-109"),
        ("Texas", "PLACE", "United States"),
        ("Norway", "PLACE", "Norway"),
        ("Little Snoring", "PLACE", None),
        ("Ada", "PERSON", None),
    ],
)
def test_coarser_values(text: str, type_: str, expected: str | None) -> None:
    """A date becomes its year, an age ten years, a place its country; what has no coarser value is masked."""
    assert generalised(text, type_, "en") == expected


def test_jobs_become_other_jobs() -> None:
    """The same job is the same surrogate, never itself, and written as it was."""
    made = {job_surrogate("carpenter", KEY), job_surrogate("carpenter", KEY)}
    assert len(made) == 1
    assert made != {"carpenter"}
    assert job_surrogate("Carpenter", KEY)[0].isupper()
    assert job_surrogate("carpenter", KEY)[0].islower()
