"""Further detectors: plug-ins of other packages by entry points, and adapters of well-known tools.

A plug-in is a callable `(text, language) -> iterable of Span`, offsets in code points. A package brings one as an entry
point of the group `kubepipe.detectors`; the adapters here are used where the policy names them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from kubepipe.errors import KubePipeError, SettingsError
from kubepipe.privacy.detect.classifier import PREFIX as CLASSIFIER
from kubepipe.privacy.detect.classifier import TokenClassifier, require_classifier
from kubepipe.privacy.detect.presidio import presidio, require_presidio
from kubepipe.privacy.entities.model import Span, class_of

ENTRY_POINTS: Final = "kubepipe.detectors"
PRESIDIO: Final = "presidio"
PlugIn = Callable[[str, str], Iterable[Span]]


def plug_ins(names: Sequence[str] | None, language: str) -> list[PlugIn]:
    """The plug-ins that a policy names; all installed ones where it names none.

    Raises:
        SettingsError: One is not installed, or cannot be loaded.
        MissingExtraError: The library behind an adapter is not installed.
    """
    installed = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    return [
        _checked(name, _made(name, installed, language)) for name in (sorted(installed) if names is None else names)
    ]


def check_detectors(names: Sequence[str] | None) -> None:
    """Make sure that the detectors that a policy names are here, without loading any.

    Raises:
        SettingsError: One is not installed.
        MissingExtraError: The library behind an adapter is not installed.
    """
    installed = {entry.name for entry in entry_points(group=ENTRY_POINTS)}
    for name in names or ():
        if name in installed:
            continue
        if name.startswith(CLASSIFIER):
            require_classifier(name)
        elif name == PRESIDIO:
            require_presidio()
        else:
            raise _unknown(name, installed)


def _unknown(name: str, installed: Collection[str]) -> SettingsError:
    there = ", ".join(sorted({*installed, PRESIDIO, f"{CLASSIFIER}FOLDER"}))
    return SettingsError(
        f"there is no detector '{name}'", place="privacy.detectors", remedy=f"Known here: {there}; install any other"
    )


def _made(name: str, installed: Mapping[str, EntryPoint], language: str) -> PlugIn:
    if name in installed:
        return _loaded(installed[name])
    if name == PRESIDIO:
        return presidio(language)
    if name.startswith(CLASSIFIER):
        return TokenClassifier(name)
    raise _unknown(name, installed)


def _loaded(entry: EntryPoint) -> PlugIn:
    try:
        found: PlugIn = entry.load()
    except Exception as error:
        raise SettingsError(
            f"the detector plug-in '{entry.name}' cannot be loaded ({type(error).__name__})",
            place=ENTRY_POINTS,
            remedy="Repair or uninstall the package that brings it",
        ) from error
    return found


def _checked(name: str, plug_in: PlugIn) -> PlugIn:
    """The plug-in with what it says looked at: one that fails, or points beside the text, ends the run."""

    def detect(text: str, language: str) -> Iterator[Span]:
        try:
            spans = list(plug_in(text, language))
        except KubePipeError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, its words may quote the text
            raise SettingsError(
                f"the detector '{name}' failed ({type(error).__name__})",
                place="privacy.detectors",
                remedy="Repair it or leave it out",
            ) from None
        for span in spans:
            if not 0 <= span.start < span.end <= len(text):
                raise SettingsError(
                    f"the detector '{name}' reports a span beside the text",
                    place="privacy.detectors",
                    remedy="Its offsets must be code points of the text as given",
                )
            yield replace(span, cls=class_of(span.type), source=f"plugin:{name}")

    return detect
