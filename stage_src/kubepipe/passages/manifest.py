"""What a dataset folder holds: counts, digests and where it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from kubepipe.passages.model import SPLITS, Passage, Split
from kubepipe.passages.parquet import passage_values
from kubepipe.records import digest_json, read_document
from kubepipe.records.digest import canonical_json

MANIFEST: Final = "manifest.json"
SCHEMA: Final = "dataset-manifest"
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class SplitSummary:
    """One split of a data set.

    Attributes:
        passages: Number of contexts.
        questions: Number of questions.
        answers: Number of gold answers, repeated ones included.
        unanswerable: Number of questions without an answer.
        digest: SHA-256 over the canonical JSON lines of its passages.
    """

    passages: int
    questions: int
    answers: int
    unanswerable: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A dataset folder's description of itself.

    Attributes:
        splits: Summary of each split.
        counts: What was dropped or repaired on the way here, by reason.
        digest: Names the data set everywhere. Depends on the passages alone.
        origin: Where it comes from: digests and versions, never names of files.
        created_by: Program and version that wrote it.
        schema_version: Version of the layout.
    """

    splits: Mapping[Split, SplitSummary]
    counts: Mapping[str, int]
    digest: str
    origin: Mapping[str, Any]
    created_by: str
    schema_version: int = SCHEMA_VERSION

    def document(self) -> dict[str, Any]:
        """The manifest as a JSON document."""
        return asdict(self)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a dataset folder.

    Raises:
        IntegrityError: It is missing or does not fit its schema.
    """
    document = read_document(folder / MANIFEST, SCHEMA)
    splits: dict[Split, SplitSummary] = {split: SplitSummary(**document["splits"][split]) for split in SPLITS}
    return Manifest(**{**document, "splits": splits})


def digest_splits(splits: Mapping[Split, SplitSummary]) -> str:
    """Digest of a data set, from the digests of its splits."""
    return digest_json({split: splits[split].digest for split in SPLITS})


@dataclass(slots=True)
class Summing:
    """Counts and hashes passages while they pass by."""

    passages: int = 0
    questions: int = 0
    answers: int = 0
    unanswerable: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)

    def watch(self, passages: Iterable[Passage]) -> Iterator[Passage]:
        """The same passages, counted."""
        for passage in passages:
            self.passages += 1
            self.questions += len(passage.questions)
            self.answers += sum(len(question.answers) for question in passage.questions)
            self.unanswerable += sum(not question.is_answerable for question in passage.questions)
            self._hash.update(f"{canonical_json(passage_values(passage))}\n".encode())
            yield passage

    def summary(self) -> SplitSummary:
        """What passed by so far."""
        return SplitSummary(
            self.passages, self.questions, self.answers, self.unanswerable, f"sha256:{self._hash.hexdigest()}"
        )
