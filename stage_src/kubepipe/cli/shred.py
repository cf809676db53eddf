"""`kubepipe shred`: make the sealed data of a run unreadable at once."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from kubepipe.cli.kept import Site, site_of
from kubepipe.cli.options import JsonOption, NamespaceOption
from kubepipe.errors import InputError

RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Folder of a run; or, of the installed release, the first letters of a run's id or of a DatasetRun.",
        show_default=False,
    ),
]
ByOption = Annotated[str | None, typer.Option("--by", help="Who, for a local run; the login when left out.")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("shred")(shred_run)


def shred_run(
    run: RunArgument,
    source: Annotated[
        bool, typer.Option("--source", help="Delete the versions of the object with the bytes that the run read.")
    ] = False,
    all_versions: Annotated[
        bool, typer.Option("--all-versions", help="Delete every version of the object, later ones included.")
    ] = False,
    by: ByOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> int:
    """Destroy the data key of RUN, its sealed artifacts and its mapping; what passed the gate, records, models stay.

    Of a run in a cluster the versions of its source that remain are counted, and deleted on request; no key of an
    object is told, for a key can name a person. Of a local run the source is no part. Pseudonym, wrapping and signing
    keys stay: other runs may use them. What was done stands in runs/RUN/shredded.json. Ends with 2 when a right is
    missing; nothing is shredded then.
    """
    with site_of(run, namespace, "admin") as site:
        document = shred_at(site, run, by=by, delete=source, every=all_versions)
    typer.echo(json.dumps(document, sort_keys=True) if as_json else _text(document))
    return 0


def shred_at(site: Site, text: str, *, by: str | None, delete: bool = False, every: bool = False) -> dict[str, Any]:
    """Shred a run; what was done (schema shredded)."""
    from kubepipe.pipeline.shredding import shred_folder, shred_stored

    who = site.who(by)
    if site.folder is not None:
        if delete or every:
            raise InputError(
                "its source is no object of a store", place=text, remedy="Delete the file yourself; leave --source out"
            )
        identity = site.folder.read_identity() or {}
        return shred_folder(site.folder, identity["run"], who)
    from kubepipe.pipeline.remote.runs import find_run

    api = site.release.kfp()
    run = find_run(api, site.run_named(text))
    # First what may be refused: a run is shredded with its source or not at all.
    left = _look_at_source(site, api.run(run), run, delete=delete, every=every)
    return shred_stored(site.store, site.approvals, run, who, left)


def _look_at_source(site: Site, described: dict[str, Any], run: str, *, delete: bool, every: bool) -> Any:
    from kubepipe.pipeline.shredding import look_at_source, source_of
    from kubepipe.records.step import read_step_record
    from kubepipe.storage.s3 import s3_client

    parameter = described.get("runtime_config", {}).get("parameters", {}).get("source", "")
    record = read_step_record(site.store, run, "prepare-data")
    found = source_of(site.store, parameter, record.results.get("source_version") if record else None)
    if found is None:
        raise InputError("the claim of its source is gone", place=f"run {run}", remedy="Delete the object yourself")
    if delete and not found.is_known:
        what = "is a folder, whose versions it did not note" if found.is_folder else "has no version that it noted"
        raise InputError(
            f"its source {what}",
            place=f"run {run}",
            remedy="--all-versions deletes every version of every object of it",
        )
    return look_at_source(s3_client(), found, delete=delete, every=every)


def _text(document: dict[str, Any]) -> str:
    from kubepipe.pipeline.shredding import UNTOUCHED, SourceLeft

    source = document["source"]
    told = f"the source {UNTOUCHED}" if source == UNTOUCHED else SourceLeft(**source).text()
    mapping = ", mapping destroyed" if document["mapping"] == "destroyed" else ""
    return (
        f"run {document['run']}: data key {document['data_key']}, {document['sealed_artifacts_removed']} sealed "
        f"artifacts removed{mapping}; {told}"
    )
