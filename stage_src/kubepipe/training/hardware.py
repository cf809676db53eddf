"""What to compute on: device, arithmetic, threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from kubepipe.errors import SettingsError
from kubepipe.settings import TrainingSettings

# Processor flags of native bf16 products. Without them bf16 is emulated, 60 times slower than fp32 (measured).
_BF16_FLAGS: Final = frozenset({"avx512_bf16", "amx_bf16", "bf16", "svebf16"})
_CPUINFO: Final = Path("/proc/cpuinfo")
_CPU_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True)
class Hardware:
    """The choice for one process.

    Attributes:
        device: cpu or cuda.
        precision: Arithmetic of the products.
        threads: CPU threads.
    """

    device: Literal["cpu", "cuda"]
    precision: Literal["bf16", "fp32"]
    threads: int

    def dtype(self) -> Any:
        """The torch type of the precision."""
        import torch

        return torch.bfloat16 if self.precision == "bf16" else torch.float32


def choose_hardware(settings: TrainingSettings) -> Hardware:
    """Choose device, precision and threads, and set the number of threads of this process.

    Raises:
        SettingsError: A GPU is asked for and there is none.
    """
    import torch

    has_gpu = torch.cuda.is_available()
    if settings.device == "cuda" and not has_gpu:
        raise SettingsError(
            "is cuda, but this machine shows no GPU to PyTorch", place="training.device", remedy="Set it to auto or cpu"
        )
    device: Literal["cpu", "cuda"] = "cuda" if has_gpu and settings.device != "cpu" else "cpu"
    if device == "cuda":
        # Of several processes on a machine each has its own GPU (torchrun counts them).
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    native = torch.cuda.is_bf16_supported() if device == "cuda" else _cpu_has_bf16()
    wanted = settings.precision
    precision: Literal["bf16", "fp32"] = ("bf16" if native else "fp32") if wanted == "auto" else wanted
    threads = settings.threads or available_threads()
    torch.set_num_threads(threads)
    return Hardware(device, precision, threads)


def available_threads() -> int:
    """Cores that this process may use: its affinity, and the quota of its container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _CPU_QUOTA.read_text(encoding="ascii").split()
        return max(1, min(cores, round(int(quota) / int(period))))
    except (OSError, ValueError):
        return max(1, cores)


def _cpu_has_bf16() -> bool:
    try:
        lines = _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return bool(_BF16_FLAGS & set(flags.lower().split()))
