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
_REFUSED: Final = frozenset({"training.model", "privacy.spacy_model", "privacy.second_detector"})
_LOWER_IS_TIGHTER: Final = frozenset({
    "max_direct_density", "max_residual_direct", "max_redetected", "max_dropped", "max_missed_probes",
    "max_singled_out", "max_linked", "max_disagreement",
})  # fmt: skip
_ON_IS_TIGHTER: Final = frozenset({"enabled", "require_approval"})


class _Loader(yaml.SafeLoader):
    """YAML without aliases: a few lines of them stand for more values than any memory holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """A node; an alias is refused."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are refused")
        return super().compose_node(parent, index)


def parse_beside(data: bytes) -> dict[str, Any]:
    """The content of a kubepipe.yaml.

    Raises:
        SettingsError: It is no YAML object, or sets what it may not.
    """
    try:
        values = yaml.load(data.decode("utf-8"), _Loader)  # noqa: S506 - a safe loader
    # Numbers of thousands of digits and days that no calendar has are ValueErrors; deep nesting ends the stack.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
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
        if old != value and not _is_tighter(name, old, value):
            raise SettingsError(
                f"privacy.{name} could loosen the privacy policy of this installation",
                place=FILE,
                remedy="Leave it out, or ask whoever runs the installation",
            )
    if new.dataset.max_bytes > base.dataset.max_bytes:
        raise SettingsError(
            "dataset.max_bytes would raise the limit of this installation",
            place=FILE,
            remedy="Leave it out, or ask whoever runs the installation",
        )


def _is_tighter(name: str, old: Any, value: Any) -> bool:
    """Whether a new value surely protects at least as well.

    Masks in place of surrogates do not: an identifier that was missed stands out between masks, and hides between
    surrogates (Carrell et al., J Am Med Inform Assoc 20, 2013). Language, model, locale and rounds change what is found
    or how, in neither direction for sure.
    """
    if name in _LOWER_IS_TIGHTER:
        return bool(value < old)
    if name == "min_k":
        return bool(value > old)
    if name in _ON_IS_TIGHTER:
        return value is True
    if name == "classes":
        return set(value) >= set(old)
    return (name, value) == ("unknown_columns", "refuse")
