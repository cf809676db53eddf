"""`kubepipe settings`: what can be set, and its schema."""

from __future__ import annotations

import json

import typer
import yaml

from kubepipe.cli.options import ProfileOption, SetOption, SettingsOption
from kubepipe.settings import Settings, load_settings
from kubepipe.settings.describe import describe


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Show the settings and their schema.", no_args_is_help=True)
    group.command("show")(show)
    group.command("schema")(schema)
    app.add_typer(group, name="settings")


def show(
    profile: ProfileOption = None,
    settings: SettingsOption = None,
    overrides: SetOption = None,
    values: bool = typer.Option(False, "--values", help="Only the values, as YAML that --settings reads."),
) -> None:
    """Print every setting with its value, type and meaning."""
    chosen = load_settings(profile=profile, file=settings, overrides=overrides or [])
    if values:
        typer.echo(yaml.safe_dump(chosen.model_dump(mode="json"), sort_keys=False).rstrip())
        return
    for row in describe(chosen):
        typer.echo(f"{row.path} = {json.dumps(row.value)}    # {row.kind}: {row.text}")


def schema() -> None:
    """Print the JSON Schema of a settings file."""
    typer.echo(json.dumps(Settings.model_json_schema(), indent=2))
