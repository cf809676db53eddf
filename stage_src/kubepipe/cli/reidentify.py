"""`kubepipe reidentify`: what one surrogate stands for, for a person who has the key of the mapping and a reason."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from kubepipe.cli.kept import Site, site_of
from kubepipe.cli.options import JsonOption, NamespaceOption
from kubepipe.cli.shred import ByOption, RunArgument
from kubepipe.errors import InputError


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("reidentify")(reidentify)


def reidentify(
    run: RunArgument,
    surrogate: Annotated[
        str, typer.Argument(metavar="SURROGATE", help="A surrogate as it stands in the protected data.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with who looked and when.")] = "",
    key: Annotated[
        Path | None, typer.Option("--key", help="File of mapping.key; that of the run's keys when left out.")
    ] = None,
    by: ByOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> int:
    """Tell what SURROGATE stands for in RUN, by the encrypted mapping that privacy.mapping=sealed makes.

    Who looked, when and why is recorded before anything is shown. Of an installed release you need the right to get the
    secret of the privacy keys.
    """
    from kubepipe.pipeline.reidentification import original_of
    from kubepipe.sealing.keys import MAPPING

    if not reason.strip():
        raise InputError("re-identification needs a reason", place="--reason", remedy="Say why; it is recorded")
    with site_of(run, namespace) as site, tempfile.TemporaryDirectory() as scratch:
        name = _run_of(site, run)
        file = key or _key_file(site, Path(scratch) / MAPPING)
        found = original_of(site.approvals, name, surrogate, file, by=site.who(by), reason=reason)
    if not found:
        raise InputError(
            "the run gave no such surrogate",
            place=f"run {name}",
            remedy="Write it as it stands in the protected data; a name may also be looked up word by word",
        )
    if as_json:
        typer.echo(json.dumps([{"type": link.type, "original": link.original, "count": n} for link, n in found]))
        return 0
    for link, count in found:
        typer.echo(f"{link.original}\t{link.type}\t{count}")
    return 0


def _run_of(site: Site, text: str) -> str:
    if site.folder is not None:
        return (site.folder.read_identity() or {})["run"]
    from kubepipe.pipeline.remote.runs import find_run

    return find_run(site.release.kfp(), site.run_named(text))


def _key_file(site: Site, target: Path) -> Path:
    """The run's own key: in its folder, or the secret's, written where only the caller can read it."""
    if site.folder is not None:
        return site.folder.keys / target.name
    told = site.release.setup.get("privacy")
    if told is None:
        raise InputError("has no privacy keys", place=f"release {site.release.name}", remedy="Give the file by --key")
    target.write_bytes(site.release.secret_files(told["secret"]).get(target.name, b""))
    return target
