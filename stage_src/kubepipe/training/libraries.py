"""Transformers and its companions, made quiet: no downloads, no progress bars, no advice on standard error."""

from __future__ import annotations

import os
import warnings


def forbid_downloads() -> None:
    """Keep transformers and peft from asking the hub in this process; call it before they are imported."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"


def quieten() -> None:
    """Silence progress bars and advice of transformers: the terminal and the logs are ours."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers|peft|accelerate")
