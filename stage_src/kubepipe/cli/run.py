"""`kubepipe run`: the whole chain on this machine."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kubepipe.cli.options import DatasetArgument, ProfileOption, SetOption, SettingsOption
from kubepipe.cli.preflight import check
from kubepipe.cli.watch import open_watch
from kubepipe.errors import KubePipeError, UserError
from kubepipe.pipeline.folder import RunFolder
from kubepipe.settings import Settings, load_settings


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("run")(run)


def run(
    dataset: DatasetArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the run; runs/NAME of the data set when left out.")
    ] = None,
    profile: ProfileOption = None,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> int:
    """Protect DATASET, fine-tune a model on it, score it and write a report.

    Running again with the same arguments resumes: finished steps are reused by digest. Ends with 0 when done, 2 on bad
    input or settings, 3 when the privacy gate keeps the data, 1 on anything else.
    """
    chosen = load_settings(profile=profile, file=settings, overrides=overrides or [])
    check(dataset, chosen)
    folder = RunFolder(out if out is not None else Path("runs") / _name(dataset))
    console = Console(highlight=False)
    with folder.opened():
        return _execute(folder, dataset, chosen, console)


def _execute(folder: RunFolder, dataset: Path, settings: Settings, console: Console) -> int:
    from kubepipe.cli.closing import print_closing
    from kubepipe.pipeline.finish import finish
    from kubepipe.pipeline.local import Stopped, execute, identify

    run_id = identify(folder, dataset, settings)
    console.print(f"run {run_id} in {folder.root}")
    try:
        with open_watch(folder, run_id, console) as watch:
            status = execute(folder, run_id, dataset, settings, watch)
    except Stopped as stop:
        console.print(f"stopped by {signal.Signals(stop.signum).name}; the same command resumes", style="yellow")
        return 128 + stop.signum
    outcome = finish(folder, run_id, settings)
    if status != 0 and not outcome.records:
        raise _engine_failed(folder, status)
    if outcome.error is not None and outcome.exit_code == UserError.exit_code:
        # Bad input: one line says it all, and a report about nothing would only be in the way.
        raise UserError(outcome.error)
    print_closing(console, folder, outcome)
    return outcome.exit_code


def _engine_failed(folder: RunFolder, status: int) -> KubePipeError:
    """No step has said why; of the engine's log the kind of the error is told, for its words can hold anything."""
    lines = (folder.logs / "engine.log").read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    kind = lines[-1].partition(":")[0]
    what = kind if re.fullmatch(r"[A-Za-z_.]+(Error|Exception|Exit|Interrupt)", kind) else f"status {status}"
    return KubePipeError(
        f"the engine ended before its first step ({what})",
        place=str(folder.root),
        remedy="This is a mistake of the program or its installation: `kubepipe doctor` looks at the latter",
    )


def _name(dataset: Path) -> str:
    """A folder name from the data set's: without its endings, only safe letters."""
    stem = dataset.absolute().name.split(".")[0] or "dataset"
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "dataset"
