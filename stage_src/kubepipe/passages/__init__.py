"""The data: passages, that is contexts with all their questions; reading, splitting, storing and writing them."""

from kubepipe.passages.dataset import iter_passages, verify_dataset, write_dataset
from kubepipe.passages.manifest import Manifest, SplitSummary, read_manifest
from kubepipe.passages.model import SPLITS, Answer, Passage, Question, Split
from kubepipe.passages.rewrite import rewrite_squad
from kubepipe.passages.rows import write_rows
from kubepipe.passages.source import Source, read_source
from kubepipe.passages.split import first_questions

__all__ = [
    "SPLITS",
    "Answer",
    "Manifest",
    "Passage",
    "Question",
    "Source",
    "Split",
    "SplitSummary",
    "first_questions",
    "iter_passages",
    "read_manifest",
    "read_source",
    "rewrite_squad",
    "verify_dataset",
    "write_dataset",
    "write_rows",
]
