from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
