"""`kubepipe releases`, `rollback` and `verify`: what is published, which of it is current, and whether it holds."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from kubepipe.cli.consoles import table_console
from kubepipe.cli.options import JsonOption, NamespaceOption
from kubepipe.errors import InputError

WhereArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[WHERE]",
        help="A run's folder or a store (folder or s3:// URL); the installed release if left out.",
        show_default=False,
    ),
]
KeyOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--key",
        help="Public key of the model signature, or a folder with model-public.pem and model-trusted*.pem; may be "
        "repeated after a rotation. Those of the place, or of KUBEPIPE_MODEL_KEY (joined by :), if left out.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (releases, rollback, verify):
        app.command(command.__name__)(command)


def releases(where: WhereArgument = None, namespace: NamespaceOption = None, as_json: JsonOption = False) -> None:
    """List what was published, newest change first, and which release is current."""
    from kubepipe.pipeline.published import opened
    from kubepipe.releases import history
    from kubepipe.releases.store import records

    with opened(where, namespace=namespace) as place:
        entries, known = history(place.store), dict(records(place.store))
    rows = [_row(entry.document(), known.get(entry.release)) for entry in reversed(entries)]
    unlisted = sorted(set(known) - {entry.release for entry in entries})
    if as_json:
        typer.echo(json.dumps({"current": rows[0]["release"] if rows else None, "history": rows, "others": unlisted}))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("no", "release", "change", "at", "run", "EM", "F1", "Wh", ""):
        table.add_column(name, no_wrap=True)
    for place_, row in enumerate(rows):
        table.add_row(
            str(row["number"]),
            row["release"][7:19],
            row["action"],
            row["at"][:19],
            row["run"] or "-",
            *(f"{row[name]:.1f}" if row[name] is not None else "-" for name in ("exact_match", "f1")),
            f"{row['energy_kwh'] * 1000:.2f}" if row["energy_kwh"] is not None else "-",
            "current" if place_ == 0 else "",
        )
    table_console().print(table)


def rollback(
    where: WhereArgument = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="RELEASE", help="First letters of a digest; the one before if left out."),
    ] = None,
    namespace: NamespaceOption = None,
    key: KeyOption = None,
) -> None:
    """Make an earlier release current again, after checking it. Servers that watch take it over."""
    from kubepipe.pipeline.published import opened
    from kubepipe.releases import append, find, history, local_copy, verify_release

    with opened(where, namespace=namespace, keys=key or ()) as place, tempfile.TemporaryDirectory() as scratch:
        entries = history(place.store)
        if not entries:
            raise InputError("nothing is published", place=place.store.url)
        held = entries[-1].release
        earlier = [entry.release for entry in entries if entry.release != held]
        if to is None and not earlier:
            raise InputError("there is no earlier release", place=place.store.url, remedy="Name one by --to")
        target = find(place.store, to) if to is not None else earlier[-1]
        folder = local_copy(place.store, target, Path(scratch))
        verify_release(folder, place.trusted(), digest=target, permit_key=place.permit_key)
        append(place.store, target, "rollback", admit=lambda _: True)
    typer.echo(f"current: {target[7:19]} (was {held[7:19]})")


def verify(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL|RELEASE]",
            help="A run's folder or its model folder, a release's folder, a store (its current release), or the first "
            "letters of a release's digest in the installed release; its current one if left out.",
            show_default=False,
        ),
    ] = None,
    key: KeyOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a model from the source of its data to its weights. Ends with 4 and the first broken hop if it fails."""
    from kubepipe.pipeline.published import opened, verified
    from kubepipe.records import digest_tree
    from kubepipe.releases import BrokenHopError

    with opened(model, keys=key or (), namespace=namespace) as place, tempfile.TemporaryDirectory() as scratch:
        found = verified(place, Path(scratch))
        if place.model is not None and digest_tree(place.model) != found.record["model_digest"]:
            raise BrokenHopError("weights", "they are not those of the release", place=str(place.model))
    if as_json:
        document = {"release": found.digest, "signed_by": found.signer, "record": found.record}
        typer.echo(json.dumps({**document, "statements": found.statements}))
        return
    record = found.record
    typer.echo(f"release {found.digest}")
    typer.echo(f"source {record['source_digest']}")
    typer.echo(f"data set {record['dataset_digest']}, with permit")
    typer.echo(f"model {record['model_digest']}")
    typer.echo(f"signed by key {found.signer}")
    typer.echo(f"{len(found.statements)} steps, permit, weights and signature hold")


def _row(entry: dict[str, Any], record: dict[str, Any] | None) -> dict[str, Any]:
    tuned = record["scores"]["tuned"] if record else {}
    return {
        **{name: entry[name] for name in ("number", "release", "action", "run", "at")},
        "exact_match": tuned.get("exact_match"),
        "f1": tuned.get("f1"),
        "energy_kwh": record["energy"]["energy_kwh"] if record else None,
        "intact": record is not None,
    }
