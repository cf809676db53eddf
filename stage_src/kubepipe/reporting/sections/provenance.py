"""Digests, versions and settings: what one needs to find or repeat the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubepipe.reporting.markup import Markup, element
from kubepipe.reporting.model import RunView, table
from kubepipe.reporting.sections.parts import data_table, note, section, words


def provenance(seen: RunView) -> Markup:
    """Everything that names the run's inputs and surroundings."""
    versions = next((table(step.record.get("versions")) for step in seen.ran() if step.record.get("versions")), {})
    digests = [(words(name), _whole(digest)) for name, digest in table(seen.run.get("digests")).items() if digest]
    policies = [(step.name, _whole(step.record.get("settings_digest"))) for step in seen.ran()]
    return section(
        "provenance",
        "Where it comes from",
        note("Whoever holds these digests can check that nothing was exchanged, and repeat the run."),
        data_table("Content, by SHA-256", ("Content", "Digest"), digests, numeric=9) if digests else None,
        data_table("Settings that each step depends on", ("Step", "Digest"), policies, numeric=9) if policies else None,
        data_table("Versions", ("Part", "Version"), _codes(versions), numeric=9) if versions else None,
        element("div", _settings(table(seen.run.get("settings"))), class_="columns"),
    )  # fmt: skip


def _settings(settings: Mapping[str, Any]) -> Iterator[Markup]:
    """One table a section, and one for what belongs to none."""
    plain = {name: value for name, value in settings.items() if not isinstance(value, Mapping)}
    for name, values in {"run": plain, **settings}.items():
        if isinstance(values, Mapping) and values:
            yield data_table(f"Settings: {name}", ("Setting", "Value"), _codes(dict(_flat(values))), numeric=9)


def _codes(values: Mapping[str, Any]) -> list[tuple[str, Markup]]:
    return [(name, element("code", str(value))) for name, value in values.items()]


def _whole(digest: Any) -> Markup:
    return element("code", str(digest or "unknown"), class_="digest")


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
