"""Both ways to train: context once, and transformers' Trainer with a question a row."""

from __future__ import annotations

import math
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.pieces import SETTINGS, count, timed

from kubepipe.passages.model import Passage
from kubepipe.training import PromptEncoder, fine_tune, resolve_model
from kubepipe.training.hardware import choose_hardware
from kubepipe.training.loading import add_adapters, load_model, load_tokenizer
from kubepipe.training.rows import Row, encode


def ours(model: str, train: Sequence[Passage], out: Path, *, seed: int) -> dict[str, Any]:
    """`fine_tune` with the default settings, one pass."""
    base = resolve_model(model, online=False)
    result = fine_tune(base, train, [], SETTINGS, seed=seed, out=out, progress=lambda _: None)
    document = result.document()
    names = ("cpu_seconds", "seconds", "steps", "tokens", "padding_share", "label_share", "tokens_saved_factor")
    names += ("peak_rss_bytes", "device", "precision", "threads", "packing")
    return {**{name: document[name] for name in names}, "first_loss": result.losses[0].loss}


def plain(
    model: str, train: Sequence[Passage], out: Path, *, steps: int, pad_to: int | None, only: int | None, seed: int
) -> dict[str, Any]:
    """Transformers' Trainer: a question a row, random batches, the model's own loss over the whole vocabulary.

    Args:
        model: Name of the base model.
        train: The same questions as ours.
        out: Where base and adapter come to lie.
        steps: Optimiser steps of our run; the size of a batch is chosen so that theirs takes as many.
        pad_to: Length of every row; None pads to the longest row of a batch.
        only: Steps that are done; the seconds are then those of all steps in proportion. None does them all.
        seed: Of adapters and order.
    """
    from transformers import Trainer, TrainingArguments, set_seed

    base = resolve_model(model, online=False).path
    hardware = choose_hardware(SETTINGS)
    encoder = PromptEncoder(load_tokenizer(base))
    rows = encode(train, encoder, max_context=1024, max_row=1024, model_window=8192, max_branches=1).rows
    items = [_item(row) for row in rows]
    sizes: list[int] = []
    padded: list[int] = []

    def collated(some: list[dict[str, list[int]]]) -> dict[str, Any]:
        batch = _padded(some, encoder.end_token, pad_to)
        sizes.append(sum(len(item["input_ids"]) for item in some))
        padded.append(batch["input_ids"].numel())
        return batch

    batch = max(1, round(count(train) / steps))
    whole = math.ceil(len(items) / batch)
    arguments = TrainingArguments(
        output_dir=str(out / "trainer"),
        max_steps=only or -1,
        num_train_epochs=SETTINGS.epochs,
        per_device_train_batch_size=batch,
        learning_rate=SETTINGS.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=SETTINGS.warmup_share,
        bf16=hardware.precision == "bf16",
        use_cpu=hardware.device == "cpu",
        seed=seed,
        remove_unused_columns=False,
        report_to=[],
        save_strategy="no",
        logging_strategy="steps",
        logging_steps=1,
        disable_tqdm=True,
    )
    network = load_model(base, dtype=hardware.dtype(), device=hardware.device)
    # As `fine_tune` does, so that both start from the same adapters.
    set_seed(seed)
    adapted = add_adapters(network, SETTINGS, base_name="plain")
    trainer = Trainer(model=adapted, args=arguments, train_dataset=items, data_collator=collated)
    done, cpu_seconds = timed(trainer.train)
    if not only:
        adapted.save_pretrained(out / "adapter", save_embedding_layers=False)
        (out / "base").mkdir()
        for file in base.iterdir():
            shutil.copyfile(file, out / "base" / file.name)
    seen = sum(sizes)
    return {
        "cpu_seconds": round(cpu_seconds * whole / done.global_step, 3),
        "seconds": round(done.metrics["train_runtime"] * whole / done.global_step, 3),
        "steps": whole,
        "steps_done": done.global_step,
        "batch": batch,
        "tokens": sum(len(item["input_ids"]) for item in items),
        "padding_share": round(1 - seen / sum(padded), 4),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "device": hardware.device,
        "first_loss": trainer.state.log_history[0]["loss"],
    }


def _item(row: Row) -> dict[str, list[int]]:
    branch = row.branches[0]
    ids = [*row.prefix, *branch.prompt, *branch.answer]
    return {"input_ids": ids, "labels": [-100] * (len(ids) - len(branch.answer)) + list(branch.answer)}


def _padded(some: list[dict[str, list[int]]], filler: int, pad_to: int | None) -> dict[str, Any]:
    import torch

    length = max(pad_to or 0, *(len(item["input_ids"]) for item in some))
    sizes = [len(item["input_ids"]) for item in some]
    return {
        "input_ids": torch.tensor([item["input_ids"] + [filler] * (length - len(item["input_ids"])) for item in some]),
        "labels": torch.tensor([item["labels"] + [-100] * (length - len(item["labels"])) for item in some]),
        "attention_mask": torch.tensor([[1] * size + [0] * (length - size) for size in sizes]),
    }
