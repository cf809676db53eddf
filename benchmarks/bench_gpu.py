"""What training and prediction do on a GPU: equality, speed, memory, energy, and what happens when memory runs out.

    python benchmarks/bench_gpu.py DATA [--model NAME] [--questions N] [--part NAME]

DATA is the folder with the public data sets. Without a GPU the same parts run on the CPU, as far as they can: give
small numbers then. A part that fails says so and does not end the others. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from training.attention import compare_attention, rows_of
from training.pieces import TRAIN, count, passages
from training.trainers import plain

from kubepipe.energy import Meter
from kubepipe.passages.model import Passage
from kubepipe.settings import TrainingSettings
from kubepipe.settings.model import EnergySettings
from kubepipe.training import PromptEncoder, TrainingResult, fine_tune, resolve_model
from kubepipe.training.hardware import choose_hardware
from kubepipe.training.loading import load_model, load_tokenizer
from kubepipe.training.objective import can_share_contexts, label_logits, tensors
from kubepipe.training.packing import collate
from kubepipe.training.rows import Row

_BUDGETS = (512, 4096, 16_384, 65_536)  # tokens of a step
_PLAIN_BATCH = 64  # questions
_STOP_AFTER = 2  # steps
_MEMORY = 3.0  # GiB that the process is held to when memory is to run out

_HIDDEN = """
from kubepipe.errors import SettingsError
from kubepipe.settings import TrainingSettings
from kubepipe.training.hardware import choose_hardware
print(choose_hardware(TrainingSettings()).device)
try:
    choose_hardware(TrainingSettings(device="cuda"))
except SettingsError as error:
    print(error.one_line())
"""


def main() -> None:
    """Run the parts and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=TrainingSettings().model)
    parser.add_argument("--questions", type=int, default=2000, help="training questions of the speed")
    parser.add_argument("--part", action="append", choices=tuple(_PARTS), default=None, help="only these")
    given = parser.parse_args()
    train = passages(given.data / TRAIN, given.questions)
    found: dict[str, Any] = {"benchmark": "gpu", "device": _device()}
    for name in given.part or _PARTS:
        started = time.monotonic()
        try:
            found[name] = _PARTS[name](given, train)
        except Exception as error:  # noqa: BLE001 - the other parts are worth their time
            traceback.print_exc()
            found[name] = {"failed": f"{type(error).__name__}: {error}"}
        found[name]["part_seconds"] = round(time.monotonic() - started, 1)
        print(f"{name:12} {json.dumps(found[name])}", flush=True)
    print(json.dumps(found))
    if any("failed" in found[name] for name in given.part or _PARTS):
        sys.exit(1)


def _device() -> dict[str, Any]:
    import torch
    import transformers

    has_gpu = torch.cuda.is_available()
    return {
        "name": torch.cuda.get_device_name() if has_gpu else "cpu",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def _selection(_given: argparse.Namespace, _train: Sequence[Passage]) -> dict[str, Any]:
    """Auto takes the GPU; hidden, auto takes the CPU and `cuda` is an error."""
    import os

    seen = choose_hardware(TrainingSettings())
    hidden = subprocess.run(
        [sys.executable, "-c", _HIDDEN],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        check=True,
        capture_output=True,
        text=True,
    )
    device, error = hidden.stdout.strip().splitlines()
    return {"auto": seen.device, "precision": seen.precision, "hidden": device, "hidden_cuda": error}


def _equality(given: argparse.Namespace, train: Sequence[Passage]) -> dict[str, Any]:
    """Largest difference of the logits of packed rows to those of one question per row, in fp32."""
    import torch

    base = resolve_model(given.model, online=False).path
    encoder = PromptEncoder(load_tokenizer(base))
    rows = rows_of(encoder, train[:12])
    hardware = choose_hardware(TrainingSettings(precision="fp32"))
    model = load_model(base, dtype=torch.float32, device=hardware.device)
    singles = [Row(row.prefix, (branch,)) for row in rows for branch in row.branches]
    with torch.no_grad():
        packed = label_logits(model, tensors(collate(rows, pad_token=encoder.end_token), hardware.device))
        apart = torch.cat(
            [
                label_logits(model, tensors(collate([row], pad_token=encoder.end_token), hardware.device, shared=False))
                for row in singles
            ]
        )
    found = {
        "rows": len(rows),
        "questions": len(singles),
        "largest_difference_fp32": float((packed - apart).abs().max()),
        "largest_logit": float(apart.abs().max()),
        "tf32": torch.backends.cuda.matmul.allow_tf32,
    }
    hardware = choose_hardware(TrainingSettings())
    model = load_model(base, dtype=hardware.dtype(), device=hardware.device)
    found["shares_in_auto_precision"] = can_share_contexts(model, rows, hardware, pad_token=encoder.end_token)
    return found


def _speed(given: argparse.Namespace, train: Sequence[Passage]) -> dict[str, Any]:
    """Tokens per second, utilisation, memory and energy of a pass, by the token budget of a step."""
    found: dict[str, Any] = {}
    for budget in _BUDGETS:
        # A small budget takes many steps: fewer questions tell its speed as well.
        some = train if budget > _BUDGETS[0] else train[: max(1, len(train) // 5)]
        with Meter(EnergySettings()) as meter:
            result = _trained(given, some, TrainingSettings(tokens_per_batch=budget, validation_questions=0))
        energy = meter.result()
        found[str(budget)] = {
            **_figures(result),
            "gpu_wh": round(energy.parts.gpu_kwh * 1000, 3),
            "cpu_wh": round(energy.parts.cpu_kwh * 1000, 3),
            "metered_seconds": round(energy.seconds, 2),
            "mean_gpu_watts": round(energy.parts.gpu_kwh * 3_600_000 / energy.seconds, 1),
            "method": energy.method,
        }
        print(f"  budget {budget}: {json.dumps(found[str(budget)])}", flush=True)
    return found


def _plain(given: argparse.Namespace, train: Sequence[Passage]) -> dict[str, Any]:
    """A pass of transformers' Trainer over the same questions, at a batch that fills a GPU as well."""
    with tempfile.TemporaryDirectory() as folder:
        return plain(
            given.model,
            train,
            Path(folder),
            steps=max(1, count(train) // _PLAIN_BATCH),
            pad_to=None,
            only=None,
            seed=0,
        )


def _memory(given: argparse.Namespace, train: Sequence[Passage]) -> dict[str, Any]:
    """The same run with room and without: memory runs out, less is computed at once, the losses stay."""
    import torch

    settings = TrainingSettings(tokens_per_batch=16_384, validation_questions=0, precision="fp32")
    with_room = _trained(given, train[:80], settings)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(_MEMORY * 2**30 / total)
    try:
        without = _trained(given, train[:80], settings)
    finally:
        if torch.cuda.is_available():
            torch.cuda.set_per_process_memory_fraction(1.0)
    pairs = zip(with_room.losses, without.losses, strict=True)
    return {
        "gib": _MEMORY,
        "at_once": [with_room.tokens_at_once, without.tokens_at_once],
        "peak_gpu_bytes": [with_room.peak_gpu_bytes, without.peak_gpu_bytes],
        "gradient_checkpointing": without.gradient_checkpointing,
        "largest_difference_of_losses": max(math.fabs(one.loss - other.loss) for one, other in pairs),
        "losses": [round(entry.loss, 4) for entry in without.losses],
    }


def _attention(given: argparse.Namespace, train: Sequence[Passage]) -> dict[str, Any]:
    """Time of the attention alone, by SDPA and by FlexAttention."""
    return compare_attention(resolve_model(given.model, online=False).path, train)


def _resume(given: argparse.Namespace, train: Sequence[Passage]) -> dict[str, Any]:
    """A run that is stopped by SIGTERM and goes on, beside one that is not."""
    import os
    import signal

    from kubepipe.errors import TrainingError
    from kubepipe.training import Progress

    settings = TrainingSettings(tokens_per_batch=1024, validation_questions=0)

    def stop(progress: Progress) -> None:
        if progress.step == _STOP_AFTER:
            os.kill(os.getpid(), signal.SIGTERM)

    whole = _trained(given, train[:40], settings)
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Path(folder)
        try:
            _trained(given, train[:40], settings, progress=stop, checkpoints=checkpoints)
        except TrainingError as error:
            said = error.one_line()
        resumed = _trained(given, train[:40], settings, checkpoints=checkpoints)
    return {
        "said": said,
        "resumed_from_step": resumed.resumed_from_step,
        "same_losses": [e.loss for e in whole.losses] == [e.loss for e in resumed.losses],
        "same_weights": whole.model_digest == resumed.model_digest,
        "last_losses": [whole.losses[-1].loss, resumed.losses[-1].loss],
    }


def _trained(
    given: argparse.Namespace,
    train: Sequence[Passage],
    settings: TrainingSettings,
    *,
    progress: Callable[[Any], None] = lambda _: None,
    checkpoints: Path | None = None,
) -> TrainingResult:
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    model = resolve_model(given.model, online=False)
    with tempfile.TemporaryDirectory() as folder:
        return fine_tune(
            model, train, [], settings, seed=0, out=Path(folder) / "out", progress=progress, checkpoint_dir=checkpoints
        )


def _figures(result: TrainingResult) -> dict[str, Any]:
    document = result.document()
    names = ("questions", "steps", "tokens", "seconds", "tokens_per_second", "padding_share", "flops_utilisation")
    names += ("peak_gpu_bytes", "tokens_at_once", "tokens_saved_factor", "product_flops_per_second", "training_flops")
    names += ("precision", "cpu_seconds")
    chosen = {name: document[name] for name in names}
    return {**chosen, "first_loss": result.losses[0].loss, "last_loss": result.losses[-1].loss}


_PARTS: dict[str, Callable[[argparse.Namespace, Sequence[Passage]], dict[str, Any]]] = {
    "selection": _selection,
    "equality": _equality,
    "speed": _speed,
    "plain": _plain,
    "memory": _memory,
    "attention": _attention,
    "resume": _resume,
}

if __name__ == "__main__":
    main()
