"""Reads a data set of any supported format as passages, split into training and validation."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kubepipe.errors import InputError
from kubepipe.passages.arrow_rows import read_arrow, read_parquet, saved_members
from kubepipe.passages.assemble import Assembler
from kubepipe.passages.csv_rows import read_csv
from kubepipe.passages.dataset import is_dataset, iter_passages
from kubepipe.passages.json_rows import read_json
from kubepipe.passages.model import Passage, Split
from kubepipe.passages.opening import Member, Opened, SplitName, open_source, split_of
from kubepipe.passages.raw import RawQuestion
from kubepipe.passages.sniff import sniff
from kubepipe.passages.split import keep_apart, keep_at_most, separate
from kubepipe.passages.tally import Tally, complete
from kubepipe.passages.text import check_encoding
from kubepipe.records import digest_tree
from kubepipe.settings import DatasetSettings

#: What a setting of `dataset.format` may turn out to be.
_FORMS: Final[Mapping[str, frozenset[str]]] = {
    "squad": frozenset({"squad-v1.1", "squad-v2.0"}),
    "jsonl": frozenset({"jsonl", "json"}),
    "csv": frozenset({"csv"}),
    "parquet": frozenset({"parquet"}),
    "datasets": frozenset({"datasets"}),
}
_UNUSABLE: Final = {
    "questions_dropped_answer_absent": "with an answer that does not occur in its context",
    "questions_dropped_misaligned": "with an answer that occurs several times and has no right offset",
    "rows_without_context": "without a context",
    "rows_without_question": "without a question",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A data set as it was found.

    Attributes:
        splits: Passages of "train" and "validation"; no context is in both.
        counts: Everything dropped, repaired or left out, by reason (see `tally.REASONS`).
        format: What it was: "squad-v1.1", "squad-v2.0", "json", "jsonl", "csv", "parquet", "datasets" or "kubepipe",
            with "+gzip" or "+zip" when it was packed.
        digest: SHA-256 of its bytes.
    """

    splits: Mapping[Split, list[Passage]]
    counts: Mapping[str, int]
    format: str
    digest: str


def read_source(path: Path, settings: DatasetSettings, *, seed: int, hold_out: bool = True) -> Source:
    """Read a data set: a file, a folder, or a gzip or zip of these; the format is told by the content.

    Own splits (train beside validation, dev or test) are kept. Otherwise a share of the documents is held out. A folder
    that KubePipe wrote is read as it is.

    Args:
        path: The data set.
        settings: How it is read and split.
        seed: Decides the split and the choice under the limits.
        hold_out: Whether a share is held out when the data set has no split of its own; if not, all of it stays in
            "train", in the order of the file.

    Raises:
        InputError: The data set cannot be read; one line says where, why, and what to do.
    """
    tally: Tally = Tally()
    place = str(path)
    with open_source(path, settings.max_bytes) as opened:
        if is_dataset(path):
            reading = _own_format(path, tally)
        else:
            reading = _read_members(opened, _Reader(settings, tally), place)
        digest = _digest(path)
    splits = reading.splits
    if len(splits) == 1 and hold_out:
        splits = separate(
            splits["train"], share=settings.validation_share, seed=seed, made_up=reading.made_up, place=place
        )
    limits: dict[Split, int | None] = {
        "train": settings.max_train_questions,
        "validation": settings.max_validation_questions,
    }
    kept = {split: keep_at_most(splits.get(split, []), limits[split], seed=seed, tally=tally) for split in limits}
    return Source(kept, complete(tally), reading.format, digest)


def _digest(path: Path) -> str:
    try:
        return digest_tree(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"cannot be read ({reason})", place=str(path), remedy="Check its permissions") from error


@dataclass(frozen=True, slots=True)
class _Reading:
    """Passages of the own splits, or everything under "train"."""

    splits: dict[Split, list[Passage]]
    format: str
    made_up: frozenset[str] = frozenset()


def _own_format(path: Path, tally: Tally) -> _Reading:
    splits: dict[Split, list[Passage]] = {
        "train": list(iter_passages(path, "train")),
        "validation": list(iter_passages(path, "validation")),
    }
    tally["rows_read"] = sum(len(passage.questions) for passages in splits.values() for passage in passages)
    if not splits["validation"]:
        del splits["validation"]
    return _Reading(splits, "kubepipe")


def _read_members(opened: Opened, reader: _Reader, place: str) -> _Reading:
    saved = saved_members(opened.members)
    members = saved or opened.data_members()
    labels: dict[str, SplitName | None] = {
        member.name: None if opened.is_single else split_of(_split_name(member, is_saved=bool(saved)))
        for member in members
    }
    held_out = next((name for name in ("validation", "test") if name in labels.values()), None)
    assembler = Assembler(reader.tally)
    if held_out is None or "train" not in labels.values():
        passages, made_up = assembler.passages(reader.questions(members))
        _check_any(passages, reader.tally, place)
        return _Reading({"train": passages}, reader.format(opened.packing), made_up)
    splits: dict[Split, list[Passage]] = {}
    for split, label in (("train", "train"), ("validation", held_out)):
        chosen = [member for member in members if labels[member.name] == label]
        splits[split], _ = assembler.passages(reader.questions(chosen))  # type: ignore[index]
        _check_any(splits[split], reader.tally, f"{place}, {label} split")  # type: ignore[index]
    reader.tally["files_left_out"] += sum(label not in {"train", held_out} for label in labels.values())
    splits = keep_apart(splits, reader.tally)
    if not splits["train"]:
        raise InputError(
            "every training context is in the validation split too", place=place, remedy="Give other training data"
        )
    return _Reading(splits, reader.format(opened.packing))


def _split_name(member: Member, *, is_saved: bool) -> str:
    """The part of a member's name that can tell a split: of a saved data set the folder, not the Arrow file."""
    return member.name.rpartition("/")[0] if is_saved else member.name


def _check_any(passages: list[Passage], tally: Tally, place: str) -> None:
    if passages:
        return
    if not tally["rows_read"]:
        raise InputError("holds no questions", place=place, remedy="Give a file with questions and answers")
    reasons = [f"{tally[reason]} {text}" for reason, text in _UNUSABLE.items() if tally[reason]]
    raise InputError(
        f"none of {tally['rows_read']} questions can be used: {', '.join(reasons)}",
        place=place,
        remedy="Answers must be copied from their context, letter by letter",
    )


@dataclass(slots=True)
class _Reader:
    """Reads members one after the other and remembers what they were."""

    settings: DatasetSettings
    tally: Tally
    forms: list[str] = field(default_factory=list)

    def questions(self, members: Iterable[Member]) -> Iterator[RawQuestion]:
        for member in members:
            with member.open() as stream:
                form, questions = self._open(stream, member)
                if form not in self.forms:
                    self.forms.append(form)
                yield from questions

    def format(self, packing: str) -> str:
        return "+".join([*self.forms, *([packing] if packing else [])])

    def _open(self, stream: io.BufferedReader, member: Member) -> tuple[str, Iterator[RawQuestion]]:
        head = stream.peek(4096)
        place = member.place
        if not head.strip():
            raise InputError("is empty", place=place, remedy="Give a file with questions and answers")
        kind = sniff(head, place)
        columns, wanted = self.settings.columns, self.settings.format
        if kind in {"gzip", "zip"}:
            raise InputError("is an archive within an archive", place=place, remedy="Unpack it first")
        if kind == "parquet":
            opened = read_parquet(stream, member, columns, self.tally)
        elif kind == "arrow":
            opened = read_arrow(stream, member, columns, self.tally)
        else:
            check_encoding(head, place)
            is_json = wanted != "csv" and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
            opened = (read_json if is_json else read_csv)(stream, place, columns, self.tally)
        if wanted != "auto" and opened[0] not in _FORMS[wanted]:
            raise InputError(
                f"is {opened[0]}, but dataset.format says {wanted}", place=place, remedy="Set dataset.format to auto"
            )
        return opened
