"""transformers' Trainer, told to take our steps, our loss and our checkpoints."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import TrainingError
from kubepipe.settings import TrainingSettings
from kubepipe.training.checkpoints import discard_checkpoints, seal_checkpoint
from kubepipe.training.hardware import Hardware
from kubepipe.training.objective import answer_loss, arithmetic, tensors
from kubepipe.training.packing import collate
from kubepipe.training.plan import micro_batches
from kubepipe.training.result import Progress, StepLoss
from kubepipe.training.rows import Row

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
# On a CPU one row is enough work for its caches: more only pads rows and holds memory. A GPU wants many.
_TOKENS_AT_ONCE: Final = {"cpu": 512, "cuda": 16_384}
_LEAST_TOKENS_AT_ONCE: Final = 256


@dataclass
class Journal:
    """What happened in the steps so far, over all processes of a resumed run.

    Attributes:
        planned: Steps in all.
        steps_per_epoch: Steps of one pass.
        losses: One entry per step done.
        interrupted: Whether the process was asked to stop.
    """

    planned: int
    steps_per_epoch: float
    losses: list[StepLoss] = field(default_factory=list)
    interrupted: bool = False
    tokens: int = 0
    started: float = field(default_factory=time.monotonic)
    seconds_before: float = 0.0

    def add(self, *, loss: float, learning_rate: float) -> Progress:
        """Note a step and say how far training is."""
        step = len(self.losses) + 1
        epoch = step / self.steps_per_epoch
        here = time.monotonic() - self.started
        self.losses.append(StepLoss(step, loss, learning_rate, round(epoch, 4), round(self.seconds_before + here, 3)))
        return Progress(step, self.planned, loss, epoch, self.tokens / here if here else 0.0)


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where, how often and under which name checkpoints are kept."""

    folder: Path
    fingerprint: str
    every_seconds: float


def make_trainer(
    model: Any,
    steps: Sequence[list[Row]],
    *,
    settings: TrainingSettings,
    hardware: Hardware,
    seed: int,
    pad_token: int,
    shared: bool,
    journal: Journal,
    checkpoints: Checkpoints | None,
    progress: Callable[[Progress], None],
    scratch: Path,
) -> Any:
    """A Trainer whose data set is the plan: one item is one optimiser step.

    Args:
        model: With adapters, or whole.
        steps: Rows of each step, in order.
        settings: Learning rate and its kind.
        hardware: Device and precision.
        seed: Of everything random that is left.
        pad_token: Filler of padded rows.
        shared: Whether rows share contexts.
        journal: Filled while it runs.
        checkpoints: None keeps none.
        progress: Called after each step.
        scratch: Folder for Trainer's own needs where no checkpoints are kept.
    """
    import torch
    from transformers import PrinterCallback, Trainer, TrainingArguments

    class AnswerTrainer(Trainer):  # type: ignore[misc]
        """One item of the data set is one step: its rows are computed in batches that fit the memory."""

        tokens_at_once = tokens_at_once_on(hardware)

        def training_step(self, model: Any, inputs: list[Row], num_items_in_batch: Any = None) -> Any:
            """Gradients of one step; its loss."""
            del num_items_in_batch
            model.train()
            while True:
                try:
                    loss = self.gradients(model, inputs)
                    break
                except torch.OutOfMemoryError:
                    if self.tokens_at_once < _LEAST_TOKENS_AT_ONCE:
                        raise
                    self.tokens_at_once //= 2
                    model.zero_grad()
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss is {loss} at step {self.state.global_step + 1}",
                    place="training",
                    remedy="Lower training.learning_rate or set training.precision to fp32; checkpoints are kept",
                )
            self.last_loss = loss
            return torch.tensor(loss)

        def gradients(self, model: Any, rows: list[Row]) -> float:
            """Accumulate the gradients of the mean loss over all label tokens of the rows; that loss."""
            labels = sum(row.labels for row in rows)
            total = 0.0
            for some in micro_batches(rows, self.tokens_at_once):
                inputs = tensors(collate(some, pad_token=pad_token), hardware.device, shared=shared)
                with arithmetic(hardware):
                    loss = answer_loss(model, inputs) * (len(inputs["label_ids"]) / labels)
                self.accelerator.backward(loss)
                total += float(loss.detach())
            journal.tokens += sum(map(len, rows))
            return total

    arguments = TrainingArguments(
        output_dir=str(checkpoints.folder if checkpoints else scratch),
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
        use_cpu=hardware.device == "cpu",
        remove_unused_columns=False,
        logging_strategy="no",
        save_strategy="no",
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=hardware.device == "cuda",
    )
    if arguments.n_gpu > 1:
        # Several GPUs are for torchrun: replicas inside one process would tear the rows of a batch apart.
        arguments._n_gpu = 1  # noqa: SLF001 - there is no public way
    trainer = AnswerTrainer(model=model, args=arguments, train_dataset=list(steps), data_collator=_only)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_watch(trainer, journal, checkpoints, progress))
    return trainer


def tokens_at_once_on(hardware: Hardware) -> int:
    """How many tokens, padding included, are computed at once; halved when the memory does not hold them."""
    return _TOKENS_AT_ONCE[hardware.device]


def _only(items: list[list[Row]]) -> list[Row]:
    """The one item of Trainer's batch of one."""
    return items[0]


def _watch(
    trainer: Any, journal: Journal, checkpoints: Checkpoints | None, progress: Callable[[Progress], None]
) -> Any:
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        """Notes steps, saves in time, and ends when asked to."""

        saved = time.monotonic()
        rate = 0.0

        def on_step_begin(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
            """Note the learning rate: after the step, the scheduler already stands at the next one."""
            self.rate = float(trainer.optimizer.param_groups[0]["lr"])

        def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> Any:
            """Note the step; save when it is time or when the process is to end."""
            progress(journal.add(loss=trainer.last_loss, learning_rate=self.rate))
            done = state.global_step >= journal.planned
            due = checkpoints is not None and time.monotonic() - self.saved >= checkpoints.every_seconds
            if not done and (due or journal.interrupted):
                control.should_save = checkpoints is not None
            control.should_training_stop = control.should_training_stop or journal.interrupted
            return control

        def on_save(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
            """Declare the saved folder whole; the older ones have served."""
            if checkpoints is None:
                return
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            seal_checkpoint(folder, fingerprint=checkpoints.fingerprint, losses=journal.losses)
            discard_checkpoints(checkpoints.folder, keep=folder)
            self.saved = time.monotonic()

    return Watch()


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
