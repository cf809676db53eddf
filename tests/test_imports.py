from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import kubepipe

ROOT = Path(kubepipe.__file__).parent
BASE = {"errors", "settings", "records", "storage"}
ROOMS = {"passages", "privacy", "sealing", "training", "scoring", "energy", "reporting", "releases", "serving"}
ALLOWED = {
    **{room: BASE | {room} for room in ROOMS},
    "stages": BASE | ROOMS | {"stages"},
    "pipeline": BASE | ROOMS | {"stages", "pipeline"},
    "cli": BASE | ROOMS | {"stages", "pipeline", "cli"},
    "settings": {"errors", "records", "settings"},
    "records": {"errors", "storage", "records"},
    "storage": {"errors", "storage"},
}
MODEL_OF_DATA = {"kubepipe.passages", "kubepipe.passages.model"}
NEIGHBOURS = {
    "scoring": ("kubepipe.training",),  # asks the models that training loads, with the prompts it trains on
    "reporting": ("kubepipe.energy",),  # tells what the ledger adds up
    "releases": ("kubepipe.sealing",),  # checks the permit that the release hangs on
    # Answers by a verified release, and says what that takes.
    "serving": ("kubepipe.releases", "kubepipe.scoring", "kubepipe.training", "kubepipe.energy"),
}


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_imports_go_one_way(room: str) -> None:
    """A room imports the base, the model of data, and the neighbours that are named above."""
    for file in (ROOT / room).rglob("*.py"):
        for name in _imports(file):
            if not name.startswith("kubepipe.") or name in MODEL_OF_DATA:
                continue
            if name.startswith(NEIGHBOURS.get(room, ("nothing",))):
                continue
            assert name.split(".")[1] in ALLOWED[room], f"{file.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("room", sorted(ROOMS | BASE | {"stages"}))
def test_only_the_pipeline_talks_to_engines(room: str) -> None:
    """No room imports kfp, kubernetes or kopf."""
    files = (ROOT / room).rglob("*.py") if (ROOT / room).is_dir() else [ROOT / f"{room}.py"]
    found = {name.split(".")[0] for file in files for name in _imports(file)}
    assert not found & {"kfp", "kubernetes", "kopf"}


def test_importing_everything_loads_no_heavy_library() -> None:
    """Importing kubepipe and its command line never imports torch or spaCy."""
    code = (
        "import sys, kubepipe.cli.main, kubepipe.stages, kubepipe.training, kubepipe.privacy, kubepipe.passages\n"
        "import kubepipe.releases\n"
        "heavy = {'torch', 'spacy', 'transformers', 'pandas', 'datasets', 'kfp', 'matplotlib', 'fastapi'}\n"
        "heavy = (heavy | {'model_signing'}) & set(sys.modules)\n"
        "print(*sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


WITHOUT = """
import sys
absent = set(sys.stdin.read().split())
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in absent:
            raise ModuleNotFoundError(f'no {name} in the image', name=name)
sys.meta_path.insert(0, Absent())
import kubepipe.cli.main, kubepipe.stages
"""


@pytest.mark.parametrize("image", ["stages", "train", "events"])
def test_the_command_line_starts_in_every_image(image: str) -> None:
    """It needs nothing at its start that an image does not hold."""
    there = _distributions(image)
    assert {"typer", "minio"} <= there
    owners = importlib.metadata.packages_distributions()
    absent = {module for module, names in owners.items() if not there & set(map(canonicalize_name, names))}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], input="\n".join(absent), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _distributions(image: str) -> set[str]:
    """Distributions that pip puts into an image: what its requirements name, and what that needs."""
    file = Path(__file__).parents[1] / "scripts" / "images" / f"requirements.{image}.txt"
    lines = file.read_text(encoding="utf-8").splitlines()
    waiting = [Requirement(line) for line in lines if line and not line.startswith("#")]
    found = {"kubepipe"}
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        with suppress(importlib.metadata.PackageNotFoundError):
            for line in importlib.metadata.requires(name) or ():
                needed = Requirement(line)
                extras = ("", *wanted.extras)
                is_needed = not needed.marker or any(needed.marker.evaluate({"extra": extra}) for extra in extras)
                if is_needed and (name not in found or needed.extras):
                    waiting.append(needed)
        found.add(name)
    return found
