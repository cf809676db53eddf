"""The generated tables of docs/privacy-quality.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


def write_tables(file: Path, result: Mapping[str, Any]) -> None:
    """Put the tables between the two marks of a Markdown file."""
    _renew(file, "measured", [*_sets(result["sets"]), *_types(result["sets"]), *_speed(result.get("speed"))])


def write_growth(file: Path, name: str, steps: Sequence[Mapping[str, Any]]) -> None:
    """A table of growth, between the marks of that name."""
    header = list(steps[0])
    rows = [[column.replace("_", " ") for column in header], ["---:"] * len(header)]
    rows += [[str(step[column]) for column in header] for step in steps]
    _renew(file, name, ["", *(f"| {' | '.join(row)} |" for row in rows), ""])


def write_utility(file: Path, result: Mapping[str, Any]) -> None:
    """The table of utility, between marks of its own."""
    _renew(file, "utility", ["", *_utility(result), ""])


def _renew(file: Path, name: str, lines: Iterable[str]) -> None:
    text = file.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in text or end not in text:
        raise SystemExit(f"{file} has no marks {begin} and {end}")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    body = "\n".join(lines)
    file.write_text(f"{head}{begin}\n{body}\n{end}{tail}", encoding="utf-8")


def _utility(result: Mapping[str, Any]) -> Iterator[str]:
    yield "| comparison | score | before | after | difference (95 %) |"
    yield "| --- | --- | ---: | ---: | --- |"
    labels = {
        "asked": f"one model asked {result['questions']} questions, original against pseudonymised",
        "trained": f"tuned on {result.get('train_questions')} questions, original against pseudonymised; both asked "
        "the original ones",
    }
    for name, label in labels.items():
        pair = result.get(name)
        for score in ("exact_match", "f1") if pair else ():
            low, high = pair["difference"]["intervals"][score]
            yield (
                f"| {label} | {score.replace('_', ' ')} | {pair['before'][score]:.2f} | {pair['after'][score]:.2f} | "
                f"{pair['difference'][score]:+.2f} ({low:+.2f} to {high:+.2f}) |"
            )


def _sets(sets: Mapping[str, Any]) -> Iterator[str]:
    yield "\n| set | language | spans | system | char precision | char recall | F2 | full (95 %) | direct identifiers |"
    yield "| --- | --- | ---: | --- | ---: | ---: | ---: | --- | ---: |"
    for name, row in sets.items():
        for system, figures in row["systems"].items():
            low, high = figures["full_interval"]
            direct = figures["direct_identifiers"]
            share = "" if direct["full"] is None else f"{direct['full']:.3f} of {direct['spans']}"
            yield (
                f"| {name} | {row['language']} | {figures['spans']} | {system} | {figures['char_precision']:.3f} | "
                f"{figures['char_recall']:.3f} | {figures['f2']:.3f} | "
                f"{figures['full']:.3f} ({low:.3f} to {high:.3f}) | {share} |"
            )


def _types(sets: Mapping[str, Any]) -> Iterator[str]:
    for name, row in sets.items():
        systems = list(row["systems"])
        yield f"\nBy type, share of spans covered in full: {name} ({row['texts']} texts, model {row['model']})\n"
        yield f"| type | spans | {' | '.join(systems)} |"
        yield f"| --- | ---: | {' | '.join('---:' for _ in systems)} |"
        for type_, figures in row["systems"]["ours"]["by_type"].items():
            shares = " | ".join(f"{row['systems'][system]['by_type'][type_]['full']:.3f}" for system in systems)
            yield f"| {type_} | {figures['spans']} | {shares} |"
        identities = row["systems"]["ours"]["every_mention"]["identities"]
        if identities:
            whole = [figures["every_mention"] for figures in row["systems"].values()]
            shares = " | ".join(
                f"{each['full']:.3f} ({each['interval'][0]:.3f} to {each['interval'][1]:.3f})" for each in whole
            )
            yield f"| *every mention of a person or number* | {identities} | {shares} |"


def _speed(speed: Mapping[str, Any] | None) -> Iterator[str]:
    if speed is None:
        return
    yield f"\nCost on SQuAD dev v1.1 ({speed['rows']} rows of {speed['passages']} passages)\n"
    yield "| figure | value |"
    yield "| --- | ---: |"
    for name, value in speed.items():
        yield f"| {name.replace('_', ' ')} | {value} |"
