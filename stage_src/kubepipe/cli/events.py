"""`kubepipe upload`, `status`, `rerun`, `approve`, `reject`, `schedules`: data sets that start their own runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from kubepipe.cli.consoles import table_console
from kubepipe.cli.options import NamespaceOption
from kubepipe.errors import InputError

DatasetRunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="Name of a DatasetRun, or its first letters.", show_default=False)
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
_POLL_SECONDS: Final = 2.0
_EXIT_CODES: Final = {"Succeeded": 0, "Skipped": 0, "Quarantined": 3}
_COLUMNS: Final = ("name", "phase", "step", "verdict", "EM", "F1", "Wh", "message")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (upload, status, rerun, approve, reject, schedules):
        app.command(command.__name__)(command)


def upload(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A data set: a file or a folder.", show_default=False)],
    key: Annotated[
        str | None, typer.Option("--key", help="Key in the bucket; the name of the file when left out.")
    ] = None,
    marker: Annotated[
        str, typer.Option("--marker", help="Of a folder: name of the empty object that says it is complete.")
    ] = "_SUCCESS",
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow its run to the end; its exit code is this command's.")
    ] = False,
    namespace: NamespaceOption = None,
) -> int:
    """Put a data set into the bucket for incoming data; the installed release runs it by itself."""
    from kubepipe.pipeline.remote import find_release
    from kubepipe.pipeline.remote.incoming import put

    if not file.exists():
        raise InputError("there is no such file", place=str(file), remedy="Give a data set: a file or a folder")
    release = find_release(namespace)
    source = put(release, file, key or file.name, marker)
    typer.echo(f"s3://{source.bucket}/{source.key}")
    typer.echo(source.name)
    return _watch(release.namespace, source.name) if watch else 0


def status(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Name of a DatasetRun, or its first letters.")
    ] = None,
    namespace: NamespaceOption = None,
) -> None:
    """List what became of the data sets that arrived, newest first; with RUN tell all of one."""
    runs = _runs(namespace)
    console = table_console()
    if run is not None:
        console.print(_details(_find(runs, run)))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _COLUMNS:
        table.add_column(name, no_wrap=name != "message")
    for each in sorted(runs.list(), key=lambda each: each.created, reverse=True):
        table.add_row(*_row(each))
    console.print(table)


def rerun(run: DatasetRunArgument, namespace: NamespaceOption = None) -> None:
    """Run a data set again, also one whose DatasetRun was deleted (give its whole name then)."""
    from kubepipe.pipeline.remote import find_release
    from kubepipe.records.claim import read_claim
    from kubepipe_events.identity import Source
    from kubepipe_events.status import ENDED

    runs = _runs(namespace)
    found = [each for each in runs.list() if each.name.startswith(run)]
    if found:
        resource = _find(runs, run)
        phase = resource.status.get("phase", "Pending")
        if phase not in ENDED:
            raise InputError(
                f"has not ended ({phase})", place=resource.name, remedy="Wait for its end, or delete it to stop it"
            )
        runs.patch_spec(resource.name, {"rerun": max(resource.spec.get("rerun", 0), _reruns(resource)) + 1})
        typer.echo(f"{resource.name} runs again")
        return
    with find_release(namespace).store() as store:
        claim = read_claim(store, run)
    if claim is None:
        raise InputError("no DatasetRun and no claim has this name", place=run, remedy="`kubepipe status` lists them")
    source = Source.make(claim.bucket, claim.key, claim.version_id, claim.etag, claim.size)
    spec = {"source": source.spec(), "settings": dict(claim.settings), "rerun": claim.reruns + 1, "trigger": "manual"}
    if not runs.create(claim.name, spec):
        raise InputError("was made again meanwhile", place=claim.name, remedy="`kubepipe status` shows it")
    typer.echo(f"{claim.name} runs again")


def approve(run: DatasetRunArgument, reason: ReasonOption = "", namespace: NamespaceOption = None) -> None:
    """Let a data set pass that waits at the privacy gate for a person; your Kubernetes identity is recorded."""
    _decide(run, "approved", reason, namespace)


def reject(run: DatasetRunArgument, reason: ReasonOption = "", namespace: NamespaceOption = None) -> None:
    """Refuse a data set that waits at the privacy gate for a person; the key of its sealed data is destroyed."""
    _decide(run, "rejected", reason, namespace)


def schedules(namespace: NamespaceOption = None) -> None:
    """List the schedules with their last and their next tick."""
    from kubepipe.pipeline.remote.schedules import list_schedules

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("schedule", "cron", "time zone", "last", "next", "last run"):
        table.add_column(name, no_wrap=True)
    runs = _runs(namespace)
    newest: dict[str, Any] = {}
    for each in sorted(runs.list("kubepipe.io/schedule"), key=lambda each: each.created):
        newest[each.labels["kubepipe.io/schedule"]] = each
    for schedule in list_schedules(runs.namespace):
        last = newest.get(schedule.name)
        came_to = f"{last.name} {last.status.get('phase', 'Pending')}" if last else "-"
        table.add_row(
            schedule.name, schedule.cron, schedule.timezone, schedule.last or "-", schedule.following or "-", came_to
        )
    table_console().print(table)


def _runs(namespace: str | None) -> Any:
    from kubernetes import client

    from kubepipe.pipeline.cluster.connection import connect
    from kubepipe_events.resources import DatasetRuns

    current = connect()
    return DatasetRuns(namespace or current, client.ApiClient())


def _find(runs: Any, text: str) -> Any:
    found = [each for each in runs.list() if each.name.startswith(text)]
    if len(found) != 1:
        what = "no DatasetRun begins with it" if not found else f"{len(found)} DatasetRuns begin with it"
        raise InputError(what, place=text, remedy="`kubepipe status` lists them")
    return found[0]


def _reruns(resource: Any) -> int:
    return int(resource.status.get("reruns", 0))


def _row(resource: Any) -> tuple[str, ...]:
    told = resource.status
    energy = told.get("energyKwh")
    return (
        resource.name[:13],
        told.get("phase", "Pending"),
        told.get("step", "-"),
        told.get("verdict", "-"),
        _change(told.get("exactMatch")),
        _change(told.get("f1")),
        f"{float(energy) * 1000:.2f}" if energy else "-",
        told.get("message", ""),
    )


def _change(sides: Mapping[str, float] | None) -> str:
    return f"{sides['before']} > {sides['after']}" if sides else "-"


def _details(resource: Any) -> Table:
    """Everything of one, the object's key included: whoever may read a DatasetRun may read it."""
    table = Table(box=None, pad_edge=False, show_header=False)
    source, told = resource.spec["source"], dict(resource.status)
    table.add_row("name", resource.name)
    table.add_row("object", f"s3://{source['bucket']}/{source['key']}")
    table.add_row("version", source["versionId"] or source["etag"])
    table.add_row("trigger", str(resource.spec.get("trigger")))
    conditions = told.pop("conditions", [])
    for name in ("exactMatch", "f1"):
        if name in told:
            told[name] = _change(told[name])
    for name, value in told.items():
        table.add_row(name, str(value))
    for each in conditions:
        words = f"{each['status']}, {each['reason']}: {each.get('message', '')} ({each['lastTransitionTime']})"
        table.add_row(f"condition {each['type']}", words)
    return table


def _watch(namespace: str, name: str) -> int:
    """Print each change until the end; the exit code of the run."""
    from kubepipe_events.status import ENDED

    runs, said = _runs(namespace), ""
    while True:
        resource = runs.get(name)
        told = resource.status if resource else {}
        words = " ".join(str(told[field]) for field in ("phase", "step", "message") if told.get(field))
        if words and words != said:
            typer.echo(words)
            said = words
        if told.get("phase") in ENDED:
            typer.echo(
                f"verdict {told.get('verdict', '-')}; `kubepipe fetch {told.get('runId', 'RUN')}` brings the report"
            )
            return _EXIT_CODES.get(told["phase"], 1)
        time.sleep(_POLL_SECONDS)


def _decide(run: str, verdict: str, reason: str, namespace: str | None) -> None:
    from kubepipe.pipeline.remote.identity import who_am_i

    runs = _runs(namespace)
    resource = _find(runs, run)
    told = resource.status
    if told.get("verdict") != "needs_human" or not told.get("datasetDigest"):
        raise InputError(
            "does not wait for a decision", place=resource.name, remedy=f"Its verdict is {told.get('verdict', 'open')}"
        )
    if resource.spec.get("decision"):
        raise InputError("is decided already", place=resource.name, remedy=f"By {resource.spec['decision']['by']}")
    by = who_am_i()
    decision = {"verdict": verdict, "by": by, "datasetDigest": told["datasetDigest"], "reason": reason}
    runs.patch_spec(resource.name, {"decision": decision})
    typer.echo(f"{resource.name}: {verdict} by {by}")
