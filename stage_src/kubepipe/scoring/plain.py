"""One question a row by the model's own `generate`: for models that cannot share contexts, and as the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubepipe.scoring.decode import Generated


def generate_plain(
    model: Any, prompts: Sequence[Sequence[int]], *, end_token: int, max_new_tokens: int, device: str
) -> list[Generated]:
    """Answer prompts that each hold a context and a question; padded on the left to one batch."""
    import torch

    length = max(map(len, prompts))
    ids = torch.tensor([[end_token] * (length - len(prompt)) + list(prompt) for prompt in prompts], device=device)
    mask = torch.tensor([[0] * (length - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
    with torch.inference_mode():
        outputs = model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=False,
            num_beams=1,
            max_new_tokens=max_new_tokens,
            eos_token_id=end_token,
            pad_token_id=end_token,
            return_dict_in_generate=True,
            output_logits=True,
        )
    scores = torch.stack(outputs.logits, dim=1).float().log_softmax(dim=-1)
    chosen = outputs.sequences[:, length:]
    values = scores.gather(2, chosen.unsqueeze(2)).squeeze(2)
    return [_until_end(row, value, end_token) for row, value in zip(chosen.tolist(), values.tolist(), strict=True)]


def _until_end(ids: list[int], values: list[float], end_token: int) -> Generated:
    stop = ids.index(end_token) if end_token in ids else len(ids)
    return Generated(ids[:stop], values[: stop + 1])
