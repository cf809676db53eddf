"""Seeded probes: invented people are put into a copy of some passages, and the real engine has to find them.

This gives a recall on the very data set at hand, without labels. What is known of a probe is looked for in what comes
out: a word of its name, or the letters and digits of its number. Half of the names are from lists that the detector's
rules know, half from lists of other languages, so that the rules do not test themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Any, Final

from kubepipe.passages.model import Passage
from kubepipe.privacy.detect.detector import Detector
from kubepipe.privacy.entities.tokens import fold, tokens_of
from kubepipe.privacy.gate.frames import FRAMES
from kubepipe.privacy.intervals import clopper_pearson
from kubepipe.privacy.pseudonymise.engine import Pseudonymiser
from kubepipe.privacy.pseudonymise.keyed import keyed_number
from kubepipe.privacy.pseudonymise.vault import code_of
from kubepipe.settings.privacy import PrivacySettings

COPIES: Final = 60
"""Copies of passages that get two probes each, evenly spaced over the data set; more only narrow the interval."""

_KNOWN: Final = ("en_US", "en_GB", "de_DE", "fr_FR")
_UNKNOWN: Final = ("it_IT", "pl_PL", "es_ES", "fi_FI", "tr_TR", "sv_SE", "cs_CZ", "nl_NL")
_LONGEST: Final = 4000


@dataclass(frozen=True, slots=True)
class ProbeCount:
    """How many probes of a type were found.

    Attributes:
        type: Type of the identifier.
        seeded: Probes that were put in.
        found: Probes of which nothing was left.
        interval: 95 % Clopper-Pearson interval of the share found.
    """

    type: str
    seeded: int
    found: int
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Probes:
    """All probes of a data set.

    Attributes:
        types: By type.
        seeded: All probes.
        missed: Probes of which something was left.
        missed_upper: Upper end of the 95 % interval of the share missed; 1 when there were none.
    """

    types: tuple[ProbeCount, ...]
    seeded: int
    missed: int
    missed_upper: float

    def document(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            "seeded": self.seeded,
            "missed": self.missed,
            "missed_upper": self.missed_upper,
            "types": [
                {"type": each.type, "seeded": each.seeded, "found": each.found, "interval": list(each.interval)}
                for each in self.types
            ],
        }


@dataclass(frozen=True, slots=True)
class _Probe:
    type: str
    value: str

    def is_left(self, text: str) -> bool:
        """Whether a word of the name or the number stands in a text."""
        if self.type == "PERSON":
            words = {fold(token.text) for token in tokens_of(text)}
            return any(fold(token.text) in words for token in tokens_of(self.value))
        return code_of(self.value) in code_of(text)


def probe(passages: Iterable[Passage], settings: PrivacySettings, key: bytes, detector: Detector) -> Probes:
    """Put probes into a copy of some passages, protect it as the data is protected, and count what is left.

    Args:
        passages: Passages of the original; a few of them are taken.
        settings: The policy.
        key: Pseudonym key; it also chooses the probes, so the same data gives the same figures everywhere.
        detector: The policy's detector.
    """
    seeded = list(_seeded(_spaced([passage for passage in passages if passage.questions]), settings.language, key))
    engine = Pseudonymiser(settings, key, detector)
    found: dict[str, list[bool]] = {}
    for (_, probes), after in zip(seeded, engine.protect([passage for passage, _ in seeded]), strict=True):
        text = after.passage.context if after.passage is not None else ""
        for each in probes:
            found.setdefault(each.type, []).append(not each.is_left(text))
    counts = tuple(
        ProbeCount(type_, len(hits), sum(hits), clopper_pearson(sum(hits), len(hits)))
        for type_, hits in sorted(found.items())
    )
    total = sum(count.seeded for count in counts)
    missed = total - sum(count.found for count in counts)
    return Probes(counts, total, missed, clopper_pearson(missed, total)[1])


def _spaced(passages: Sequence[Passage]) -> Sequence[Passage]:
    """Passages to copy; of a small data set each is copied several times."""
    return [passages[number * len(passages) // COPIES] for number in range(COPIES)] if passages else []


def _seeded(passages: Sequence[Passage], language: str, key: bytes) -> Iterator[tuple[Passage, tuple[_Probe, ...]]]:
    frames = FRAMES.get(language, FRAMES["en"])
    types = list(_MAKERS)
    for number, passage in enumerate(passages):
        chosen = ("PERSON", types[1:][number % (len(types) - 1)])
        probes, sentences = [], []
        for type_ in chosen:
            draw = _Draw(key, f"{number}:{type_}")
            value = _MAKERS[type_](draw)
            probes.append(_Probe(type_, value))
            sentences.append(frames[type_][draw.below(len(frames[type_]))].format(value))
        # Behind the context; of a long one only the beginning is read.
        cut = passage.context if len(passage.context) <= _LONGEST else passage.context[:_LONGEST]
        question = replace(passage.questions[0], id=f"probe-{number}-question", answers=())
        context = f"{cut} {' '.join(sentences)}"
        yield replace(passage, id=f"probe-{number}", context=context, questions=(question,)), tuple(probes)


class _Draw:
    """Numbers that the key chooses for one probe."""

    def __init__(self, key: bytes, name: str) -> None:
        self._key, self._name, self._count = key, name, 0

    def below(self, limit: int) -> int:
        self._count += 1
        return keyed_number(self._key, "probe", self._name, str(self._count)) % limit

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))


def _person(draw: _Draw) -> str:
    first, last = _names((_KNOWN, _UNKNOWN)[draw.below(2)])
    return f"{first[draw.below(len(first))]} {last[draw.below(len(last))]}"


def _email(draw: _Draw) -> str:
    first, last = (fold(part) for part in _person(draw).split(" ", 1))
    plain = "".join(letter for letter in last if letter.isascii() and letter.isalpha())
    return f"{''.join(filter(str.isascii, first)) or 'x'}.{plain or 'y'}{draw.digits(2)}@example.net"


def _phone(draw: _Draw) -> str:
    return ("+44 20 7946 0{}", "+1 212-555-0{}", "(415) 555-0{}", "+49 30 23125 {}")[draw.below(4)].format(
        draw.digits(3)
    )


def _iban(draw: _Draw) -> str:
    account = f"{1 + draw.below(9)}{draw.digits(17)}"
    check = 98 - int(f"{account}131400") % 97  # DE is 1314 in digits
    return f"DE{check:02d}{account}"


def _card(draw: _Draw) -> str:
    digits = f"4{draw.digits(14)}"
    doubled = (int(digit) * (2 - position % 2) for position, digit in enumerate(digits))
    total = sum(number - 9 if number > 9 else number for number in doubled)  # noqa: PLR2004 the sum of its digits
    return f"{digits}{-total % 10}"


def _code(draw: _Draw) -> str:
    return f"{10_000 + draw.below(80_000)}/{draw.below(20):02d}"


_MAKERS: Final[dict[str, Callable[[_Draw], str]]] = {
    "PERSON": _person,
    "EMAIL": _email,
    "PHONE": _phone,
    "IBAN": _iban,
    "CARD": _card,
    "CODE": _code,
}


@cache
def _names(locales: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    first: set[str] = set()
    last: set[str] = set()
    for locale in locales:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        first.update(getattr(provider, "first_names", ()) or getattr(provider, "first_names_male", ()))
        last.update(getattr(provider, "last_names", ()) or getattr(provider, "last_names_male", ()))
    usable = [tuple(sorted(name for name in names if name.isalpha() and len(name) > 3)) for names in (first, last)]  # noqa: PLR2004
    return usable[0], usable[1]
