"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DatasetArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DATASET",
        help="SQuAD JSON, JSONL, CSV or Parquet, a folder saved by `datasets`, a folder of split files, "
        "or a gzip or zip of these.",
        show_default=False,
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", help="quick (at most 200 training and 100 evaluation questions), standard or gpu."),
]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", help="YAML or JSON file with settings.", show_default=False)
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="One setting, for example training.epochs=1. May be repeated."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
NamespaceOption = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Namespace of the release; that of the current context if left out."),
]
