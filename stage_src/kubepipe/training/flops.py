"""How much arithmetic training is, and how near it comes to what the machine can do."""

from __future__ import annotations

import time
from typing import Any, Final

from kubepipe.training.hardware import Hardware
from kubepipe.training.objective import head_of

# Sides of the square product that is timed. Small enough for a tenth of a second, large enough to fill the device.
_SIDE: Final = {"cpu": 1536, "cuda": 8192}
_LEAST_SIDE: Final = 512
_REPEATS: Final = 4


def training_flops(network: Any, *, tokens: int, labels: int) -> float:
    """Floating point operations of training on some tokens.

    Of each token 2 per weight of the layers forward, 2 backward to the inputs, and 2 more where the weight is trained;
    the head sees label tokens only. Products within the attention and the embedding are left out: on rows of a few
    hundred tokens they are some per cent.

    Args:
        network: With its adapters.
        tokens: Computed tokens without padding.
        labels: Trained tokens of them.
    """
    import torch

    head = head_of(network)
    total = 0.0
    for module in network.modules():
        # An adapted layer holds its own weight as a linear layer inside; a container holds none.
        if not isinstance(module, torch.nn.Linear):
            continue
        weight = module.weight
        total += (6.0 if weight.requires_grad else 4.0) * weight.numel() * (labels if module is head else tokens)
    return total


def product_rate(hardware: Hardware) -> float:
    """Floating point operations per second of a large matrix product on this machine, in the chosen precision.

    The model still lies in memory: where that leaves no room the product is smaller, and 0 is told where there is none.
    """
    import torch

    side = _SIDE[hardware.device]
    while side >= _LEAST_SIDE:
        try:
            return _rate(side, hardware)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            side //= 2
    return 0.0


def _rate(side: int, hardware: Hardware) -> float:
    import torch

    left, right = (torch.randn(side, side, dtype=hardware.dtype(), device=hardware.device) for _ in range(2))
    best = float("inf")
    with torch.no_grad():
        _timed(left, right, hardware)  # warms up
        for _ in range(_REPEATS):
            best = min(best, _timed(left, right, hardware))
    return 2.0 * side**3 / best


def _timed(left: Any, right: Any, hardware: Hardware) -> float:
    import torch

    started = time.monotonic()
    torch.mm(left, right)
    if hardware.device == "cuda":
        torch.cuda.synchronize()
    return time.monotonic() - started
