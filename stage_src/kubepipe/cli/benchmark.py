"""`kubepipe benchmark`: EM and F1 of a model or of a prediction file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from kubepipe.cli.options import DatasetArgument, JsonOption, SetOption, SettingsOption
from kubepipe.errors import SettingsError
from kubepipe.settings import Settings, load_settings


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("benchmark")(benchmark)


def benchmark(
    dataset: DatasetArgument,
    model: Annotated[
        str | None,
        typer.Option("--model", help="A run's model folder, a model's name or a folder with a causal language model."),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option("--predictions", help="Prediction file of the official form: {id: text}.")
    ] = None,
    settings: SettingsOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> int:
    """Score the answers to all questions of DATASET by the official SQuAD definition."""
    chosen = load_settings(file=settings, overrides=overrides or [])
    if (model is None) == (predictions is None):
        raise SettingsError("give either a model or a prediction file", remedy="Use --model or --predictions")
    from kubepipe.passages import SPLITS, read_source
    from kubepipe.scoring import read_predictions, score

    # In the order of the file: the official scripts add up in it, and the last digit depends on the order.
    source = read_source(dataset, chosen.dataset, seed=chosen.seed, hold_out=False)
    passages = [passage for split in SPLITS for passage in source.splits[split]]
    given = read_predictions(predictions) if predictions else _answer(str(model), passages, chosen)
    scores = score(given, passages).document()
    if as_json:
        typer.echo(json.dumps(scores, sort_keys=True))
        return 0
    typer.echo(f"exact_match {scores['exact_match']:.2f}")
    typer.echo(f"f1 {scores['f1']:.2f}")
    typer.echo(f"questions {scores['total']}")
    return 0


def _answer(model: str, passages: list[Any], settings: Settings) -> dict[str, str]:
    from kubepipe.scoring import open_predictor

    predictor = open_predictor(model, settings.scoring, settings.training, online=settings.online)
    return {each.id: each.text for each in predictor.answer(passages)}
