"""Microsoft Presidio as a plug-in: its recognisers, and its own reading of names with the model that is installed here.

Offsets of Presidio are code points, as ours. Entity names: presidio_analyzer/predefined_recognizers of version 2.2.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any, Final

from kubepipe.errors import MissingExtraError
from kubepipe.privacy.detect.models import resolve_model
from kubepipe.privacy.entities.model import Span, class_of

_TYPE_OF: Final[dict[str, str]] = {
    "PERSON": "PERSON",
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "IBAN_CODE": "IBAN",
    "CREDIT_CARD": "CARD",
    "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC",
    "URL": "URL",
    "CRYPTO": "CODE",
    "MEDICAL_LICENSE": "CODE",
    "US_BANK_NUMBER": "CODE",
    "ORGANIZATION": "ORG",
    "LOCATION": "PLACE",
    "NRP": "NATIONALITY",
    "DATE_TIME": "DATE",
    "AGE": "AGE",
}
"""Any other entity of Presidio is the number of a country's register."""
_LEAST: Final = 0.5
"""Below it Presidio's patterns are guesses that only words beside them confirm."""


def require_presidio() -> None:
    """Make sure that Presidio is here.

    Raises:
        MissingExtraError: presidio-analyzer is not installed.
    """
    if importlib.util.find_spec("presidio_analyzer") is None:
        raise MissingExtraError(
            "the detector 'presidio' needs presidio-analyzer",
            place="privacy.detectors",
            remedy="Install it with: pip install 'kubepipe[presidio]'",
        )


def presidio(language: str) -> Presidio:
    """The adapter for a language.

    Raises:
        MissingExtraError: presidio-analyzer is not installed.
        ModelNotFoundError: The language has no spaCy model here; Presidio would try to download one.
    """
    require_presidio()
    return Presidio(resolve_model(None, language), language)


class Presidio:
    """Calls Presidio's analyzer with the pipeline that is installed here.

    Args:
        model: Name of an installed spaCy pipeline.
        language: ISO 639-1 code.
    """

    def __init__(self, model: str, language: str) -> None:
        analyzer: Any = importlib.import_module("presidio_analyzer")
        engines: Any = importlib.import_module("presidio_analyzer.nlp_engine")
        configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": language, "model_name": model}]}
        engine = engines.NlpEngineProvider(nlp_configuration=configuration).create_engine()
        registry = analyzer.RecognizerRegistry(supported_languages=[language])
        registry.load_predefined_recognizers(languages=[language], nlp_engine=engine)
        self._engine = analyzer.AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])

    def __call__(self, text: str, language: str) -> Iterator[Span]:
        """Spans of a text."""
        for found in self._engine.analyze(text=text, language=language, score_threshold=_LEAST):
            type_ = _TYPE_OF.get(found.entity_type, "NATIONAL_ID")
            yield Span(found.start, found.end, type_, class_of(type_), "plugin:presidio", float(found.score))
