"""What can be known to be wrong before a run starts."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from kubepipe.energy import grid
from kubepipe.errors import InputError, MissingExtraError
from kubepipe.privacy import check_detectors, check_language, check_second
from kubepipe.settings import Settings
from kubepipe.training import locate_model

_LIBRARIES = {
    "kfp": "pipeline",
    "spacy": "privacy",
    "faker": "privacy",
    "torch": "train",
    "codecarbon": "energy",
    "model_signing": "publish",
}


def check(dataset: Path, settings: Settings) -> None:
    """Refuse what cannot end well.

    Raises:
        UserError: The data set is missing, a library or a model is missing, or the grid is unknown.
    """
    if not dataset.exists():
        raise InputError("there is no such file or folder", place=str(dataset), remedy="Check the path")
    for library, extra in _LIBRARIES.items():
        if find_spec(library) is None:
            raise MissingExtraError(
                f"the library {library} is not installed", remedy=f"Install it: pip install 'kubepipe[{extra}]'"
            )
    grid(settings.energy.country)
    check_language(settings.privacy)
    check_detectors(settings.privacy.detectors)
    check_second(settings.privacy)
    locate_model(settings.training.model, online=settings.online)
