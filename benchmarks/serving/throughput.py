"""Questions per second, latency, CPU seconds and energy, of several servers in turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

from clients import Ask, Seen, after, drive
from servers import Running, Server, running

WARM_SECONDS = 5.0


def compare(
    servers: Mapping[str, Server],
    asks: Sequence[Ask],
    clients: Sequence[int],
    seconds: float,
    turns: int,
    starts: int,
) -> dict[str, Any]:
    """Measure servers that run at the same time and are asked in turns: what else the machine does hits all alike.

    Args:
        servers: By name; the first is what the others are set against.
        asks: What is asked.
        clients: Numbers of clients.
        seconds: Of load by each number of clients on each server, all turns together.
        turns: How often the servers take turns.
        starts: Cold starts of each server, of which the best is told.
    """
    result: dict[str, Any] = {name: _alone(server, starts) for name, server in servers.items()}
    with ExitStack() as stack:
        started = {name: stack.enter_context(running(server)) for name, server in servers.items()}
        for each in started.values():
            drive(each.server, each.address, asks, 1, after(min(WARM_SECONDS, seconds)))
        for count in clients:
            rows = _turns(started, asks, count, seconds, turns)
            for name, row in rows.items():
                result[name][f"clients_{count}"] = row
            first, *others = rows.values()
            for name, row in zip(list(rows)[1:], others, strict=True):
                result.setdefault(f"{name}_over_first", {})[f"clients_{count}"] = _ratio(row, first)
        for name, each in started.items():
            result[name]["rss_mib_after_load"] = round(each.used().gib * 1024)
    return result


def _alone(server: Server, starts: int) -> dict[str, Any]:
    """Cold start and memory, with no other server beside it."""
    found = []
    for _ in range(starts):
        with running(server) as started:
            found.append((started.ready_seconds, started.first_answer_seconds, started.used().gib))
    ready, first, gib = (min(each) for each in zip(*found, strict=True))
    return {
        "cold_start_to_ready_seconds": round(ready, 1),
        "cold_start_to_first_answer_seconds": round(first, 1),
        "rss_mib_before_load": round(gib * 1024),
    }


def _turns(
    started: Mapping[str, Running], asks: Sequence[Ask], count: int, seconds: float, turns: int
) -> dict[str, dict[str, Any]]:
    seen = {name: Seen() for name in started}
    cpu = dict.fromkeys(started, 0.0)
    wh = dict.fromkeys(started, 0.0)
    for turn in range(turns):
        # Each turn begins elsewhere, so that not the same contexts are asked again and again.
        begin = turn * len(asks) // turns
        rotated = [*asks[begin:], *asks[:begin]]
        for name, each in started.items():
            before = each.used()
            seen[name].add(drive(each.server, each.address, rotated, count, after(seconds / turns)))
            now = each.used()
            cpu[name] += now.cpu_seconds - before.cpu_seconds
            wh[name] += now.wh_since(before)
    rows = {
        name: {
            **found.document(),
            "cpu_seconds_per_question": round(cpu[name] / max(1, found.questions), 3),
            "wh_per_1000_answers": round(1000 * wh[name] / max(1, found.questions), 2),
        }
        for name, found in seen.items()
    }
    for first, second in pairwise(seen):
        rows[second]["same_answers"] = _same(seen[first], seen[second])
    return rows


def _same(one: Seen, other: Seen) -> str:
    both = one.answers.keys() & other.answers.keys()
    return f"{sum(one.answers[key] == other.answers[key] for key in both)} of {len(both)}"


def _ratio(row: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, float]:
    names = ("questions_per_second", "p50_ms", "p95_ms", "cpu_seconds_per_question", "wh_per_1000_answers")
    return {name: round(row[name] / first[name], 2) for name in names if first[name]}
