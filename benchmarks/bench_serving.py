"""What serving takes: cold start, memory, questions per second, latency, energy; what load, swap and crash do to it.

    bench_serving.py RUN [--seconds N] [--clients 1 4 16] [--questions N] [--turns N] [--starts N]
    bench_serving.py RUN --against PROGRAM     the same beside `transformers serve`; PROGRAM is that `transformers`
    bench_serving.py RUN --load 600            load with a swap and a rollback in it
    bench_serving.py RUN --crash 60            load with kill -9, and a supervisor that restarts
    bench_serving.py RUN --url URL --load 120  load on a server elsewhere, which somebody swaps or kills meanwhile

RUN is the folder of a finished run that published its model. Questions are those of its protected data set, one a
request unless --questions says more. Both servers get the same model (merged), the same prompts, greedy decoding and at
most 32 tokens, run at the same time and are asked in turns. PROGRAM needs `pip install 'transformers[serving]'`. With
--url the token is taken from KUBEPIPE_SERVING_TOKEN. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "serving"))

from clients import Ask
from publishing import merged, questions_of
from scenes import crash, load, remote
from servers import PATIENT, Ours, Server, Transformers
from throughput import compare


def main() -> None:
    """Measure and print."""
    options = _options()
    run = options.run.absolute()
    asks = questions_of(run, options.questions)
    result: dict[str, Any] = {
        "cores": len(os.sched_getaffinity(0)),
        "machine": platform.machine(),
        "load_before": round(os.getloadavg()[0], 2),
        "different_requests": len(asks),
    }
    clients = max(options.clients)
    if options.url:
        token = os.environ.get("KUBEPIPE_SERVING_TOKEN")
        result["remote"] = remote(options.url, asks, options.load or options.seconds, clients, token)
    elif options.load:
        result["load"] = load(run, asks, options.load, clients)
    elif options.crash:
        result["crash"] = crash(run, asks, options.crash, clients)
    else:
        result |= _compared(run, asks, options)
    print(json.dumps(result | {"load_after": round(os.getloadavg()[0], 2)}))


def _compared(run: Path, asks: Sequence[Ask], options: argparse.Namespace) -> dict[str, Any]:
    servers: dict[str, Server] = {"kubepipe": Ours(run, PATIENT)}
    with tempfile.TemporaryDirectory() as scratch:
        if options.against:
            model = merged(run, Path(scratch) / "merged")
            servers["transformers"] = Transformers(options.against.absolute(), model, *options.against_options.split())
        return compare(servers, asks, options.clients, options.seconds, options.turns, options.starts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0, help="of load by each number of clients")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--questions", type=int, default=1, help="of one request")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--starts", type=int, default=3, help="cold starts, of which the best is told")
    parser.add_argument("--against", type=Path, metavar="PROGRAM", help="the transformers program")
    parser.add_argument("--against-options", default="", metavar="TEXT", help="more options of `transformers serve`")
    parser.add_argument("--load", type=float, metavar="SECONDS")
    parser.add_argument("--crash", type=float, metavar="SECONDS")
    parser.add_argument("--url", help="a server that runs already")
    return parser.parse_args()


if __name__ == "__main__":
    main()
