"""`kubepipe quarantine`: what the privacy gate keeps, and a person's decision about it. No value is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from kubepipe.cli.consoles import table_console
from kubepipe.cli.kept import Site, cluster_site, local_site, site_of
from kubepipe.cli.options import JsonOption, NamespaceOption
from kubepipe.cli.shred import ByOption, RunArgument, shred_at
from kubepipe.errors import InputError

if TYPE_CHECKING:
    from kubepipe.pipeline.quarantine import Kept

WhereArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[WHERE]",
        help="A run's folder or a folder of run folders; the installed release if left out.",
        show_default=False,
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision, and signed into the permit.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="What the privacy gate keeps: sealed, with the reasons.", no_args_is_help=True)
    group.command("list")(list_kept)
    group.command("show")(show)
    group.command("release")(release)
    group.command("shred")(shred)
    app.add_typer(group, name="quarantine")


def list_kept(where: WhereArgument = None, namespace: NamespaceOption = None, as_json: JsonOption = False) -> None:
    """List the runs whose data the gate keeps: since when, why, whether it is still sealed, what was decided."""
    rows: list[tuple[str, Kept]] = []
    with _sites(where, namespace) as sites:
        for name, site in sites:
            rows += [(name or _name_in(site, each), each) for each in _kept(site)]
    if as_json:
        typer.echo(json.dumps([{"name": name, **each.document()} for name, each in rows], sort_keys=True))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("name", "run", "since", "verdict", "reasons", "data", "decision"):
        table.add_column(column, no_wrap=column != "reasons")
    for name, each in rows:
        reasons = ", ".join(code for code, _ in each.reasons)
        data = "sealed" if each.is_sealed else "key destroyed"
        table.add_row(name, each.run, each.since[:19], each.verdict, reasons, data, _decision(each))
    table_console().print(table)


def show(run: RunArgument, namespace: NamespaceOption = None, as_json: JsonOption = False) -> None:
    """Show why the gate keeps the data of RUN: each reason, what was measured, who decided what."""
    from kubepipe.privacy import OVERRULABLE

    with site_of(run, namespace) as site:
        kept = _one(site, run)
    if as_json:
        typer.echo(json.dumps(kept.document(), sort_keys=True))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("run", kept.run)
    table.add_row("since", kept.since)
    table.add_row("verdict", kept.verdict)
    table.add_row("data", "sealed" if kept.is_sealed else "key destroyed")
    table.add_row("data set", kept.dataset_digest)
    table.add_row("policy", kept.policy_digest)
    for code, text in kept.reasons:
        hard = kept.verdict == "quarantine" and code not in OVERRULABLE
        table.add_row(f"reason {code}", f"{text}{' Nobody may overrule this.' if hard else ''}")
    for name, value in kept.measures.items():
        if isinstance(value, int | float):
            table.add_row(name, f"{value:g}" if isinstance(value, float) else str(value))
    table.add_row("decision", _decision(kept))
    table_console().print(table)


def release(run: RunArgument, reason: ReasonOption = "", by: ByOption = None, namespace: NamespaceOption = None) -> int:
    """Let the data of RUN pass the gate at its next attempt: you have looked at the reasons and answer for it.

    The gate measures again, opens only for this very data, policy and these rules, and signs who, when, why and which
    rules into the permit. Rules about what is measured to stand in the data cannot be overruled (exit code 3). Of a
    DatasetRun the next attempt starts by itself.
    """
    from kubepipe.pipeline.quarantine import admit_release, decide

    with site_of(run, namespace) as site:
        kept = _one(site, run)
        overrules = admit_release(kept, reason)
        who = site.who(by)
        resource = (site.dataset_runs or {}).get(kept.run)
        if resource is not None and not resource.spec.get("decision"):
            _decide_dataset_run(site, resource, kept, "released" if overrules else "approved", who, reason)
            typer.echo(f"{resource.name}: released by {who}; the next attempt starts by itself")
            return 0
        decide(site.approvals, kept, "approved", by=who, reason=reason, overrules=overrules)
        if resource is not None:
            # Its decision cannot be changed; it was about other data, another policy or other rules.
            _runs(site).patch_spec(resource.name, {"rerun": int(resource.spec.get("rerun", 0)) + 1})
            typer.echo(f"{resource.name}: released by {who}; another attempt starts")
            return 0
        again = "the same `kubepipe run` goes on" if site.folder else "`kubepipe submit` its source again"
        typer.echo(f"run {kept.run}: released by {who}; {again}")
    return 0


def shred(
    run: RunArgument,
    reason: ReasonOption = "",
    by: ByOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> int:
    """Refuse the data of RUN for good: the decision is kept; data key, sealed artifacts and mapping are destroyed."""
    from kubepipe.pipeline.quarantine import decide

    with site_of(run, namespace, "admin") as site:
        kept, who = _one(site, run), site.who(by)
        resource = (site.dataset_runs or {}).get(kept.run)
        if resource is not None and not resource.spec.get("decision"):
            _decide_dataset_run(site, resource, kept, "rejected", who, reason)
        decide(site.approvals, kept, "rejected", by=who, reason=reason)
        document = shred_at(site, run if site.folder else kept.run, by=by)
    if as_json:
        typer.echo(json.dumps(document, sort_keys=True))
    else:
        typer.echo(
            f"run {document['run']}: rejected by {who}; data key {document['data_key']}, "
            f"{document['sealed_artifacts_removed']} sealed artifacts removed"
        )
    return 0


@contextmanager
def _sites(where: Path | None, namespace: str | None) -> Iterator[list[tuple[str, Site]]]:
    """Places to look at, each with the name of its folder."""
    if where is None or namespace is not None:
        with cluster_site(namespace) as site:
            yield [("", site)]
        return
    from kubepipe.pipeline.quarantine import run_folders

    yield [(folder.root.name, local_site(folder)) for folder in run_folders(where.expanduser())]


def _kept(site: Site) -> list[Kept]:
    from kubepipe.pipeline.quarantine import kept_runs

    return kept_runs(site.store, site.approvals)


def _one(site: Site, text: str) -> Kept:
    """The kept run that is meant: of a folder its own, else by letters."""
    from kubepipe.pipeline.quarantine import chosen, read_kept

    if site.folder is None:
        return chosen(_kept(site), site.run_named(text))
    run = (site.folder.read_identity() or {})["run"]
    kept = read_kept(site.store, site.approvals, run)
    if kept is None:
        raise InputError("is not in quarantine", place=text, remedy="`kubepipe quarantine list` shows what is")
    return kept


def _decide_dataset_run(site: Site, resource: Any, kept: Kept, verdict: str, by: str, reason: str) -> None:
    decision = {"verdict": verdict, "by": by, "datasetDigest": kept.dataset_digest, "reason": reason}
    if verdict == "released":
        decision["rules"] = list(kept.codes)  # type: ignore[assignment]  # the only list among texts
    _runs(site).patch_spec(resource.name, {"decision": decision})


def _runs(site: Site) -> Any:
    from kubernetes import client

    from kubepipe_events.resources import DatasetRuns

    return DatasetRuns(site.release.namespace, client.ApiClient())


def _name_in(site: Site, kept: Kept) -> str:
    resource = (site.dataset_runs or {}).get(kept.run)
    return resource.name[:13] if resource else "-"


def _decision(kept: Kept) -> str:
    if kept.decision is None:
        return "open"
    verdict = "released" if kept.decision.overrules else kept.decision.verdict
    return f"{verdict} by {kept.decision.by} on {kept.decision.at[:19]}"
