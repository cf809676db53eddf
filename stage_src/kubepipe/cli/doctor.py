"""`kubepipe doctor`: what is installed, which models resolve, what is missing and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import typer
from rich.console import Console

import kubepipe
from kubepipe.errors import KubePipeError
from kubepipe.settings import Settings

_LIBRARIES: Final = {
    "kfp": "pipeline",
    "datasets": "data",
    "spacy": "privacy",
    "faker": "privacy",
    "phonenumbers": "privacy",
    "python-stdnum": "privacy",
    "torch": "train",
    "transformers": "train",
    "peft": "train",
    "gguf": "train",
    "codecarbon": "energy",
    "model-signing": "publish",
    "matplotlib": "report",
}
_GIB: Final = 1024**3
_WANTED_GIB: Final = {"memory": 6, "disk": 4}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What.
        good: Whether a run can do with it; None when it is only worth knowing.
        text: What was found, and the remedy when it is not good.
    """

    name: str
    good: bool | None
    text: str


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("doctor")(doctor)


def doctor() -> int:
    """Look at everything that `kubepipe run` needs on this machine; ends with 1 when something is missing."""
    console = Console(highlight=False)
    marks = {True: "[green]ok     [/]", False: "[red]missing[/]", None: "[dim]note   [/]"}
    findings = [*_machine(), *_libraries(), *_models()]
    for finding in findings:
        console.print(f"{marks[finding.good]} {finding.name}: ", end="")
        console.print(finding.text, markup=False, soft_wrap=True)
    return 1 if any(finding.good is False for finding in findings) else 0


def _machine() -> Iterator[Finding]:
    yield Finding("kubepipe", None, f"{kubepipe.__version__}, Python {platform.python_version()}")
    yield Finding("cores", None, str(len(os.sched_getaffinity(0))))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    yield _size("memory", memory, "A smaller training.tokens_per_batch needs less")
    disk = shutil.disk_usage(Path.cwd()).free / _GIB
    yield _size("disk", disk, "A run needs about 2 GiB with the default model")


def _size(name: str, gib: float, remedy: str) -> Finding:
    good = gib >= _WANTED_GIB[name]
    text = f"{gib:.1f} GiB" if good else f"{gib:.1f} GiB, less than {_WANTED_GIB[name]} GiB. {remedy}"
    return Finding(name, True if good else None, text)


def _libraries() -> Iterator[Finding]:
    for name, extra in _LIBRARIES.items():
        try:
            yield Finding(name, True, version(name))
        except PackageNotFoundError:
            yield Finding(name, False, f"not installed. pip install 'kubepipe[{extra}]'")


def _models() -> Iterator[Finding]:
    from kubepipe.privacy import available_models
    from kubepipe.training import locate_model

    for model in available_models():
        missing = f"not installed. {model.remedy}"
        good = True if model.installed else (False if model.language == Settings().privacy.language else None)
        yield Finding(f"language {model.language}", good, model.name if model.installed else missing)
    name = Settings().training.model
    try:
        yield Finding(f"model {name}", True, locate_model(name, online=False))
    except KubePipeError as error:
        yield Finding(f"model {name}", False, error.one_line())
