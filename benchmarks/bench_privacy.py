"""How much personal data is found: ours against the bare spaCy recogniser, on labelled synthetic texts.

    python benchmarks/bench_privacy.py DATA [--limit N] [--misses N]

DATA is the folder with the public data sets (`presidio_research/synth_dataset_v2.json`, `wikigold/wikigold.conll.txt`).
The measure is label-agnostic: which *characters* of labelled spans are covered by any span of ours (letters and digits
only), and which labelled spans are covered *in full*, every word of theirs but function words. A title or a work is
counted as found only when `--all-classes` is given, since the default policy does not replace it.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubepipe.privacy import Span, build_detector
from kubepipe.privacy.detect.models import resolve_model
from kubepipe.privacy.detect.ner import EntityRecogniser
from kubepipe.privacy.entities import tokens_of
from kubepipe.privacy.entities.words import PARTICLES
from kubepipe.settings.model import PrivacySettings

BETA_SQUARE = 4.0
"""Recall counts twice as much as precision: F2, as presidio-research has it."""


@dataclass(frozen=True)
class Labelled:
    """A text and its gold spans as (start, end, type)."""

    text: str
    gold: tuple[tuple[int, int, str], ...]


@dataclass
class Score:
    """Sums over texts."""

    hit: int = 0
    predicted: int = 0
    wanted: int = 0
    full: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        """Character precision, recall and F2, and the share of spans that are covered in full, by type."""
        precision, recall = self.hit / max(1, self.predicted), self.hit / max(1, self.wanted)
        f2 = (1 + BETA_SQUARE) * precision * recall / max(1e-12, BETA_SQUARE * precision + recall)
        return {
            "char_precision": round(precision, 4),
            "char_recall": round(recall, 4),
            "f2": round(f2, 4),
            "full": round(sum(self.full.values()) / max(1, sum(self.total.values())), 4),
            "spans": sum(self.total.values()),
            "by_type": {name: round(self.full[name] / count, 4) for name, count in sorted(self.total.items())},
        }


def read_presidio(path: Path) -> list[Labelled]:
    """presidio-research: `full_text` and `spans`."""
    return [
        Labelled(
            item["full_text"],
            tuple((span["start_position"], span["end_position"], span["entity_type"]) for span in item["spans"]),
        )
        for item in json.loads(path.read_text(encoding="utf-8"))
    ]


def read_conll(path: Path) -> list[Labelled]:
    """CoNLL columns: the word first, its IO or BIO label last; sentences are set apart by empty lines."""
    found, words = [], []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        columns = line.split()
        if columns and columns[0] != "-DOCSTART-":
            words.append((columns[0], columns[-1]))
        elif words:
            found.append(_sentence(words))
            words = []
    return found


def _sentence(words: Sequence[tuple[str, str]]) -> Labelled:
    text, gold, position = "", [], 0
    previous = "O"
    for word, label in words:
        name = label.removeprefix("B-").removeprefix("I-")
        text += word + " "
        if name != "O":
            if gold and previous == name and not label.startswith("B-"):
                gold[-1] = (gold[-1][0], position + len(word), name)
            else:
                gold.append((position, position + len(word), name))
        previous = name
        position = len(text)
    return Labelled(text, tuple(gold))


def score(items: Iterable[Labelled], predictions: Iterable[Sequence[Span]]) -> tuple[Score, list[tuple[str, str, str]]]:
    """The sums, and the spans that were not covered in full as (type, value, text)."""
    total, misses = Score(), []
    for item, spans in zip(items, predictions, strict=True):
        content = [character.isalnum() for character in item.text]
        ours, gold = _mask(item.text, ((span.start, span.end) for span in spans)), bytearray(len(item.text))
        for start, end, name in item.gold:
            gold[start:end] = b"\1" * (end - start)
            total.total[name] += 1
            if _is_full(item.text, start, end, ours):
                total.full[name] += 1
            else:
                misses.append((name, item.text[start:end], item.text))
        for position, counts in enumerate(content):
            if counts:
                total.wanted += gold[position]
                total.predicted += ours[position]
                total.hit += gold[position] & ours[position]
    return total, misses


def _mask(text: str, spans: Iterable[tuple[int, int]]) -> bytearray:
    mask = bytearray(len(text))
    for start, end in spans:
        mask[start:end] = b"\1" * (end - start)
    return mask


def _is_full(text: str, start: int, end: int, mask: bytearray) -> bool:
    function = bytearray(len(text))
    for token in tokens_of(text, start, end):
        if token.text.casefold() in PARTICLES:
            function[token.start : token.end] = b"\1" * (token.end - token.start)
    return all(mask[at] or function[at] or not text[at].isalnum() for at in range(start, end))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--misses", type=int, default=0, help="print so many misses of each type (synthetic data only)")
    parser.add_argument("--all-classes", action="store_true")
    arguments = parser.parse_args()
    settings = PrivacySettings()
    detector, bare = build_detector(settings), EntityRecogniser(resolve_model(None, "en"))
    sets = {
        "synth_dataset_v2": read_presidio(arguments.data / "presidio_research" / "synth_dataset_v2.json"),
        "wikigold": read_conll(arguments.data / "wikigold" / "wikigold.conll.txt"),
    }
    result: dict[str, Any] = {"benchmark": "privacy", "model": resolve_model(None, "en"), "sets": {}}
    for name, items in sets.items():
        chosen = items[: arguments.limit]
        texts = [item.text for item in chosen]
        start = time.process_time()
        bare_spans = bare.recognise(texts)
        middle = time.process_time()
        ours = detector.detect(texts)
        end = time.process_time()
        kept = [[span for span in spans if arguments.all_classes or span.cls != "OTHER"] for spans in ours]
        found, misses = score(chosen, kept)
        plain, _ = score(chosen, bare_spans)
        result["sets"][name] = {
            "texts": len(chosen),
            "ours": found.document(),
            "spacy": plain.document(),
            "cpu_seconds": round(end - middle, 2),
            "cpu_seconds_spacy": round(middle - start, 2),
        }
        shown: Counter[str] = Counter()
        for type_, value, text in misses:
            if shown[type_] < arguments.misses:
                shown[type_] += 1
                print(f"{name} {type_}: {value!r} in {text[:160]!r}")
    for name, row in result["sets"].items():
        for system in ("spacy", "ours"):
            figures = row[system]
            print(
                f"{name:18} {system:6} P {figures['char_precision']:.3f} R {figures['char_recall']:.3f} "
                f"F2 {figures['f2']:.3f} full {figures['full']:.3f}"
            )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
