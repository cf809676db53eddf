"""How much personal data is found and what it costs: ours, the bare spaCy recogniser, and Presidio.

    make bench-privacy DATA=FOLDER [PRESIDIO=PYTHON]
    make bench-privacy-growth DATA=FOLDER [PASSAGES="1000 10000 100000"] [PEOPLE="0 200000"]
    python benchmarks/bench_privacy.py DATA [--presidio PYTHON] [--limit N] [--rows N] [--misses N] [--write FILE]

DATA is the folder with the public data sets; a set that is not there is left out, and said so. PYTHON is an interpreter
that has Presidio (see benchmarks/privacy/presidio_peer.py). The measure is label-agnostic: which *characters* (letters
and digits) of labelled spans any span covers, and which labelled spans are covered *in full*, every word of theirs but
function words. `ours` are all spans of `kubepipe detect`; `replaced` are those that the default policy replaces.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from privacy.labelled import Labelled
from privacy.scores import score
from privacy.sets import SETS
from privacy.speed import growth, growth_of_people, measure_speed
from privacy.tables import write_growth, write_tables

from kubepipe.errors import ModelNotFoundError
from kubepipe.privacy import Detector, build_detector
from kubepipe.privacy.detect.models import resolve_model
from kubepipe.privacy.detect.ner import EntityRecogniser
from kubepipe.settings.privacy import PrivacySettings

_PEER = Path(__file__).parent / "privacy" / "presidio_peer.py"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--presidio", type=Path, default=None, help="interpreter that has Presidio")
    parser.add_argument("--limit", type=int, default=None, help="texts of each set")
    parser.add_argument(
        "--rows", type=int, default=400, help="rows of SQuAD that Presidio reads for the speed; 0: none"
    )
    parser.add_argument("--misses", type=int, default=0, help="print so many misses of each type (synthetic data only)")
    parser.add_argument("--write", type=Path, default=None, help="Markdown file whose generated tables are renewed")
    parser.add_argument("--growth", type=int, nargs="+", default=[], help="only this: read so many passages, ascending")
    parser.add_argument(
        "--people", type=int, nargs="+", default=[], help="only this: protect beside so many further people, ascending"
    )
    arguments = parser.parse_args()
    if arguments.growth or arguments.people:
        measure_growth(arguments.data, arguments.growth, arguments.people, arguments.write)
        return
    result: dict[str, Any] = {"benchmark": "privacy", "sets": {}, "left_out": {}}
    for name, language, place, read in SETS:
        path = arguments.data / place
        if not path.is_file():
            result["left_out"][name] = "no such file"
            continue
        try:
            row = measure_set(read(path)[: arguments.limit], language, arguments.presidio, arguments.misses)
        except ModelNotFoundError as error:
            result["left_out"][name] = error.one_line()
            continue
        result["sets"][name] = row
        for system, figures in row["systems"].items():
            print(
                f"{name:18} {system:9} P {figures['char_precision']:.3f} R {figures['char_recall']:.3f} "
                f"F2 {figures['f2']:.3f} full {figures['full']:.3f} direct {figures['direct_identifiers']['full']}"
            )
    if arguments.rows:
        result |= measure_speed(arguments.data, arguments.presidio, _PEER, arguments.rows)
    for name, reason in result["left_out"].items():
        print(f"left out: {name}: {reason}")
    if arguments.write is not None:
        write_tables(arguments.write, result)
    print(json.dumps(result, sort_keys=True))


def measure_growth(data: Path, passages: Sequence[int], people: Sequence[int], write: Path | None) -> None:
    """Print and write how time and memory grow with the passages, and with what is kept of further people."""
    result: dict[str, Any] = {"benchmark": "privacy-growth"}
    for name, measure, counts in (("growth", growth, passages), ("people", growth_of_people, people)):
        if not counts:
            continue
        result[name] = []
        for step in measure(data, sorted(counts)):
            print(json.dumps(step), flush=True)
            result[name].append(step)
        if write is not None:
            write_growth(write, name, result[name])
    print(json.dumps(result))


def measure_set(items: Sequence[Labelled], language: str, presidio: Path | None, shown: int) -> dict[str, Any]:
    """Scores of all systems on one set, and the CPU seconds of ours and of the bare recogniser."""
    texts = [item.text for item in items]
    policy = PrivacySettings(language=language)
    detector, bare = _systems(policy)
    detector.detect(texts[:1])
    start = time.process_time()
    bare_spans = bare.recognise(texts)
    middle = time.process_time()
    ours = detector.detect(texts)
    end = time.process_time()
    predictions = {
        "spacy": [[(span.start, span.end) for span in spans] for spans in bare_spans],
        "ours": [[(span.start, span.end) for span in spans] for spans in ours],
        "replaced": [[(span.start, span.end) for span in spans if span.cls in policy.classes] for spans in ours],
    }
    if presidio is not None and language == "en":
        predictions["presidio"] = _presidio(presidio, texts)
    scored = {name: score(items, spans) for name, spans in predictions.items()}
    counts: Counter[str] = Counter()
    for type_, value, text in scored["ours"][1]:
        counts[type_] += 1
        if counts[type_] <= shown:
            print(f"{type_}: {value!r} in {text[:160]!r}")
    return {
        "language": language,
        "model": bare.model,
        "texts": len(texts),
        "systems": {name: found.document() for name, (found, _) in scored.items()},
        "cpu_seconds": round(end - middle, 2),
        "cpu_seconds_spacy": round(middle - start, 2),
    }


def _systems(policy: PrivacySettings) -> tuple[Detector, EntityRecogniser]:
    return build_detector(policy), EntityRecogniser(resolve_model(policy.spacy_model, policy.language))


def _presidio(python: Path, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    done = subprocess.run(
        [python, _PEER, "spans"], input=lines, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    *rows, _ = done.stdout.splitlines()
    return [[(start, end) for start, end in json.loads(row)["spans"]] for row in rows]


if __name__ == "__main__":
    main()
