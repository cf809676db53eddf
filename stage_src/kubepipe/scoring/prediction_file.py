"""Prediction files of the official form: one JSON object {question id: answer}."""

from __future__ import annotations

import json
from pathlib import Path

from kubepipe.errors import InputError


def read_predictions(path: Path) -> dict[str, str]:
    """Read a prediction file.

    Raises:
        InputError: The file is missing, no JSON, or not of the form {id: text}.
    """
    form = 'Give a JSON object of the form {"question id": "answer"}'
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("is no readable JSON file", place=str(path), remedy=form) from error
    if not isinstance(content, dict):
        raise InputError("is no JSON object", place=str(path), remedy=form)
    wrong = sum(not isinstance(answer, str) for answer in content.values())
    if wrong:
        raise InputError(f"{wrong} of {len(content)} answers are no text", place=str(path), remedy=form)
    return content
