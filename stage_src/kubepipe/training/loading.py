"""The base model and its tokeniser in memory, and the adapters on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kubepipe.errors import ModelNotFoundError, SettingsError, TrainingError
from kubepipe.settings import TrainingSettings
from kubepipe.training.libraries import quieten


def load_tokenizer(folder: Path) -> Any:
    """The tokeniser of a model folder.

    Raises:
        ModelNotFoundError: There is none that transformers can load.
    """
    quieten()
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise _unusable(folder, "tokeniser", error) from error


def load_model(folder: Path, *, dtype: Any, device: str) -> Any:
    """The causal language model of a folder, on a device, ready to answer.

    Args:
        folder: What save_pretrained wrote.
        dtype: Torch type of the weights.
        device: cpu or cuda.

    Raises:
        ModelNotFoundError: The folder holds no causal language model that transformers can load.
    """
    quieten()
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, dtype=dtype, attn_implementation="sdpa", use_safetensors=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise _unusable(folder, "causal language model", error) from error
    return model.to(device).eval()


def add_adapters(model: Any, settings: TrainingSettings, *, base_name: str) -> Any:
    """Put LoRA adapters on all linear layers but the head; they are kept in fp32.

    Args:
        model: The base model, whose own weights are frozen.
        settings: Rank, alpha, scaling and whether magnitudes are trained apart (DoRA).
        base_name: Written into adapter_config.json as the name of the base.

    Raises:
        SettingsError: The model has no layer that takes an adapter.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        use_rslora=settings.rslora,
        use_dora=settings.dora,
        target_modules="all-linear",
        lora_dropout=0.0,
        bias="none",
        task_type=TaskType.CAUSAL_LM,
    )
    try:
        adapted = get_peft_model(model, config)
    except ValueError as error:
        raise SettingsError(
            "the model has no linear layer that takes an adapter", place="training.method", remedy="Set it to full"
        ) from error
    active = adapted.peft_config["default"]
    active.base_model_name_or_path = base_name
    # A set of names has another order in every process; the file must be the same for the same weights.
    active.target_modules = sorted(active.target_modules)
    return adapted


def count_parameters(model: Any) -> tuple[int, int]:
    """Trainable and all parameters.

    Raises:
        TrainingError: Nothing is trainable.
    """
    parameters = list(model.parameters())
    trainable = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    if trainable == 0:
        raise TrainingError("the model has no trainable parameter", place="training.method")
    return trainable, sum(parameter.numel() for parameter in parameters)


def _unusable(folder: Path, what: str, error: Exception) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"holds no {what} that transformers can load ({type(error).__name__})",
        place=str(folder),
        remedy="Give a folder with config.json, safetensors and tokenizer files",
    )
