"""What protection costs: ours against the bare recogniser and against Presidio, on the rows of SQuAD dev v1.1."""

from __future__ import annotations

import json
import resource
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from kubepipe.passages import Passage, read_source
from kubepipe.privacy import Pseudonymiser, build_detector
from kubepipe.privacy.detect.models import resolve_model
from kubepipe.privacy.pseudonymise.fields import join
from kubepipe.settings.model import DatasetSettings
from kubepipe.settings.privacy import PrivacySettings

_PLACE = "squad/dev-v1.1.rebuilt.json"
_KEY = bytes(range(32))
_WALL_PASSAGES = 1000
_PROTECTED_PASSAGES = 10_000
_MOST_PASSAGES_BESIDE_PEOPLE = 1000


def measure_speed(data: Path, presidio: Path | None, peer: Path, rows: int) -> dict[str, Any]:
    """CPU seconds and rows per CPU second; a row is a question with its context and answers, as peers are given it.

    Args:
        data: Folder of the public data sets.
        presidio: Interpreter that has Presidio; None leaves it out.
        peer: Script that it runs.
        rows: Rows that are measured, whole passages, evenly spaced over the file.
    """
    if not (data / _PLACE).is_file():
        return {"speed": None}
    every = _squad(data)
    total = sum(len(passage.questions) for passage in every)
    passages = every[:: max(1, total // rows)]
    count = sum(len(passage.questions) for passage in passages)
    policy = PrivacySettings()
    detector, bare = build_detector(policy), _bare_spacy()
    texts = [join(passage).text for passage in passages]
    detector.detect(texts[:8])
    as_rows = [[passage.context, question.text, *{answer.text for answer in question.answers}]
               for passage in passages for question in passage.questions]  # fmt: skip
    found: dict[str, Any] = {"rows": count, "passages": len(passages)}
    found["ner_cpu_seconds"] = _least(lambda: list(bare.pipe(texts)))
    found["detect_cpu_seconds"] = _least(lambda: detector.detect(texts))
    found["ner_ratio"] = round(found["detect_cpu_seconds"] / found["ner_cpu_seconds"], 3)
    engine = Pseudonymiser(policy, _KEY, detector)
    found["protect_cpu_seconds"] = _least(lambda: list(engine.protect(passages)))
    found["detect_by_row_cpu_seconds"] = _least(lambda: [detector.detect(row) for row in as_rows], times=1)
    found["rows_per_cpu_second"] = round(count / found["protect_cpu_seconds"], 1)
    found["context_once_gain"] = round(found["detect_by_row_cpu_seconds"] / found["detect_cpu_seconds"], 2)
    found["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    found["wall_passages"], found["two_processes_wall_ratio"] = _two_processes(policy, every)
    result: dict[str, Any] = {"speed": found, "ner_ratio": found["ner_ratio"], "presidio_ratio": None}
    result["two_processes_wall_ratio"] = found["two_processes_wall_ratio"]
    if presidio is not None:
        seconds = _presidio(presidio, peer, as_rows)
        found["presidio_cpu_seconds"] = round(seconds, 2)
        found["presidio_rows_per_cpu_second"] = round(count / seconds, 1)
        found["detect_presidio_ratio"] = round(seconds / found["detect_cpu_seconds"], 2)
        result["presidio_ratio"] = round(seconds / found["protect_cpu_seconds"], 2)
    return result


def _two_processes(policy: PrivacySettings, every: Sequence[Passage]) -> tuple[int, float]:
    """Passages, and the wall time of protecting them by two processes over that by one, the least of two each."""
    passages = every[:: max(1, len(every) // _WALL_PASSAGES)]
    seconds: dict[int, list[float]] = {1: [], 2: []}
    engines = {number: Pseudonymiser(policy, _KEY, build_detector(policy, processes=number)) for number in seconds}
    for _ in range(2):
        for number, engine in engines.items():
            begin = time.perf_counter()
            deque(engine.protect(passages), maxlen=0)
            seconds[number].append(time.perf_counter() - begin)
    return len(passages), round(min(seconds[2]) / min(seconds[1]), 3)


def growth(data: Path, counts: Sequence[int]) -> Iterator[dict[str, float]]:
    """CPU seconds and memory of protecting more and more passages.

    The passages are SQuAD's over and over, each with an id, a number and a name of its own, so what is kept grows too.
    The first pass reads all of them; the second one keeps nothing and is measured on evenly spaced ones, with all that
    the first one kept. The peak is of the whole process: it holds the model, the file, and what the largest pass so
    far has kept.

    Args:
        data: Folder of the public data sets.
        counts: Passages of each pass, ascending.
    """
    every = _squad(data)
    policy = PrivacySettings()
    engine = Pseudonymiser(policy, _KEY, build_detector(policy))
    deque(engine.protect(every[:1]), maxlen=0)
    for count in counts:
        begin = time.process_time()
        found = engine.survey(_varied(every[number % len(every)], number) for number in range(count))
        read = time.process_time()
        chosen = range(0, count, -(-count // _PROTECTED_PASSAGES))
        varied = (_varied(every[number % len(every)], number) for number in chosen)
        kept = [result.passage is not None for result in engine.protect(varied, corpus_values=found)]
        yield {
            "passages": count,
            "questions": sum(len(every[number % len(every)].questions) for number in range(count)),
            "first_pass_cpu_seconds": round(read - begin, 1),
            "first_pass_ms_per_passage": round(1000 * (read - begin) / count, 2),
            "second_pass_passages": len(chosen),
            "second_pass_ms_per_passage": round(1000 * (time.process_time() - read) / len(chosen), 2),
            "passages_dropped": len(kept) - sum(kept),
            "identifiers_kept": len(found.vault),
            "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def growth_of_people(data: Path, counts: Sequence[int]) -> Iterator[dict[str, float]]:
    """CPU seconds of the second pass over the same passages while the data set has more and more people beside them.

    Each further person stands in one sentence of their own: it is read fast, and what is kept of it is what is kept of
    the person whom `growth` puts into a whole passage.

    Args:
        data: Folder of the public data sets.
        counts: Further people of each pass, ascending.
    """
    every = _squad(data)
    passages = every[:: -(-len(every) // _MOST_PASSAGES_BESIDE_PEOPLE)]
    blank = replace(every[0], context="", questions=())
    policy = PrivacySettings()
    engine = Pseudonymiser(policy, _KEY, build_detector(policy))
    deque(engine.protect(passages[:64]), maxlen=0)
    for count in counts:
        people = (replace(_varied(blank, number), id=f"person-{number}") for number in range(count))
        found = engine.survey(chain(passages, people))
        begin = time.process_time()
        deque(engine.protect(passages, corpus_values=found), maxlen=0)
        yield {
            "further_people": count,
            "identifiers_kept": len(found.vault),
            "second_pass_passages": len(passages),
            "second_pass_ms_per_passage": round(1000 * (time.process_time() - begin) / len(passages), 2),
            "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def _bare_spacy() -> Any:
    """SpaCy as it comes, with nothing but what its entity recogniser needs."""
    import spacy

    others = ["tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer"]
    return spacy.load(resolve_model(None, "en"), exclude=others)


def _squad(data: Path) -> list[Passage]:
    source = read_source(data / _PLACE, DatasetSettings(), seed=0, hold_out=False)
    return [passage for passages in source.splits.values() for passage in passages]


def _varied(passage: Passage, number: int) -> Passage:
    """The passage with a person who stands in no other one."""
    name = "".join(chr(ord("a") + number // 26**place % 26) for place in range(4))
    return replace(passage, id=f"passage-{number}", context=f"{passage.context} Mr Quin{name} wrote on page {number}.")


def _least(work: Callable[[], object], *, times: int = 2) -> float:
    """CPU seconds, the least of some runs: the machine may be shared."""
    seconds = []
    for _ in range(times):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return round(min(seconds), 3)


def _presidio(python: Path, peer: Path, rows: Sequence[Sequence[str]]) -> float:
    lines = "".join(json.dumps({"texts": row}) + "\n" for row in rows)
    done = subprocess.run(
        [python, peer, "rows"], input=lines, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    return float(json.loads(done.stdout.splitlines()[-1])["cpu_seconds"])
