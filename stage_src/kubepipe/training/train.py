"""Fine-tuning from passages to a model folder."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kubepipe.errors import InputError, TrainingError
from kubepipe.passages import Passage, first_questions
from kubepipe.records import digest_json, digest_tree
from kubepipe.settings import TrainingSettings
from kubepipe.training.best import Best, Judge, judged_steps
from kubepipe.training.checkpoints import discard_checkpoints, last_checkpoint
from kubepipe.training.flops import product_rate, training_flops
from kubepipe.training.hardware import Hardware, choose_hardware
from kubepipe.training.journal import Checkpoints, Journal
from kubepipe.training.loading import add_adapters, count_parameters, load_model, load_tokenizer
from kubepipe.training.models import ResolvedModel
from kubepipe.training.objective import answer_loss, arithmetic, can_share_contexts, tensors
from kubepipe.training.output import check_place, write_model
from kubepipe.training.packing import collate
from kubepipe.training.plan import micro_batches, plan_steps
from kubepipe.training.processes import Team
from kubepipe.training.prompt import PromptEncoder
from kubepipe.training.result import CONTEXT_ONCE, ONE_QUESTION_A_ROW, Progress, TrainingResult
from kubepipe.training.rows import Row, Rows, encode
from kubepipe.training.trainer import make_trainer, stop_on_signal

if TYPE_CHECKING:
    from kubepipe.training.steps import Work

_LONGEST_ROW: Final = 1024  # tokens; beyond it attention over one long row costs more than a repeated context


def fine_tune(
    model: ResolvedModel,
    train: Sequence[Passage],
    validation: Sequence[Passage],
    settings: TrainingSettings,
    *,
    seed: int,
    out: Path,
    progress: Callable[[Progress], None],
    checkpoint_dir: Path | None = None,
    judge: Judge | None = None,
) -> TrainingResult:
    """Fine-tune a language model to answer questions from their context.

    Args:
        model: The base model.
        train: Passages to train on.
        validation: Held-out passages; a slice of them gives the loss before and after.
        settings: How to train.
        seed: Of the order and of the adapters' initial weights.
        out: Folder to write, see `kubepipe.training.output`; must be absent or empty.
        progress: Called after each step.
        checkpoint_dir: Where checkpoints lie; a run that was stopped goes on from the newest whole one.
            None keeps none.
        judge: Scores the model in between, `settings.evaluations` times; the best weights are kept.

    Returns:
        Losses and figures.

    Raises:
        InputError: There is no question to train on.
        SettingsError: The settings ask for what this machine or model cannot do.
        TrainingError: The loss is no number, or the process was asked to stop (a checkpoint was saved).
        OutputError: The folder cannot be written.
    """
    import torch
    from transformers import set_seed

    from kubepipe.training.steps import Work

    check_place(out)
    team = Team()
    hardware = choose_hardware(settings)
    tokenizer = load_tokenizer(model.path)
    encoder = PromptEncoder(tokenizer)
    # Frozen weights need no more than the precision of the products; trained ones stay in fp32.
    dtype = hardware.dtype() if settings.method == "lora" else torch.float32
    network = load_model(model.path, dtype=dtype, device=hardware.device)
    rows, packing = _encoded(train, encoder, network, settings, hardware)
    share = packing == CONTEXT_ONCE
    asked = first_questions(validation, settings.validation_questions)
    held_out = _encode(asked, encoder, network, settings, share=share).rows
    before = _mean_loss(network, held_out, hardware, encoder.end_token, shared=share)

    set_seed(seed)
    if settings.method == "lora":
        network = add_adapters(network, settings, base_name=model.name)
    trainable, total = count_parameters(network)
    steps = plan_steps(rows.rows, tokens_per_step=settings.tokens_per_batch, epochs=settings.epochs, seed=seed)
    journal = Journal(planned=len(steps), steps_per_epoch=len(steps) / settings.epochs)
    best = None
    if judge is not None and settings.evaluations:
        best = Best(judge, judged_steps(len(steps), settings.evaluations), settings.patience)
    checkpoints = None
    if checkpoint_dir is not None:
        fingerprint = _fingerprint(model, rows, settings, seed)
        checkpoints = Checkpoints(checkpoint_dir, fingerprint, settings.checkpoint_seconds)
    started, cpu_started = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="kubepipe-") as scratch:
        work = Work(
            hardware=hardware,
            team=team,
            journal=journal,
            checkpoints=checkpoints,
            best=best,
            encoder=encoder,
            progress=progress,
            shared=share,
        )
        trainer = make_trainer(network, steps, work, settings=settings, seed=seed, scratch=Path(scratch))
        resumed_from = _train(trainer, work)
    seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_started
    steps = steps[: len(journal.losses)]  # fewer than planned where the held-out slice said enough
    tokens = sum(len(row) for step in steps for row in step)
    labels = sum(row.labels for step in steps for row in step)
    flops = training_flops(network, tokens=tokens, labels=labels)
    after = _mean_loss(network, held_out, hardware, encoder.end_token, shared=share)
    if team.is_first:
        write_model(
            out,
            network,
            tokenizer,
            model,
            method=settings.method,
            end_token=encoder.end_token,
            merged=settings.merged,
        )
        if checkpoint_dir is not None:
            discard_checkpoints(checkpoint_dir, keep=None)
    digest = team.told(digest_tree(out) if team.is_first else None)
    return TrainingResult(
        model=model.name,
        model_origin=model.origin,
        model_licence=model.licence,
        base_digest=model.digest,
        model_digest=digest,
        method=settings.method,
        losses=tuple(journal.losses),
        validation_loss_before=before,
        validation_loss_after=after,
        epochs=journal.losses[-1].epoch if journal.exhausted else settings.epochs,
        judgements=tuple(best.judgements) if best else (),
        best_step=best.best.step if best and best.best else None,
        questions=rows.questions,
        contexts=len(train),
        rows=len(rows.rows),
        packing=packing,
        windowed_contexts=rows.windowed,
        left_out_questions=rows.left_out,
        tokens=tokens,
        padding_tokens=sum(_computed(step, journal.tokens_at_once, team.size) for step in steps) - tokens,
        label_tokens=labels,
        unshared_tokens=sum(_unshared(row) for step in steps for row in step),
        trainable_parameters=trainable,
        total_parameters=total,
        seconds=round(journal.seconds_before + seconds, 3),
        cpu_seconds=round(cpu_seconds, 3),
        peak_rss_bytes=_peak_rss(),
        device=hardware.device,
        precision=hardware.precision,
        threads=hardware.threads,
        resumed_from_step=resumed_from,
        processes=team.size,
        tokens_at_once=journal.tokens_at_once,
        gradient_checkpointing=journal.checkpointing,
        peak_gpu_bytes=torch.cuda.max_memory_allocated() if hardware.device == "cuda" else 0,
        training_flops=flops,
        product_flops_per_second=product_rate(hardware),
    )


def _encoded(
    train: Sequence[Passage], encoder: PromptEncoder, network: Any, settings: TrainingSettings, hardware: Hardware
) -> tuple[Rows, str]:
    rows = _encode(train, encoder, network, settings, share=True)
    if not rows.rows:
        raise InputError("no question to train on", place="the training split", remedy="Give more data")
    if can_share_contexts(network, rows.rows, hardware, pad_token=encoder.end_token):
        return rows, CONTEXT_ONCE
    return _encode(train, encoder, network, settings, share=False), ONE_QUESTION_A_ROW


def _encode(
    passages: Sequence[Passage], encoder: PromptEncoder, network: Any, settings: TrainingSettings, *, share: bool
) -> Rows:
    return encode(
        passages,
        encoder,
        max_context=settings.max_tokens,
        # A context stays whole even where it fills more than one step: repeating it would cost more than it evens out.
        max_row=max(settings.tokens_per_batch, _LONGEST_ROW),
        model_window=getattr(network.config, "max_position_embeddings", None) or settings.max_tokens * 2,
        max_branches=settings.questions_per_row if share else 1,
    )


def _mean_loss(network: Any, rows: Sequence[Row], hardware: Hardware, pad_token: int, *, shared: bool) -> float | None:
    """Mean cross entropy over the label tokens of held-out rows; None without rows."""
    import torch

    if not rows:
        return None
    network.eval()
    total = labels = 0.0
    with torch.no_grad(), arithmetic(hardware):
        for row in rows:
            inputs = tensors(collate([row], pad_token=pad_token), hardware.device, shared=shared)
            total += float(answer_loss(network, inputs)) * row.labels
            labels += row.labels
    return total / labels


def _fingerprint(model: ResolvedModel, rows: Rows, settings: TrainingSettings, seed: int) -> str:
    data = [[row.prefix, [[branch.prompt, branch.answer] for branch in row.branches]] for row in rows.rows]
    # Threads and device may differ between the processes of a run.
    chosen = settings.model_dump(mode="json", exclude={"threads", "device", "checkpoint_seconds"})
    return digest_json([model.digest, digest_json(data), chosen, seed])


def _train(trainer: Any, work: Work) -> int:
    """Run the steps, from the newest whole checkpoint on; returns its step."""
    found, journal, checkpoints = None, work.journal, work.checkpoints
    if checkpoints is not None:
        checkpoints.folder.mkdir(parents=True, exist_ok=True)
        found = last_checkpoint(checkpoints.folder, fingerprint=checkpoints.fingerprint)
        work.team.wait()  # all have looked
        if work.team.is_first:
            discard_checkpoints(checkpoints.folder, keep=found[0] if found else None)
    if found is not None:
        journal.losses = list(found[1])
        journal.seconds_before = journal.losses[-1].seconds
        if work.best is not None:
            work.best.read(found[0])
    with stop_on_signal(journal):
        trainer.train(resume_from_checkpoint=str(found[0]) if found else None)
    if journal.interrupted and not journal.exhausted and len(journal.losses) < journal.planned:
        kept = "a checkpoint was saved" if checkpoints else "no checkpoint is kept"
        raise TrainingError(
            f"stopped on request after step {len(journal.losses)} of {journal.planned}; {kept}",
            place="training",
            remedy="Start it again with the same arguments",
        )
    if work.best is not None:
        work.best.restore(trainer.model)
    return found[1][-1].step if found else 0


def _computed(step: Sequence[Row], tokens_at_once: int, processes: int) -> int:
    """Tokens of a step with padding, over all processes."""
    rows = sorted(step, key=len)
    batches = (
        batch
        for rank in range(processes)
        for batch in micro_batches(Team.share_of(rows, rank, processes), tokens_at_once)
    )
    return sum(len(batch) * max(map(len, batch)) for batch in batches)


def _unshared(row: Row) -> int:
    return sum(len(row.prefix) + len(branch) for branch in row.branches)


def _peak_rss() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
