"""The data of the comparison, and the clock: CPU seconds of this process, all threads."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kubepipe.passages import SPLITS, first_questions, read_source
from kubepipe.passages.model import Passage
from kubepipe.settings import DatasetSettings, TrainingSettings

TRAIN = "squad/train-v1.1.partial.json"
DEV = "squad/dev-v1.1.rebuilt.json"
SETTINGS = TrainingSettings(epochs=1.0, validation_questions=0)


def passages(path: Path, questions: int | None = None) -> list[Passage]:
    """Whole passages in a random order until the number of questions is reached, the last one cut; None for all."""
    source = read_source(path, DatasetSettings(), seed=0, hold_out=False)
    found = [passage for split in SPLITS for passage in source.splits[split]]
    if questions is None:
        return found
    random.Random(0).shuffle(found)  # noqa: S311 - an order, no secret
    return first_questions(found, questions)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and its CPU seconds."""
    start = time.process_time()
    return work(), time.process_time() - start


def walled(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What the work gives, its CPU seconds and its wall seconds."""
    start = time.monotonic()
    found, cpu_seconds = timed(work)
    return found, cpu_seconds, time.monotonic() - start


def count(some: Sequence[Passage]) -> int:
    """Questions in passages."""
    return sum(len(passage.questions) for passage in some)
