"""`kubepipe anonymize`: pseudonymise a data set and write it in the same form."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from kubepipe.cli.options import DatasetArgument, SetOption, SettingsOption
from kubepipe.errors import OutputError
from kubepipe.passages import SPLITS, Passage, read_source, rewrite_squad, write_rows
from kubepipe.privacy import Pseudonymiser, build_detector
from kubepipe.sealing import create_keys, load_pseudonym_key
from kubepipe.settings import Settings, load_settings


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("anonymize")(anonymize)


def anonymize(
    dataset: DatasetArgument,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="File to write: .json for a SQuAD JSON of the same shape, or .jsonl, .csv, .parquet for rows.",
            show_default=False,
        ),
    ],
    keys: Annotated[
        Path, typer.Option("--keys", help="Folder of the pseudonym key; made when absent. One key, one world of names.")
    ] = Path("~/.config/kubepipe/keys"),
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> int:
    """Replace the personal data of DATASET by consistent surrogates and write OUT; answers stay aligned.

    A SQuAD JSON keeps ids, order and structure, so that other tools can read it. The result is pseudonymised data with
    a residual risk, not data without any.
    """
    chosen = load_settings(file=settings, overrides=overrides or [])
    source = read_source(dataset, chosen.dataset, seed=chosen.seed, hold_out=False)
    folder = keys.expanduser()
    create_keys(folder)
    worker = _Worker(chosen, load_pseudonym_key(folder))
    squad = source.format.startswith("squad")
    if out.suffix == ".json" and squad:
        _rewrite(dataset, out, worker)
    elif out.suffix in {".jsonl", ".csv", ".parquet"}:
        write_rows(out, worker.protect([passage for split in SPLITS for passage in source.splits[split]]))
    else:
        forms = ".json, .jsonl, .csv or .parquet" if squad else ".jsonl, .csv or .parquet"
        raise OutputError("is no form that can be written", place=str(out), remedy=f"Let it end in {forms}")
    replaced, dropped = sum(worker.replaced.values()), sum(worker.dropped.values())
    typer.echo(f"{replaced} entities replaced, {dropped} questions dropped, written to {out}")
    return 0


def _rewrite(dataset: Path, out: Path, worker: _Worker) -> None:
    """Two passes over the file: all passages are read as one corpus first, then each is put back in its place."""
    passages: list[Passage] = []

    def collect(passage: Passage) -> None:
        passages.append(passage)

    with tempfile.TemporaryDirectory() as scratch:
        rewrite_squad(dataset, Path(scratch) / "unused.json", collect)
    protected = {passage.id: passage for passage in worker.protect(passages)}
    # A paragraph without questions holds nothing to train on; one that the policy drops must not come back raw.
    rewrite_squad(dataset, out, lambda passage: protected.get(passage.id))


class _Worker:
    def __init__(self, settings: Settings, key: bytes) -> None:
        detector = build_detector(settings.privacy, processes=settings.processes)
        self._pseudonymiser = Pseudonymiser(settings.privacy, key, detector)
        self.replaced: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()

    def protect(self, passages: list[Passage]) -> Iterator[Passage]:
        for result in self._pseudonymiser.protect(passages):
            self.replaced.update(result.counts)
            self.dropped.update(result.dropped)
            if result.passage is not None:
                yield result.passage
