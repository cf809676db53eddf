"""What training says while it runs and when it is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from kubepipe.training.best import Judgement

CONTEXT_ONCE: Final = "context_once"
ONE_QUESTION_A_ROW: Final = "one_question_a_row"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far training is.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        loss: Loss of the last step.
        epoch: Passes over the questions so far.
        tokens_per_second: Tokens without padding, mean of this process.
    """

    step: int
    steps: int
    loss: float
    epoch: float
    tokens_per_second: float

    @property
    def share(self) -> float:
        """Done share, from 0 to 1."""
        return self.step / self.steps

    @property
    def text(self) -> str:
        """One short line."""
        return f"step {self.step} of {self.steps}, loss {self.loss:.2f}, {self.tokens_per_second:.0f} tokens/s"


@dataclass(frozen=True, slots=True)
class StepLoss:
    """One optimiser step.

    Attributes:
        step: Number, from 1.
        loss: Mean cross entropy of its label tokens, in nats.
        learning_rate: Used in this step.
        epoch: Passes over the questions after this step.
        seconds: Wall time since training began, over all processes of a resumed run.
    """

    step: int
    loss: float
    learning_rate: float
    epoch: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What training came to; `document()` fits the schema training-history.

    Attributes:
        model: Name of the base model.
        model_origin: folder, package or hub.
        model_licence: SPDX identifier of the base model, where it is known.
        base_digest: Digest of the base model.
        model_digest: Digest of the folder that was written.
        method: lora or full.
        losses: One entry per step.
        validation_loss_before: Loss on held-out questions before training; None without any.
        validation_loss_after: The same after training.
        epochs: Passes over the questions.
        judgements: Scores of the held-out slice in between; empty where it was not asked.
        best_step: Step whose weights were kept; None for the last one.
        questions: Questions trained in one pass.
        contexts: Passages they stand in.
        rows: Rows in one pass.
        packing: context_once, or one_question_a_row for models that cannot share a context.
        windowed_contexts: Contexts longer than the limit, trained as windows around the answers.
        left_out_questions: Questions longer than the model can read.
        tokens: Tokens computed in the whole run, without padding.
        padding_tokens: Padding computed beside them.
        label_tokens: Tokens of them that were trained.
        unshared_tokens: Tokens that one question per row would have taken.
        trainable_parameters: Parameters that were trained.
        total_parameters: Parameters of the model with its adapter.
        seconds: Wall time of training, without loading and saving.
        cpu_seconds: CPU time of the same, of this process.
        peak_rss_bytes: Largest resident memory of this process.
        device: cpu or cuda.
        precision: bf16 or fp32.
        threads: CPU threads.
        resumed_from_step: Step of the checkpoint that this process went on from; 0 for none.
        processes: Processes that trained together.
        tokens_at_once: Tokens, padding included, that were computed at once at the end.
        gradient_checkpointing: Whether memory was so short that hidden states were computed twice.
        peak_gpu_bytes: Most memory that PyTorch held on the GPU of this process; 0 without one.
        training_flops: Floating point operations of the whole run, see `kubepipe.training.flops`.
        product_flops_per_second: What a large matrix product reaches on this machine, measured after training.
    """

    model: str
    model_origin: str
    model_licence: str | None
    base_digest: str
    model_digest: str
    method: str
    losses: tuple[StepLoss, ...]
    validation_loss_before: float | None
    validation_loss_after: float | None
    epochs: float
    judgements: tuple[Judgement, ...]
    best_step: int | None
    questions: int
    contexts: int
    rows: int
    packing: str
    windowed_contexts: int
    left_out_questions: int
    tokens: int
    padding_tokens: int
    label_tokens: int
    unshared_tokens: int
    trainable_parameters: int
    total_parameters: int
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    device: str
    precision: str
    threads: int
    resumed_from_step: int
    processes: int
    tokens_at_once: int
    gradient_checkpointing: bool
    peak_gpu_bytes: int
    training_flops: float
    product_flops_per_second: float

    @property
    def padding_share(self) -> float:
        """Padding among all computed tokens, from 0 to 1."""
        computed = self.tokens + self.padding_tokens
        return self.padding_tokens / computed if computed else 0.0

    @property
    def tokens_per_second(self) -> float:
        """Tokens without padding per second of wall time."""
        return self.tokens / self.seconds if self.seconds else 0.0

    @property
    def flops_utilisation(self) -> float:
        """Share of the rate of a large matrix product that training came to (MFU), from 0 to 1.

        The product is measured alone: where other programs share the machine at the one time and not at the other, it
        says less.
        """
        able = self.product_flops_per_second * self.processes * self.seconds
        return min(1.0, self.training_flops / able) if able else 0.0

    def document(self) -> dict[str, Any]:
        """As it stands in training_history."""
        fields = asdict(self)
        for name in ("losses", "judgements"):
            fields[name] = list(fields[name])
        return {
            "schema_version": 1,
            **fields,
            "steps": len(self.losses),
            "padding_share": round(self.padding_share, 4),
            "label_share": round(self.label_tokens / self.tokens, 4) if self.tokens else 0.0,
            "tokens_saved_factor": round(self.unshared_tokens / self.tokens, 3) if self.tokens else 1.0,
            "tokens_per_second": round(self.tokens_per_second, 1),
            "flops_utilisation": round(self.flops_utilisation, 4),
        }
