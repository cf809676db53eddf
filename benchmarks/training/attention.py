"""The attention of packed rows alone: SDPA under a mask, and FlexAttention with a block mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kubepipe.passages.model import Passage
from kubepipe.training import PromptEncoder
from kubepipe.training.loading import load_tokenizer
from kubepipe.training.packing import collate
from kubepipe.training.rows import Row, encode


def rows_of(encoder: PromptEncoder, some: Sequence[Passage]) -> list[Row]:
    """Packed rows of some passages."""
    return list(encode(some, encoder, max_context=1024, max_row=1024, model_window=8192).rows)


def compare_attention(base: Path, train: Sequence[Passage]) -> dict[str, Any]:
    """Time of the attention alone, forward and backward, on packed rows: SDPA under a mask, and FlexAttention."""
    import torch

    if not torch.cuda.is_available():
        return {"left_out": "no GPU"}
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    rows = sorted(rows_of(PromptEncoder(load_tokenizer(base)), train), key=len)[-24:]
    batch = collate(rows, pad_token=0)
    size, length = batch.input_ids.shape
    heads, width = 9, 64
    make = {"dtype": torch.bfloat16, "device": "cuda", "requires_grad": True}
    q, k, v = (torch.randn(size, heads, length, width, **make) for _ in range(3))  # type: ignore[call-overload]
    mask = torch.from_numpy(batch.mask).cuda()
    flat = mask[:, 0].contiguous()
    blocks = create_block_mask(
        lambda b, _h, query, key: flat[b, query, key], size, None, length, length, device="cuda", BLOCK_SIZE=128
    )
    compiled = torch.compile(flex_attention)
    ways: dict[str, Callable[[], Any]] = {
        "sdpa": lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask),
        "flex": lambda: compiled(q, k, v, block_mask=blocks),
    }
    found: dict[str, Any] = {"rows": size, "length": length, "visible_share": round(float(mask.float().mean()), 3)}
    outputs = {}
    for name, way in ways.items():
        outputs[name] = way().detach()
        found[f"{name}_ms"] = round(_milliseconds(way), 3)
    found["largest_difference"] = float((outputs["sdpa"] - outputs["flex"]).abs().max())
    return found


def _milliseconds(way: Callable[[], Any]) -> float:
    import torch

    for _ in range(3):
        way().sum().backward()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(10):
        way().sum().backward()
    end.record()
    torch.cuda.synchronize()
    return float(begin.elapsed_time(end)) / 10
