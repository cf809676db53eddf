"""`kubepipe detect`: personal data in texts, as spans."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from kubepipe.cli.options import SetOption, SettingsOption
from kubepipe.errors import InputError, OutputError
from kubepipe.privacy import Span, Text, build_detector, detect_stream
from kubepipe.settings import load_settings

_REMEDY: Final = 'Write one JSON object a line: {"id": "1", "text": "..."}'
STANDARD: Final = "-"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("detect")(detect)


def detect(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help='JSONL, one {"id", "text"} a line; - reads standard input.')
    ],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help='JSONL, one {"id", "spans"} a line; - writes standard output.')
    ],
    language: Annotated[
        str | None,
        typer.Option("--language", help="ISO 639-1 code of the texts; privacy.language when left out."),
    ] = None,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> int:
    """Find the personal data in the texts of IN and write their spans to OUT, line by line and in the same order.

    A span has start and end in code points, its type, its class (DIRECT, QUASI, ART9, OTHER), the source that found it
    and a score from 0 to 1. No value of a text is written.
    """
    chosen = load_settings(file=settings, overrides=overrides or []).privacy
    if language is not None:
        chosen = type(chosen).model_validate({**chosen.model_dump(), "language": language})
    detector = build_detector(chosen)
    with _reading(source) as lines, _writing(target) as out:
        for item, spans in detect_stream(_texts(lines, str(source)), detector):
            out.write(json.dumps({"id": item.id, "spans": [_document(span) for span in spans]}) + "\n")
    return 0


def _texts(lines: TextIO, place: str) -> Iterator[Text]:
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _text(line, f"{place} line {number}")
    except UnicodeDecodeError as error:
        raise InputError("is no UTF-8", place=place, remedy=_REMEDY) from error


def _text(line: str, place: str) -> Text:
    try:
        item = json.loads(line)
    except ValueError as error:
        raise InputError("is no JSON", place=place, remedy=_REMEDY) from error
    if not isinstance(item, dict) or not isinstance(item.get("text"), str) or "id" not in item:
        raise InputError("has no id or no text", place=place, remedy=_REMEDY)
    return Text(item["id"], item["text"])


def _document(span: Span) -> dict[str, object]:
    return {
        "start": span.start,
        "end": span.end,
        "type": span.type,
        "class": span.cls,
        "source": span.source,
        "score": span.score,
    }


@contextmanager
def _reading(path: Path) -> Iterator[TextIO]:
    if str(path) == STANDARD:
        yield sys.stdin
        return
    try:
        file = path.open(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", place=str(path), remedy=_REMEDY) from error
    with file:
        yield file


@contextmanager
def _writing(path: Path) -> Iterator[TextIO]:
    """A regular file appears when it is complete; a pipe or a device is written as the lines come."""
    if str(path) == STANDARD:
        yield sys.stdout
        return
    is_stream = path.exists() and not path.is_file()
    temporary: Path | None = None
    try:
        if not is_stream:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            temporary = Path(name)
            os.close(descriptor)
        with (temporary or path).open("w", encoding="utf-8") as file:
            yield file
        if temporary is not None:
            temporary.chmod(0o644)
            temporary.replace(path)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot be written ({error.strerror})", place=str(path), remedy="Choose another place"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
