"""A second, different detector: what the first one does not see, another may.

It shares neither rules nor model with the first. `CasedNames` knows names by how the data set itself writes a word (one
that also stands in small letters is ordinary) and by lists of first and last names of many countries; numbers by their
length. `SecondModel` is any other spaCy pipeline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Final, Protocol

from kubepipe.privacy.detect.models import resolve_model
from kubepipe.privacy.detect.ner import EntityRecogniser
from kubepipe.privacy.gate.casing import Casing
from kubepipe.settings.privacy import PrivacySettings

BUILT_IN: Final = "names"
_SETTING: Final = "privacy.second_detector"

_LOCALES: Final = (
    "en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "it_IT", "es_ES", "pt_BR", "nl_NL", "pl_PL", "cs_CZ", "sv_SE", "no_NO",
    "da_DK", "fi_FI", "tr_TR", "ro_RO", "hr_HR", "hu_HU",
)  # fmt: skip
_SHORTEST: Final = 3
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]{2,})*")
# Words that are written as names, beside each other, with initials between them.
_RUN: Final = re.compile(
    r"(?<![\w'\u2019-])[^\W\d_a-z][^\W\d_]+(?:['\u2019-][^\W\d_]{2,})*"
    r"(?:[ \t]+(?:[^\W\d_a-z]\.[ \t]*)*[^\W\d_a-z][^\W\d_]+(?:['\u2019-][^\W\d_]{2,})*)*"
)
_BEGINS: Final = re.compile(r"(?:^|[.!?:;\n][\"\u201d')\]]*)\s*[\"\u201c'(\[]*$")
_MAIL: Final = re.compile(r"[^\s@<>(),;]+@[^\s@<>(),;]+\.[^\W\d_]{2,}")
_LONG_NUMBER: Final = re.compile(r"(?<![\w,.])\+?\d(?:[ ./()-]{0,2}\d){8,}(?![\w,])")


def check_second(settings: PrivacySettings) -> None:
    """Make sure that the second detector of a policy is here, without loading it.

    Raises:
        ModelNotFoundError: It is not installed.
    """
    if settings.second_detector not in {None, BUILT_IN}:
        resolve_model(settings.second_detector, settings.language, _SETTING)


class Second(Protocol):
    """A second detector.

    Attributes:
        name: For the report.
    """

    name: str

    def identifiers(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Places of each text at which a direct identifier seems to stand."""
        ...


class CasedNames:
    """Names by their case and by lists, long numbers and addresses of mail by their form.

    Args:
        casing: How the original data set writes its words.
    """

    name = BUILT_IN

    def __init__(self, casing: Casing) -> None:
        self._casing = casing

    def identifiers(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Places of each text at which a direct identifier seems to stand."""
        return [sorted({*self._names(text), *_numbers(text)}) for text in texts]

    def _names(self, text: str) -> Iterator[tuple[int, int]]:
        for run in _RUN.finditer(text):
            words = [(run.start() + word.start(), word.group()) for word in _WORD.finditer(run.group())]
            if _BEGINS.search(text, max(0, run.start() - 8), run.start()):
                # The first word of a sentence is written so whatever it is.
                while words and not self._casing.is_name_like(words[0][1]):
                    words = words[1:]
            long = [word for _, word in words if len(word) >= _SHORTEST]
            telling = [word.casefold() for word in long if self._casing.is_name_like(word)]
            given = any(word in _first_names() for word in telling)
            if (len(words) > 1 and given and len(telling) > 1) or (len(words) == 1 and given):
                yield words[0][0], words[-1][0] + len(words[-1][1])


class SecondModel:
    """People as another spaCy pipeline sees them, and the same numbers.

    Args:
        model: Name of the package or path.
        language: ISO 639-1 code.

    Raises:
        ModelNotFoundError: It is not on this machine.
    """

    def __init__(self, model: str, language: str) -> None:
        self.name = model
        self._recogniser = EntityRecogniser(resolve_model(model, language, _SETTING))

    def identifiers(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Places of each text at which a direct identifier seems to stand."""
        return [
            sorted({*((span.start, span.end) for span in spans if span.type == "PERSON"), *_numbers(text)})
            for text, spans in zip(texts, self._recogniser.recognise(texts), strict=True)
        ]


def build_second(settings: PrivacySettings, casing: Casing) -> Second | None:
    """The second detector of a policy; None when it names none.

    Args:
        settings: The policy.
        casing: How the original data set writes its words.

    Raises:
        ModelNotFoundError: It names a model that is not on this machine.
    """
    if settings.second_detector is None:
        return None
    if settings.second_detector == BUILT_IN:
        return CasedNames(casing)
    return SecondModel(settings.second_detector, settings.language)


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    for expression in (_MAIL, _LONG_NUMBER):
        for match in expression.finditer(text):
            yield match.span()


@cache
def _first_names() -> frozenset[str]:
    names: set[str] = set()
    for locale in _LOCALES:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        for attribute in ("first_names", "first_names_male", "first_names_female"):
            names.update(name.casefold() for name in getattr(provider, attribute, ()))
    return frozenset(name for name in names if len(name) >= _SHORTEST and name.isalpha())
