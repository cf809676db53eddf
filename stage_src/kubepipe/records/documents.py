"""JSON documents that are checked against their schema when written and when read."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema

from kubepipe.errors import IntegrityError, OutputError


@cache
def load_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a document kind, for example `step-record`.

    Raises:
        FileNotFoundError: No schema of this name is in the package.
    """
    text = files("kubepipe.records").joinpath("schemas", f"{name}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def validate(document: Any, schema: str, *, place: str) -> None:
    """Check a document against its schema.

    Raises:
        IntegrityError: The document does not fit; the message names the first place that does not, never its value.
    """
    validator = jsonschema.Draft202012Validator(load_schema(schema))
    error = next(iter(sorted(validator.iter_errors(document), key=lambda found: list(map(str, found.path)))), None)
    if error is None:
        return
    where = "/".join(str(part) for part in error.path) or "the top level"
    raise IntegrityError(
        f"is no valid {schema}: at {where}, rule '{error.validator}' of the schema does not hold",
        place=place,
        remedy="The file was written by another version or changed by hand; make it again",
    )


def write_text(path: Path, text: str) -> None:
    """Write a text file at once: a reader sees the old content or the new, never a part.

    Raises:
        OutputError: The place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(
            f"cannot be written ({error.strerror})", place=str(path), remedy="Choose another place"
        ) from error


def write_document(path: Path, document: Mapping[str, Any], schema: str) -> None:
    """Check a document and write it at once, with sorted keys.

    Raises:
        IntegrityError: The document does not fit its schema.
        OutputError: The place cannot be written.
    """
    validate(document, schema, place=str(path))
    write_text(path, json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_document(path: Path, schema: str) -> dict[str, Any]:
    """Read a document and check it.

    Raises:
        IntegrityError: The file is missing, no JSON, or does not fit its schema.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise IntegrityError("is missing", place=str(path)) from error
    except (OSError, ValueError) as error:
        raise IntegrityError("is no readable JSON", place=str(path)) from error
    validate(document, schema, place=str(path))
    return document
