"""`kubepipe serve`: answer questions over HTTP from a verified model."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from kubepipe.cli.options import NamespaceOption, SetOption, SettingsOption
from kubepipe.cli.releases import KeyOption
from kubepipe.errors import MissingExtraError, SettingsError
from kubepipe.settings import load_settings

_TOKEN = "KUBEPIPE_SERVING_TOKEN"  # noqa: S105 - the name of a variable


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("serve")(serve)


def serve(  # noqa: PLR0917 - the command line names them
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A run's folder or a store (folder or s3:// URL), whose current release is served and watched; a "
            "release's folder, a run's model folder, or the first letters of a digest, which is served alone.",
            show_default=False,
        ),
    ],
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option("--port", help="Port; serving.port if left out.")] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help=f"File with the bearer token; the variable {_TOKEN} if left out."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let everybody in, without a token, on an address others can reach.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Start when no release holds, say why at /readyz, and go on looking.")
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache",
            help="Folder for releases out of a bucket, for this server alone; the one that answers and the one "
            "before stay in it.",
        ),
    ] = None,
    key: KeyOption = None,
    namespace: NamespaceOption = None,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Verify MODEL and answer questions on it: POST /v1/answers, and a page at /.

    Ends with 4 when the model does not hold. Of a store the current release is followed: another one is taken over,
    after it was verified, without a failed request.
    """
    more = [f"serving.port={port}"] if port is not None else []
    chosen = load_settings(file=settings, overrides=[*(overrides or []), *more])
    token = _token(token_file)
    if token is None and not insecure and not _is_loopback(host):
        raise SettingsError(
            "others can reach this address, and there is no token",
            place=f"--host {host}",
            remedy=f"Give one by --token-file or {_TOKEN}, or let everybody in by --insecure",
        )
    if find_spec("fastapi") is None or find_spec("prometheus_client") is None:
        raise MissingExtraError("serving needs FastAPI", remedy="pip install 'kubepipe[serve]'")
    from kubepipe.pipeline.published import chosen as release_of
    from kubepipe.pipeline.published import opened
    from kubepipe.serving import Source
    from kubepipe.serving import serve as run

    # Waiting threads that spin cost a shared machine half of its time; read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with opened(model, keys=key or (), namespace=namespace) as place, tempfile.TemporaryDirectory() as scratch:
        is_one = place.release is not None or place.model is not None
        source = Source(
            store=place.store,
            keys=place.trusted(),
            cache=cache or Path(scratch),
            permit_key=place.permit_key,
            release=release_of(place) if is_one else None,
            folder=place.folder,
        )
        typer.echo(f"http://{host}:{chosen.serving.port}/ once the release is verified", err=True)
        run(source, chosen, host=host, token=token, wait=wait)


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(_TOKEN) or None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError("cannot be read", place=str(file), remedy="Give a file with the token") from error
    if not token:
        raise SettingsError("is empty", place=str(file), remedy="Give a file with the token")
    return token


def _is_loopback(host: str) -> bool:
    address: Any = None
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
    return host == "localhost" if address is None else bool(address.is_loopback)
