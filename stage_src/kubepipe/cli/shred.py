"""`kubepipe shred`: make the sealed data of a local run unreadable at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer

from kubepipe.cli.options import JsonOption
from kubepipe.errors import InputError
from kubepipe.pipeline.folder import RunFolder
from kubepipe.sealing import is_sealed, shred
from kubepipe.storage import FolderStore


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("shred")(shred_run)


def shred_run(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.", show_default=False)],
    as_json: JsonOption = False,
) -> int:
    """Destroy the data key of RUN and its sealed artifacts; what passed the gate, records and models stay.

    The source that the run was made from is no part of it and stays where it lies. Pseudonym, wrapping and signing keys
    stay as well: other runs may use them.
    """
    run = RunFolder(folder)
    identity = run.read_identity()
    if identity is None:
        raise InputError("is no folder of a run", place=str(folder), remedy="Name the folder given to --out")
    done = shred(FolderStore(run.store), identity["run"])
    sealed = [path for path in sorted(_parents(run.artifacts)) if is_sealed_here(path)]
    for path in sealed:
        shutil.rmtree(path)
    result = {
        "run": done.run,
        "data_key": "destroyed" if done.key_was_there else "was gone",
        "sealed_artifacts_removed": len(sealed),
        "source": "stays where it lies",
    }
    if as_json:
        typer.echo(json.dumps(result, sort_keys=True))
    else:
        typer.echo(
            f"run {done.run}: data key {result['data_key']}, {len(sealed)} sealed artifacts removed; the source stays "
            "where it lies"
        )
    return 0


def _parents(artifacts: Path) -> list[Path]:
    """Folders that hold files of their own."""
    return sorted({path.parent for path in artifacts.rglob("*") if path.is_file()}) if artifacts.is_dir() else []


def is_sealed_here(path: Path) -> bool:
    """Whether a folder is itself a sealed artifact, and not a folder around one."""
    return path.is_dir() and (path / ".files.sealed").is_file() and is_sealed(path)
