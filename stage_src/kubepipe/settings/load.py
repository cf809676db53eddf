"""From profiles, files and `--set path=value` to one frozen Settings object, and back to canonical JSON."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pydantic
import yaml

from kubepipe.errors import SettingsError
from kubepipe.records.digest import canonical_json, digest_json
from kubepipe.settings.model import Settings
from kubepipe.settings.section import Section

PROFILES: Final[Mapping[str, Mapping[str, Any]]] = {
    "quick": {
        "dataset": {"max_train_questions": 200, "max_validation_questions": 100},
    },
    "standard": {"training": {"epochs": 2.0}},
    "gpu": {"training": {"epochs": 3.0, "device": "cuda", "tokens_per_batch": 4096}, "scoring": {"batch_size": 128}},
}
"""What each profile changes on the defaults; a settings file and --set win over it."""


def load_settings(
    *,
    base: Mapping[str, Any] | None = None,
    profile: str | None = None,
    file: Path | None = None,
    overrides: Sequence[str] = (),
) -> Settings:
    """Settings from a base, a profile, a YAML or JSON file, and `path=value` overrides; the later one wins.

    Raises:
        SettingsError: An unknown profile, name or value; the message names the nearest valid name.
    """
    merged: dict[str, Any] = dict(base or {})
    if profile is not None:
        if profile not in PROFILES:
            raise SettingsError(f"there is no profile '{profile}'", remedy=_nearest(profile, PROFILES))
        merged = merge_settings(merged, PROFILES[profile])
    if file is not None:
        merged = merge_settings(merged, _read_file(file))
    for override in overrides:
        merged = merge_settings(merged, _parse_override(override))
    return _build(merged)


def parse_settings(text: str) -> Settings:
    """Settings from the canonical JSON that travels between steps.

    Raises:
        SettingsError: The text is no JSON object or holds a wrong setting.
    """
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise SettingsError(
            "the settings are no valid JSON", remedy="Write them as one JSON object, for example {}"
        ) from error
    if not isinstance(value, dict):
        raise SettingsError("the settings are no JSON object", remedy="Write them as one JSON object, for example {}")
    return _build(value)


def settings_json(settings: Settings) -> str:
    """Canonical JSON of settings: equal settings give equal text."""
    return canonical_json(settings.model_dump(mode="json"))


def settings_digest(settings: Settings, sections: Iterable[str]) -> str:
    """Digest of the named sections and of the seed: what a step's result depends on."""
    document = settings.model_dump(mode="json")
    return digest_json({name: document[name] for name in sorted({*sections, "seed"})})


def _build(values: Mapping[str, Any]) -> Settings:
    _refuse_unknown(values, Settings, "")
    try:
        return Settings.model_validate_json(json.dumps(values))
    except pydantic.ValidationError as error:
        raise _explain(error) from error
    except (TypeError, ValueError) as error:
        raise SettingsError(
            "the settings hold a value that JSON cannot express", remedy="Use texts, numbers, true, false, null, lists"
        ) from error


def _refuse_unknown(values: Any, section: type[Section], path: str) -> None:
    if not isinstance(values, Mapping):
        return
    for name, value in values.items():
        field = section.model_fields.get(name)
        if field is None:
            raise SettingsError(
                f"there is no setting '{path}{name}'", remedy=_nearest(str(name), section.model_fields, prefix=path)
            )
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            _refuse_unknown(value, field.annotation, f"{path}{name}.")


def _nearest(name: str, valid: Iterable[str], *, prefix: str = "") -> str:
    names = list(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean '{prefix}{close[0]}'?"
    return f"Valid names: {', '.join(prefix + each for each in names)}"


def _explain(error: pydantic.ValidationError) -> SettingsError:
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    shown = json.dumps(first["input"], ensure_ascii=False, default=str)[:80]
    return SettingsError(
        f"{shown} is no valid value: {first['msg'][0].lower()}{first['msg'][1:]}",
        place=f"setting {path or 'at the top'}",
        remedy="`kubepipe settings show` lists every setting with its type",
    )


def _read_file(file: Path) -> Mapping[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"cannot be read ({error.strerror})", place=str(file), remedy="Give an existing YAML or JSON file"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError("is not UTF-8", place=str(file), remedy="Save it as UTF-8") from error
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}" if mark else str(file)
        raise SettingsError("is no valid YAML or JSON", place=place, remedy="Mend the line") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(
            "holds no settings", place=str(file), remedy="Write sections, for example `training: {epochs: 2}`"
        )
    return value


def _parse_override(override: str) -> Mapping[str, Any]:
    path, equals, text = override.partition("=")
    if not equals or not path.strip():
        raise SettingsError(
            f"'{override}' is no setting", place="--set", remedy="Write path=value, for example training.epochs=2"
        )
    try:
        value = yaml.safe_load(text) if text else ""
    except yaml.YAMLError:
        value = text
    value = _number(value)
    for name in reversed(path.strip().split(".")):
        value = {name: value}
    return value


def _number(value: Any) -> Any:
    """YAML 1.1 reads 5e-4 as a text; a person who types it means the number."""
    if not isinstance(value, str):
        return value
    try:
        return float(value) if value[:1] in "+-.0123456789" else value
    except ValueError:
        return value


def merge_settings(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as sections with others on top of them, section by section."""
    merged = dict(base)
    for name, value in top.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = merge_settings(merged[name], value) if both else value
    return merged
