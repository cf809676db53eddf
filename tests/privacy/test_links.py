"""What the mapping is made of."""

from __future__ import annotations

from collections.abc import Callable

from kubepipe.passages.model import Passage
from kubepipe.privacy import Detector, Pseudonymiser
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))
_CONTEXT = "Ada Lind met Bo Falk in Berlin. Later Lind wrote to Falk."
_KNOWN = {"Ada Lind": "PERSON", "Bo Falk": "PERSON", "Berlin": "PLACE"}


def _links(
    policy: PrivacySettings, knows: Callable[..., Detector], made: Passage
) -> tuple[dict[tuple[str, str], str], str]:
    done = next(Pseudonymiser(policy, KEY, knows(_KNOWN)).protect([made]))
    assert done.passage is not None
    return {(type_, new): old for type_, new, old in done.links}, done.passage.context


def test_whole_names_and_their_words_lead_back(knows: Callable[..., Detector], passage: Callable[..., Passage]) -> None:
    """Each surrogate of the protected text is in the links, as a whole and word by word."""
    links, after = _links(PrivacySettings(mapping="sealed"), knows, passage(_CONTEXT, ("Who met Bo?", "Ada Lind")))
    back = {new: old for (_, new), old in links.items()}
    first = " ".join(after.split()[:2])
    assert back[first] == "Ada Lind"
    assert back[first.split()[1]] == "Lind"
    assert set(back.values()) >= {"Ada Lind", "Bo Falk", "Berlin", "Ada", "Lind", "Falk"}
    assert not [new for new in back if new not in after and "Bo" not in back[new]]


def test_without_a_mapping_nothing_is_kept(knows: Callable[..., Detector], passage: Callable[..., Passage]) -> None:
    """The default keeps no link at all, and a tag leads back to nobody."""
    made = passage(_CONTEXT, ("Who met Bo?", "Ada Lind"))
    assert _links(PrivacySettings(), knows, made)[0] == {}
    assert _links(PrivacySettings(mapping="sealed", method="mask"), knows, made)[0] == {}
