"""`kubepipe submit`, `runs`, `logs` and `fetch`: runs of an installed release, by KUBECONFIG."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from kubepipe.cli.closing import print_closing
from kubepipe.cli.consoles import table_console
from kubepipe.cli.follow import follow, settled
from kubepipe.cli.options import NamespaceOption, SetOption, SettingsOption
from kubepipe.errors import InputError, KubePipeError
from kubepipe.pipeline.folder import RunFolder
from kubepipe.settings import load_settings, parse_settings, settings_json

RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="Id of the run, or its first letters.", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (submit, runs, logs, fetch):
        app.command(command.__name__)(command)


def submit(
    source: Annotated[str, typer.Argument(metavar="s3://BUCKET/KEY", help="The data set.", show_default=False)],
    namespace: NamespaceOption = None,
    settings: SettingsOption = None,
    overrides: SetOption = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow the run to its end; its exit code is this command's.")
    ] = False,
) -> int:
    """Start a run of the installed release on an object, with the release's settings unless others are given."""
    from kubepipe.pipeline.remote import find_release
    from kubepipe.pipeline.remote.runs import settings_for

    if not source.startswith("s3://") or not source.removeprefix("s3://").partition("/")[2]:
        raise InputError("is no object", place=source, remedy="Give s3://bucket/key")
    release = find_release(namespace)
    api = release.kfp()
    pipeline = api.pipeline_id(release.pipeline)
    if pipeline is None:
        raise KubePipeError(
            f"pipeline {release.pipeline} is not registered",
            place=f"namespace {release.namespace}",
            remedy="Look at the setup hook: kubectl get jobs",
        )
    parameters: dict[str, Any] = {"source": source}
    if settings is not None or overrides:
        parameters["settings"] = settings_json(settings_for(release, settings, overrides or []))
    # An object's key can name a person, so the run's name holds its digest instead.
    name = f"{hashlib.sha256(source.encode()).hexdigest()[:12]}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    run = api.create_run(name, pipeline, parameters)
    typer.echo(run)
    if not wait:
        return 0
    return follow(release, api, run, Console(highlight=False))


def runs(namespace: NamespaceOption = None) -> None:
    """List the newest runs with state, verdict and scores."""
    from kubepipe.pipeline.kfp_api import TERMINAL
    from kubepipe.pipeline.remote import find_release
    from kubepipe.pipeline.remote.runs import summarise

    release = find_release(namespace)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "created", "state", "verdict", "EM", "F1", "Wh"):
        table.add_column(name, no_wrap=True)
    with release.store() as store:
        for each in release.kfp().runs():
            run, state = each["run_id"], each.get("state", "-")
            verdict, *figures = summarise(store, run)
            if verdict == "unfinished" and state in TERMINAL:
                # Whether or not somebody can still tell why: an ended run without a verdict has failed.
                settled(release.namespace, store, run, state)
                verdict = "failed"
            table.add_row(run, each["created_at"][:19], state, verdict, *figures)
    table_console().print(table)


def logs(
    run: RunArgument,
    step: Annotated[str, typer.Argument(metavar="STEP", help="Name of the step, for example fine-tune-model.")],
    namespace: NamespaceOption = None,
) -> None:
    """Print what a step said, while its pod is there; afterwards why it failed, from its record."""
    from kubepipe.pipeline.remote import find_release
    from kubepipe.pipeline.remote.runs import find_run, pod_logs

    release = find_release(namespace)
    api = release.kfp()
    run_id = find_run(api, run)
    with release.store() as store:
        settled(release.namespace, store, run_id, api.run(run_id).get("state", ""))
        typer.echo(pod_logs(release.namespace, store, run_id, step).rstrip())


def fetch(
    run: RunArgument,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to fetch into; runs/RUN when left out.")] = None,
    namespace: NamespaceOption = None,
    model: Annotated[bool, typer.Option("--model", help="Bring the model too; its weights take a while.")] = False,
) -> int:
    """Bring a run's report, records and results into a folder of this machine."""
    from kubepipe.pipeline.finish import collect
    from kubepipe.pipeline.remote import find_release
    from kubepipe.pipeline.remote.runs import find_run

    release = find_release(namespace)
    api = release.kfp()
    run_id = find_run(api, run)
    described = api.run(run_id)
    given = described.get("runtime_config", {}).get("parameters", {}).get("settings")
    chosen = parse_settings(given) if given else load_settings(overrides=[])
    folder = RunFolder(out if out is not None else Path("runs") / run_id)
    with release.store() as store, folder.opened():
        settled(release.namespace, store, run_id, described.get("state", ""))
        outcome = collect(folder, store, run_id, chosen, with_model=model)
        folder.write_identity(run_id, "cluster")
        if not outcome.records:
            raise KubePipeError("has no record yet", place=f"run {run_id}", remedy="Wait for its first step")
        for record in outcome.records.values():
            name = f"runs/{run_id}/{record.step}.json"
            (folder.store / name).parent.mkdir(parents=True, exist_ok=True)
            (folder.store / name).write_bytes(store.read(name) or b"")
    print_closing(Console(highlight=False), folder, outcome)
    return outcome.exit_code
