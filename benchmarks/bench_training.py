"""Training, prediction and scoring against the usual ways: same model, data, start, steps and machine.

    make bench-training DATA=FOLDER [SQUAD_METRIC=FOLDER] [ARGS='--questions 40 --answers 24']
    python benchmarks/bench_training.py DATA [--metric FOLDER] [--questions N] [--answers N] [--work FOLDER]

DATA is the folder with the public data sets (squad/train-v1.1.partial.json is trained on, squad/dev-v1.1.rebuilt.json
asked). FOLDER of --metric holds squad.py and compute_score.py of the `evaluate` repository's metrics/squad; without it
scoring is left out, and said so. CPU seconds are compared, not wall time: on a shared machine only they mean something.
Each part runs in a process of its own; `--work` keeps what they made, and a part whose figures lie there is not run
again. The last line is one JSON object; a `..._ratio` is theirs / ours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from training.pieces import DEV, TRAIN, passages

from kubepipe.settings import TrainingSettings
from kubepipe.training.hardware import choose_hardware
from training import answers, prediction, scoring, trainers

_PARTS = ("ours", "plain", "padded", "answers", "predict", "predict_fp32", "scoring")
_PAD_TO = 384  # tokens; the usual length of SQuAD examples
_PREDICTIONS = "squad/predictions"
_BUDGET = 5_000_000_000  # bytes of memory


def main() -> None:
    """Run all parts and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=TrainingSettings().model)
    parser.add_argument("--questions", type=int, default=400, help="training questions")
    parser.add_argument("--answers", type=int, default=400, help="held-out questions that are scored")
    parser.add_argument("--asked", type=int, default=200, help="of them, questions whose answering is timed")
    parser.add_argument("--metric", type=Path, default=None, help="folder with evaluate's metrics/squad")
    parser.add_argument(
        "--steps", type=int, default=None, help="steps of the peers; their time is then in proportion, not their scores"
    )
    parser.add_argument("--seed", type=int, default=0, help="of adapters and order, on both sides")
    parser.add_argument("--work", type=Path, default=None, help="folder that is kept")
    parser.add_argument("--part", choices=_PARTS, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part is not None:
        (given.work / f"{given.part}.json").write_text(json.dumps(_run(given.part, given)), encoding="utf-8")
        return
    with tempfile.TemporaryDirectory() as scratch:
        given.work = given.work or Path(scratch)
        given.work.mkdir(parents=True, exist_ok=True)
        found = {part: _in_process(part, given) for part in _PARTS if part != "scoring" or given.metric}
        if given.metric is None:
            print("left out: scoring: --metric names no folder with evaluate's squad")
        print(json.dumps(_figures(found), sort_keys=True))


def _in_process(part: str, given: argparse.Namespace) -> dict[str, Any]:
    file = given.work / f"{part}.json"
    if not file.is_file():
        options = ["--model", given.model, "--questions", given.questions, "--answers", given.answers]
        options += ["--asked", given.asked, "--seed", given.seed, "--work", given.work, "--part", part]
        options += ["--metric", given.metric] if given.metric else []
        options += ["--steps", given.steps] if given.steps else []
        subprocess.run([sys.executable, __file__, str(given.data), *map(str, options)], check=True)
    figures: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    print(f"{part:12} {json.dumps(figures)}", flush=True)
    return figures


def _run(part: str, given: argparse.Namespace) -> dict[str, Any]:
    data, work = given.data, given.work
    if part == "scoring":
        file = min((data / _PREDICTIONS).glob("*1.1*"))
        return scoring.compare(file, passages(data / DEV), given.metric)
    if part == "ours":
        return trainers.ours(given.model, passages(data / TRAIN, given.questions), work / "ours", seed=given.seed)
    if part in {"plain", "padded"}:
        steps = json.loads((work / "ours.json").read_text(encoding="utf-8"))["steps"]
        pad_to = _PAD_TO if part == "padded" else None
        train = passages(data / TRAIN, given.questions)
        return trainers.plain(
            given.model, train, work / part, steps=steps, pad_to=pad_to, only=given.steps, seed=given.seed
        )
    if part == "answers":
        return _answers(given)
    if part == "predict_fp32" and choose_hardware(TrainingSettings()).precision == "fp32":
        # What auto takes here has been measured.
        measured: dict[str, Any] = json.loads((work / "predict.json").read_text(encoding="utf-8"))
        return measured
    precision = "fp32" if part == "predict_fp32" else "auto"
    return prediction.compare(work / "ours", passages(data / DEV, given.asked), precision)


def _answers(given: argparse.Namespace) -> dict[str, Any]:
    held_out = passages(given.data / DEV, given.answers)
    shots = passages(given.data / TRAIN, given.questions)[:3]
    # Peers that did not do all their steps have nothing to answer with.
    peers = [name for name in ("plain", "padded") if (given.work / name / "adapter").is_dir()]
    found = {name: answers.tuned(given.work / name, held_out) for name in ("ours", *peers)}
    found["untuned"] = answers.untuned(given.model, held_out)
    found["three_shot"] = answers.few_shot(given.model, shots, held_out)
    return answers.quality(found, held_out)


def _figures(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    ours = found["ours"]
    peak = ours["peak_rss_bytes"]
    # A graphics processor's work is no CPU time.
    clock = "cpu_seconds" if ours["device"] == "cpu" else "seconds"
    return {
        "benchmark": "training",
        "train_ratio": round(found["plain"][clock] / ours[clock], 3),
        "pad384_ratio": round(found["padded"][clock] / ours[clock], 3),
        "predict_ratio": found["predict"]["ratio"],
        "predict_fp32_ratio": found["predict_fp32"]["ratio"],
        "same_answers": f"{found['predict']['same_answers']}/{found['predict']['answers']}",
        "same_answers_fp32": f"{found['predict_fp32']['same_answers']}/{found['predict_fp32']['answers']}",
        "scoring_ratio": found["scoring"]["ratio"] if "scoring" in found else None,
        "scoring_identical": found["scoring"]["identical"] if "scoring" in found else None,
        "peak_rss_bytes": peak,
        "peak_rss_under_5_gb": peak < _BUDGET,
        **{
            f"{side}_{name}": value
            for side, figures in found["answers"].items()
            for name, value in figures.items()
            if name in {"exact_match", "f1"}
        },
        "parts": found,
    }


if __name__ == "__main__":
    main()
