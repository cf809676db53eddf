"""Chaos: objects arrive while everything on their way is killed at random, and each version gets one effective run.

For each seed: objects are put and some of them overwritten, and meanwhile event source, sensor, event bus, controller,
KFP's api server and MinIO are killed in an order that the seed draws. At the end the versions in the bucket are
compared with the DatasetRuns, and the runs with the fences and records. A stub graph of one light step stands in for
the pipeline (events/stub.py).

    bench_chaos.py NAMESPACE [--seeds 20] [--objects 20] [--large 200]

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "events"))

from release import COMPONENTS, Bench

from kubepipe.records.claim import claimed_names
from kubepipe.storage.s3 import S3Store
from kubepipe_events.status import ENDED

_OVERWRITTEN = 0.3
_PATIENCE = 600.0  # seconds without an end of a run
# A PUT whose answer a kill swallowed is sent again, so the same bytes come as two versions: here both are to be run.
_CONFIG = {
    "rules": [{"identical": "run"}],
    "sweep": {"intervalSeconds": 20},
    "retry": {"attempts": 5, "backoffSeconds": 5, "backoffFactor": 1.5, "maxSeconds": 30},
}


@dataclass
class Result:
    """What one seed came to."""

    seed: int
    versions: int
    kills: dict[str, int]
    datasetruns: int
    succeeded: int
    missing: int
    surplus: int
    effective: int
    twice: int
    runs: int
    seconds: float

    @property
    def holds(self) -> bool:
        """Every version has one terminal DatasetRun and one effective run."""
        return (
            self.missing == self.surplus == self.twice == 0
            and self.versions == self.datasetruns == self.succeeded == self.effective
        )


class Killer(threading.Thread):
    """Kills parts at random until told to stop."""

    def __init__(self, bench: Bench, dice: random.Random) -> None:
        super().__init__(daemon=True)
        self.bench, self.dice = bench, dice
        self.over = threading.Event()
        self.kills: Counter[str] = Counter()

    def run(self) -> None:
        """Kill one part, wait, kill the next."""
        while not self.over.wait(self.dice.uniform(1.0, 4.0)):
            part = self.dice.choice(sorted(COMPONENTS))
            with suppress(Exception):
                self.kills[part] += self.bench.kill(part)


def play(bench: Bench, seed: int, objects: int) -> Result:
    """One seed."""
    dice, began = random.Random(seed), time.monotonic()  # noqa: S311 - a seeded dice, not a secret
    prefix = f"chaos-{seed}-{objects}-{int(time.time())}/"
    killer = Killer(Bench(bench.namespace), random.Random(seed + 1_000_000))  # noqa: S311
    killer.start()
    for number in range(objects):
        key = f"{prefix}{number} ü+%.jsonl"
        bench.put(key, f"{seed} {number} {dice.random()}".encode())
        if dice.random() < _OVERWRITTEN:
            bench.put(key, f"{seed} {number} again {dice.random()}".encode())
        time.sleep(dice.uniform(0.0, 1.0))
    killer.over.set()
    killer.join()
    versions = {source.name for source in bench.versions(prefix)}
    found = _settle(bench, prefix, versions)
    return _judge(bench, seed, versions, found, killer.kills, time.monotonic() - began)


def _settle(bench: Bench, prefix: str, versions: set[str]) -> dict[str, str]:
    """Wait until every version has ended, or none has for long; phases by name."""
    moved, ended, phases = time.monotonic(), 0, {}
    while time.monotonic() - moved < _PATIENCE:
        with suppress(Exception):
            phases = {
                each.name: each.status.get("phase", "")
                for each in bench.runs.list()
                if each.spec["source"]["key"].startswith(prefix)
            }
            if versions <= set(phases) and all(phase in ENDED for phase in phases.values()):
                break
            if (now := sum(phase in ENDED for phase in phases.values())) > ended:
                moved, ended = time.monotonic(), now
        time.sleep(2)
    return phases


def _judge(
    bench: Bench, seed: int, versions: set[str], phases: dict[str, str], kills: Counter[str], seconds: float
) -> Result:
    def effective(store: object) -> tuple[int, int, int]:
        records = S3Store(bench.release.overlay["steps"]["prepare-data"]["env"]["KUBEPIPE_STORE"][5:], "", store)
        assert versions <= set(claimed_names(records))
        published = Counter()
        submitted = 0
        for name in versions:
            for key in records.keys(f"claims/{name}/"):
                owner = (records.read(key) or b"").decode()
                published[name] += records.read(f"runs/{owner}/publish-model.json") is not None
            submitted += sum(len(bench.kfp().runs_named(f"{name}-{attempt}")) for attempt in (1, 2, 3))
        return (
            sum(count >= 1 for count in published.values()),
            sum(count > 1 for count in published.values()),
            submitted,
        )

    ran, twice, submitted = bench.patiently(effective)
    return Result(
        seed=seed,
        versions=len(versions),
        kills=dict(kills),
        datasetruns=len(phases),
        succeeded=sum(phase == "Succeeded" for phase in phases.values()),
        missing=len(versions - set(phases)),
        surplus=len(set(phases) - versions),
        effective=ran,
        twice=twice,
        runs=submitted,
        seconds=round(seconds, 1),
    )


def main() -> int:
    """Play all seeds, print the table; 1 when something does not hold."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("namespace")
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--first", type=int, default=1)
    options.add_argument("--objects", type=int, default=20)
    options.add_argument("--large", type=int, default=200)
    options.add_argument("--concurrent", type=int, default=8, help="runs at the same time")
    given = options.parse_args()
    config = {**_CONFIG, "limits": {"concurrentRuns": given.concurrent}}
    bench, results = Bench(given.namespace), []
    plays = [(seed, given.objects) for seed in range(given.first, given.first + given.seeds)]
    plays += [(1000, given.large)] if given.large else []
    print("seed objects versions datasetruns succeeded effective twice runs kills seconds", flush=True)
    with bench.configured(config):
        for seed, objects in plays:
            result = play(bench, seed, objects)
            results.append(result)
            print(
                seed, objects, result.versions, result.datasetruns, result.succeeded, result.effective, result.twice,
                result.runs, sum(result.kills.values()), result.seconds, "ok" if result.holds else "BROKEN", flush=True,
            )  # fmt: skip
    print(json.dumps({"holds": all(each.holds for each in results), "seeds": [asdict(each) for each in results]}))
    return 0 if all(each.holds for each in results) else 1


if __name__ == "__main__":
    sys.exit(main())
