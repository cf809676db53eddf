"""The generated tables of docs/privacy-quality.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def write_tables(file: Path, result: Mapping[str, Any]) -> None:
    """Put the tables between the two marks of a Markdown file."""
    text = file.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    body = "\n".join([*_sets(result["sets"]), *_types(result["sets"]), *_speed(result.get("speed"))])
    file.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}", encoding="utf-8")


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


def _speed(speed: Mapping[str, Any] | None) -> Iterator[str]:
    if speed is None:
        return
    yield f"\nCost on SQuAD dev v1.1 ({speed['rows']} rows of {speed['passages']} passages)\n"
    yield "| figure | value |"
    yield "| --- | ---: |"
    for name, value in speed.items():
        yield f"| {name.replace('_', ' ')} | {value} |"
