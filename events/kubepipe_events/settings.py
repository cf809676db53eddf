"""The settings of a run: the release's, then a kubepipe.yaml beside the data, then those of the DatasetRun.

Whoever can drop a data set can drop the file beside it, so it may set what shapes the run and tighten the privacy
policy, but never loosen it. A DatasetRun's own settings come from someone with rights in the cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from kubepipe.errors import SettingsError
from kubepipe.settings import Settings, load_settings, merge_settings

FILE: Final = "kubepipe.yaml"
MAX_BYTES: Final = 64 * 1024
ALLOWED: Final = frozenset({"seed", "dataset", "training", "scoring", "publish", "privacy"})
# Names a folder of the image or a hub: not for whoever drops data.
_REFUSED: Final = frozenset({"training.model", "privacy.spacy_model"})
_LOWER_IS_TIGHTER: Final = ("max_direct_density", "max_residual_direct", "max_redetected", "max_dropped")
_FREE: Final = frozenset({"locale"})


def parse_beside(data: bytes) -> dict[str, Any]:
    """The content of a kubepipe.yaml.

    Raises:
        SettingsError: It is no YAML object, or sets what it may not.
    """
    try:
        values = yaml.safe_load(data.decode("utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError("is no valid YAML", place=FILE, remedy="Mend it and upload the data set again") from error
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise SettingsError("holds no settings", place=FILE, remedy="Write sections, for example training: {epochs: 2}")
    for name, value in values.items():
        paths = [f"{name}.{field}" for field in value] if isinstance(value, dict) else []
        wrong = [path for path in paths if path in _REFUSED] or ([name] if name not in ALLOWED else [])
        if wrong:
            raise SettingsError(
                f"may not set {wrong[0]}", place=FILE, remedy=f"It may set {', '.join(sorted(ALLOWED))}"
            )
    return values


def settings_of_run(release: Mapping[str, Any], beside: Mapping[str, Any], own: Mapping[str, Any]) -> Settings:
    """The settings of a run.

    Args:
        release: The release's default settings.
        beside: From the kubepipe.yaml beside the data.
        own: From the DatasetRun.

    Raises:
        SettingsError: A setting is unknown or wrong, or the file beside the data loosens the privacy policy.
    """
    base = load_settings(base=release)
    allowed = load_settings(base=merge_settings(release, beside)) if beside else base
    _refuse_looser(base, allowed)
    return load_settings(base=merge_settings(merge_settings(release, beside), own)) if own else allowed


def _refuse_looser(base: Settings, new: Settings) -> None:
    """Every changed privacy setting must be known to be tighter; one that is not known here is refused."""
    before, after = base.privacy, new.privacy
    for name in type(before).model_fields:
        old, value = getattr(before, name), getattr(after, name)
        if old == value or name in _FREE:
            continue
        if not _is_tighter(name, old, value):
            raise SettingsError(
                f"privacy.{name} would loosen the privacy policy of this installation",
                place=FILE,
                remedy="Leave it out, or ask whoever runs the installation",
            )


def _is_tighter(name: str, old: Any, value: Any) -> bool:
    if name in _LOWER_IS_TIGHTER:
        return bool(value < old)
    if name == "classes":
        return set(value) > set(old)
    if name in {"enabled", "require_approval"}:
        return bool(value)
    return (name, value) in {("method", "mask"), ("unknown_columns", "refuse")}
