"""The loss: cross entropy of the answer tokens, with the head of the model run on their positions only.

Only 2 to 3 % of the tokens of a question-answering row are trained. Running the head, whose output is as wide as the
vocabulary, on all of them would cost a quarter of a small model's time and most of its memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Final

from kubepipe.training.hardware import Hardware
from kubepipe.training.packing import Batch, collate
from kubepipe.training.rows import Row

# Of the largest logit, at least of 1. bf16 has 8 bits: four units in the last place are its own noise (measured: up to
# two on SmolLM2), while a layer that does not share is off by far more.
_TOLERANCE: Final = {"fp32": 1e-3, "bf16": 2**-5}


def tensors(batch: Batch, device: str = "cpu", *, shared: bool = True) -> dict[str, Any]:
    """Arrays of a batch as tensors on a device.

    Args:
        batch: What to compute.
        device: cpu or cuda.
        shared: Whether rows share contexts under the tree mask; otherwise each holds one question, and mask and
            positions are left to the model.
    """
    import torch

    names = ["input_ids", "label_positions", "label_ids"]
    names += ["mask", "position_ids"] if shared else ["real"]
    return {name: torch.from_numpy(getattr(batch, name)).to(device) for name in names}


def label_logits(model: Any, inputs: dict[str, Any]) -> Any:
    """Logits at the label positions.

    Args:
        model: A causal language model of transformers, plain or inside peft, or wrapped for data parallelism.
        inputs: Of `tensors`.

    Returns:
        (N, vocabulary) float32.
    """
    positions = inputs["label_positions"]
    if "real" in inputs:
        own = model(input_ids=inputs["input_ids"], attention_mask=inputs["real"], use_cache=False)
        return own.logits.flatten(0, 1)[positions].float()
    outputs = model(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["mask"],
        position_ids=inputs["position_ids"],
        # Nothing is generated; a cache would only hold memory.
        use_cache=False,
        output_hidden_states=True,
        logits_to_keep=1,
    )
    return head_of(model)(outputs.hidden_states[-1].flatten(0, 1)[positions]).float()


def answer_loss(model: Any, inputs: dict[str, Any]) -> Any:
    """Mean cross entropy over the label tokens of a batch."""
    import torch

    return torch.nn.functional.cross_entropy(label_logits(model, inputs), inputs["label_ids"])


def arithmetic(hardware: Hardware) -> Any:
    """Context manager in which products run in the chosen precision."""
    import torch

    if hardware.precision == "fp32":
        return nullcontext()
    return torch.autocast(hardware.device, dtype=torch.bfloat16)


def can_share_contexts(model: Any, rows: Sequence[Row], hardware: Hardware, *, pad_token: int) -> bool:
    """Whether the shared rows give this model the logits that it gives to one question per row by itself.

    They do for models with full causal attention and a plain head. A sliding window shorter than a row, a recurrent
    layer or scaled logits break it. Tried on the longest context rather than guessed from a configuration.
    """
    import torch

    several = [row for row in rows if len(row.branches) > 1] or list(rows)
    longest = max(several, key=lambda row: len(row.prefix))
    trial = Row(longest.prefix, longest.branches[:2])
    singles = [Row(trial.prefix, (branch,)) for branch in trial.branches]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), arithmetic(hardware):
            together = label_logits(model, tensors(collate([trial], pad_token=pad_token), hardware.device))
            batches = [collate([single], pad_token=pad_token) for single in singles]
            apart = [label_logits(model, tensors(batch, hardware.device, shared=False)) for batch in batches]
    except (TypeError, ValueError, RuntimeError):
        return False  # The model takes no mask or positions of ours.
    finally:
        model.train(was_training)
    expected = torch.cat(apart)
    allowed = _TOLERANCE[hardware.precision] * max(1.0, float(expected.abs().max()))
    return bool((together - expected).abs().max() < allowed)


def head_of(model: Any) -> Any:
    """The layer from hidden states to logits, behind any wrapper."""
    # torch's DistributedDataParallel calls the model `module`.
    return getattr(model, "module", model).get_output_embeddings()
