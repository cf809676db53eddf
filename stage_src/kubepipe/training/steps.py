"""transformers' Trainer whose data set is a plan: one item is one optimiser step.

Imported only where something is trained: it loads torch and transformers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from transformers import Trainer, TrainerCallback

from kubepipe.errors import OutputError, TrainingError
from kubepipe.training.best import Best
from kubepipe.training.checkpoints import discard_checkpoints, seal_checkpoint
from kubepipe.training.hardware import Hardware
from kubepipe.training.journal import Checkpoints, Journal
from kubepipe.training.objective import answer_loss, arithmetic, tensors
from kubepipe.training.packing import collate
from kubepipe.training.plan import micro_batches
from kubepipe.training.processes import Team
from kubepipe.training.prompt import PromptEncoder
from kubepipe.training.result import Progress
from kubepipe.training.rows import Row

_LEAST_TOKENS_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class Work:
    """What a trainer works with.

    Attributes:
        hardware: Device and precision.
        team: The processes that train together.
        journal: Filled while it runs.
        checkpoints: None keeps none.
        best: What a held-out slice says in between; None asks none.
        encoder: Of the model's tokeniser.
        progress: Called after each step.
        shared: Whether rows share contexts.
    """

    hardware: Hardware
    team: Team
    journal: Journal
    checkpoints: Checkpoints | None
    best: Best | None
    encoder: PromptEncoder
    progress: Callable[[Progress], None]
    shared: bool

    @property
    def pad_token(self) -> int:
        """Filler of padded rows."""
        return self.encoder.end_token


class AnswerTrainer(Trainer):  # type: ignore[misc]
    """One item of the data set is one step: its rows are computed in batches that fit the memory."""

    def __init__(self, work: Work, **given: Any) -> None:
        super().__init__(**given)
        self.work = work
        self.last_loss = math.nan
        self.save_due = False
        self.agreed_stop = False
        self.watch = Watch(self)
        self.add_callback(self.watch)

    def get_train_dataloader(self) -> Any:
        """All steps in their order, for every process: each takes its rows of them."""
        # Trainer's own would give each process steps of its own.
        return torch.utils.data.DataLoader(self.train_dataset, batch_size=1, collate_fn=only)

    def training_step(self, model: Any, inputs: list[Row], num_items_in_batch: Any = None) -> Any:
        """Gradients of one step; its loss."""
        del num_items_in_batch
        model.train()
        while not self.fits(model, inputs):
            model.zero_grad()
            if self.work.hardware.device == "cuda":
                torch.cuda.empty_cache()
        self.work.team.sum_gradients(model)
        verdict = self.work.team.agree(
            loss=self.last_loss,
            stop=self.work.journal.interrupted,
            due=self.watch.due(),
            device=self.work.hardware.device,
        )
        self.last_loss, self.agreed_stop, self.save_due = verdict.loss, verdict.stop, verdict.due
        self.work.journal.interrupted |= verdict.stop
        norm = torch.nn.utils.get_total_norm([each.grad for each in model.parameters() if each.grad is not None])
        if not math.isfinite(verdict.loss) or not math.isfinite(float(norm)):
            raise _no_number(verdict.loss, float(norm), self.work)
        return torch.tensor(verdict.loss, device=self.args.device)

    def fits(self, model: Any, rows: list[Row]) -> bool:
        """Compute the gradients of a step; where memory runs out, take less at once and say no."""
        try:
            self.last_loss = self.gradients(model, rows)
        except torch.OutOfMemoryError as error:
            if self.work.journal.tokens_at_once >= _LEAST_TOKENS_AT_ONCE:
                self.work.journal.tokens_at_once //= 2
            elif not self.work.journal.checkpointing:
                self.work.journal.checkpointing = True
                unwrapped = self.accelerator.unwrap_model(model)
                unwrapped.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            else:
                raise TrainingError(
                    "memory does not hold even one row",
                    place="training",
                    remedy="Lower training.max_tokens, or take a smaller model or a larger machine",
                ) from error
            return False
        return True

    def _save_checkpoint(self, *given: Any, **named: Any) -> None:
        """Trainer's own, with a clear end where the disk is full."""
        with _written(self.args.output_dir):
            super()._save_checkpoint(*given, **named)

    def gradients(self, model: Any, rows: list[Row]) -> float:
        """Accumulate this process's part of the gradients of the mean loss over all label tokens; of that loss."""
        labels = sum(row.labels for row in rows)
        total = 0.0
        for some in micro_batches(self.work.team.share(sorted(rows, key=len)), self.work.journal.tokens_at_once):
            inputs = tensors(
                collate(some, pad_token=self.work.pad_token), self.work.hardware.device, shared=self.work.shared
            )
            # Gradients are summed once a step, by the team.
            with self.accelerator.no_sync(model):
                with arithmetic(self.work.hardware):
                    loss = answer_loss(model, inputs) * (len(inputs["label_ids"]) / labels)
                self.accelerator.backward(loss)
            total += float(loss.detach())
        self.work.journal.tokens += sum(map(len, rows))
        return total


class Watch(TrainerCallback):  # type: ignore[misc]
    """Notes steps, saves in time, and ends when asked to."""

    def __init__(self, trainer: AnswerTrainer) -> None:
        self.trainer = trainer
        self.work = trainer.work
        self.saved = time.monotonic()
        self.rate = 0.0

    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return (
            self.work.checkpoints is not None and time.monotonic() - self.saved >= self.work.checkpoints.every_seconds
        )

    def on_step_begin(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        """Note the learning rate: after the step, the scheduler already stands at the next one."""
        self.rate = float(self.trainer.optimizer.param_groups[0]["lr"])

    def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Note the step; save when it is time or when the process is to end."""
        self.work.progress(self.work.journal.add(loss=self.trainer.last_loss, learning_rate=self.rate))
        done = state.global_step >= self.work.journal.planned
        best, team = self.work.best, self.work.team
        if best is not None and state.global_step in best.steps:
            # The model itself, not the wrapper of several processes. The first judges for all: two that came to unlike
            # scores would stop at unlike steps.
            model = self.trainer.model
            scores = best.judge(model, self.work.encoder, self.work.hardware) if team.is_first else None
            best.note(state.global_step, team.told(scores), model)
            self.work.journal.exhausted = best.exhausted
            control.should_training_stop = control.should_training_stop or best.exhausted
        # A process that was asked by itself goes on until all know: one that left alone would leave the others waiting.
        stop = self.work.journal.interrupted if self.work.team.size == 1 else self.trainer.agreed_stop
        if not done and not self.work.journal.exhausted and (self.trainer.save_due or stop):
            control.should_save = self.work.checkpoints is not None
        control.should_training_stop = control.should_training_stop or stop
        return control

    def on_save(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
        """Declare the saved folder whole; the older ones have served."""
        if self.work.checkpoints is None:
            return
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self.work.team.wait()  # each process writes a file of its own into it
        if self.work.team.is_first:
            if self.work.best is not None:
                with _written(args.output_dir):
                    self.work.best.write(folder)
            seal_checkpoint(folder, fingerprint=self.work.checkpoints.fingerprint, losses=self.work.journal.losses)
            discard_checkpoints(self.work.checkpoints.folder, keep=folder)
        self.work.team.wait()
        self.saved = time.monotonic()


@contextmanager
def _written(folder: str) -> Iterator[None]:
    """Tell of a checkpoint that cannot be written: safetensors and torch have errors of their own for a full disk."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        raise OutputError(
            f"the checkpoint cannot be written ({getattr(error, 'strerror', None) or type(error).__name__})",
            place=str(folder),
            remedy="Free space or choose another place",
        ) from error


def only(items: list[list[Row]]) -> list[Row]:
    """The one item of Trainer's batch of one."""
    return items[0]


def _no_number(loss: float, norm: float, work: Work) -> TrainingError:
    what = f"the loss is {loss}" if not math.isfinite(loss) else f"the norm of the gradients is {norm}"
    held = work.checkpoints is not None and any(work.checkpoints.folder.glob("checkpoint-*"))
    kept = "the newest checkpoint is sound" if held else "no checkpoint was due yet"
    return TrainingError(
        f"{what} at step {len(work.journal.losses) + 1}; no weight took them on, {kept}",
        place="training",
        remedy="Lower training.learning_rate or set training.precision to fp32",
    )
