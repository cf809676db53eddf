"""`kubepipe doctor`: what is installed on this machine, or in a cluster; what is missing and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

import kubepipe
from kubepipe.cli.options import NamespaceOption
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


def doctor(
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Look at an installed release instead, by KUBECONFIG.")
    ] = False,
    namespace: NamespaceOption = None,
) -> int:
    """Look at everything that `kubepipe run` needs on this machine, or that an installed release needs in its cluster.

    Ends with 1 when something is missing, with 2 when no cluster is configured.
    """
    if cluster:
        return _tell(_cluster(namespace), "problem")
    return _tell([*_machine(), *_libraries(), *_models()], "missing")


def _tell(findings: Iterable[Finding], bad: str) -> int:
    """Print each finding as it comes; whether one of them is bad."""
    console = Console(highlight=False)
    marks = {True: "[green]ok     [/]", False: f"[red]{bad}[/]", None: "[dim]note   [/]"}
    code = 0
    for finding in findings:
        console.print(f"{marks[finding.good]} {finding.name}: ", end="")
        console.print(finding.text, markup=False, soft_wrap=True)
        code = 1 if finding.good is False else code
    return code


def _cluster(namespace: str | None) -> Iterator[Finding]:
    from kubepipe.pipeline.checks import check_cluster

    for check in check_cluster(namespace):
        yield Finding(check.name, check.good, check.one_line())


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
