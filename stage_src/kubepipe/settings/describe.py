"""Every setting as a row: for the CLI and for the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubepipe.settings.model import Settings
from kubepipe.settings.section import Section


@dataclass(frozen=True, slots=True)
class Row:
    """A setting.

    Attributes:
        path: Dotted path, as --set takes it.
        value: Its value.
        kind: Its type and bounds in words.
        text: What it means.
    """

    path: str
    value: Any
    kind: str
    text: str


def describe(settings: Settings) -> list[Row]:
    """All settings, in the order of the sections."""
    return list(_rows(settings, ""))


def _rows(section: Section, prefix: str) -> Iterator[Row]:
    schema = type(section).model_json_schema(mode="serialization")
    values = section.model_dump(mode="json")
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from _rows(value, f"{prefix}{name}.")
        else:
            kind = _kind(schema["properties"][name])
            yield Row(f"{prefix}{name}", values[name], kind, field.description or "")


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    bounds = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "above",
        "exclusiveMaximum": "below",
    }
    limits = [f"{word} {schema[name]}" for name, word in bounds.items() if name in schema]
    return " ".join([schema.get("type", "any"), *([", ".join(limits)] if limits else [])])
