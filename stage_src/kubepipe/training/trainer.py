"""transformers' Trainer, told to take our steps, our loss and our checkpoints."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kubepipe.settings import TrainingSettings
from kubepipe.training.journal import Journal
from kubepipe.training.rows import Row

if TYPE_CHECKING:
    from kubepipe.training.steps import Work

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
# On a CPU one row is enough work for its caches: more only pads rows and holds memory. A GPU wants many.
_TOKENS_AT_ONCE: Final = {"cpu": 512, "cuda": 16_384}


def make_trainer(
    model: Any, steps: Sequence[list[Row]], work: Work, *, settings: TrainingSettings, seed: int, scratch: Path
) -> Any:
    """A Trainer whose data set is the plan: one item is one optimiser step.

    Args:
        model: With adapters, or whole.
        steps: Rows of each step, in order.
        work: Hardware, processes, journal, checkpoints.
        settings: Learning rate and its kind.
        seed: Of everything random that is left.
        scratch: Folder for Trainer's own needs where no checkpoints are kept.
    """
    from transformers import PrinterCallback, TrainingArguments

    from kubepipe.training.steps import AnswerTrainer, only

    on_cpu = work.hardware.device == "cpu"
    work.journal.tokens_at_once = _TOKENS_AT_ONCE[work.hardware.device]
    arguments = TrainingArguments(
        output_dir=str(work.checkpoints.folder if work.checkpoints else scratch),
        max_steps=len(steps),
        per_device_train_batch_size=1,
        train_sampling_strategy="sequential",
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=math.ceil(settings.warmup_share * len(steps)),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        optim="adamw_torch",
        seed=seed,
        use_cpu=on_cpu,
        # A forward pass must not wait for the others: each process may have another number of batches in a step.
        ddp_broadcast_buffers=False,
        ddp_backend="gloo" if on_cpu and work.team.size > 1 else None,
        remove_unused_columns=False,
        logging_strategy="no",
        save_strategy="no",
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=not on_cpu,
    )
    if arguments.n_gpu > 1:
        # Several GPUs are for torchrun: replicas inside one process would tear the rows of a batch apart.
        arguments._n_gpu = 1  # noqa: SLF001 - there is no public way
    trainer = AnswerTrainer(work, model=model, args=arguments, train_dataset=list(steps), data_collator=only)
    trainer.remove_callback(PrinterCallback)
    return trainer


@contextmanager
def stop_on_signal(journal: Journal) -> Iterator[None]:
    """While it lasts, SIGTERM and SIGINT end training after the running step instead of at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: Any) -> None:
        journal.interrupted = True

    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
