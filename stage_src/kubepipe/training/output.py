"""The folder that fine-tuning leaves: the base model, and beside it what was trained.

base/      the model as it came
adapter/   LoRA weights, tokeniser, generation configuration       (method lora)
tuned/     the whole fine-tuned model with the same companions     (method full)
merged/    base and adapter as one model in bf16                   (method lora, on request)
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import OutputError
from kubepipe.training.models import ADAPTER, BASE, MERGED, TUNED, ResolvedModel

_MAX_NEW_TOKENS: Final = 32


def check_place(out: Path) -> None:
    """Refuse a place that holds something, before the work rather than after it.

    Raises:
        OutputError: It does.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError("is not empty", place=str(out), remedy="Choose another place or remove what lies there")


def write_model(
    out: Path,
    model: Any,
    tokenizer: Any,
    base: ResolvedModel,
    *,
    method: str,
    end_token: int,
    merged: bool = False,
) -> None:
    """Write the folder at once: it is complete or not there.

    Args:
        out: Where it comes to lie; must be absent or empty.
        model: Trained, with adapters for method lora.
        tokenizer: Of the base model.
        base: The base model, whose files are linked where the file system allows, else copied.
        method: lora or full.
        end_token: Id of the token that ends an answer.
        merged: Whether the adapter is merged into a copy as well; the model in memory then holds no adapter any more.

    Raises:
        OutputError: The folder cannot be written, or holds something already.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            _link_files(base.path, temporary / BASE)
            trained = temporary / (ADAPTER if method == "lora" else TUNED)
            _save(model, trained, method)
            tokenizer.save_pretrained(trained)
            _generation_config(end_token).save_pretrained(trained)
            if merged and method == "lora":
                _save(model.merge_and_unload(), temporary / MERGED, "full")
                tokenizer.save_pretrained(temporary / MERGED)
                _generation_config(end_token).save_pretrained(temporary / MERGED)
            _make_readable(temporary)
            if out.is_dir():
                out.rmdir()
            temporary.rename(out)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise OutputError(
            f"the model cannot be written ({error.strerror})",
            place=str(out),
            remedy="Free space or choose another place",
        ) from error


def _save(model: Any, folder: Path, method: str) -> None:
    if method == "lora":
        # "auto" would ask the hub for the size of the base model's vocabulary.
        model.save_pretrained(folder, save_embedding_layers=False)
        # peft writes an empty model card; ours is written when the model is published.
        (folder / "README.md").unlink(missing_ok=True)
        return
    import torch

    model.to(torch.bfloat16).save_pretrained(folder)


def _generation_config(end_token: int) -> Any:
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=False, max_new_tokens=_MAX_NEW_TOKENS, eos_token_id=end_token, pad_token_id=end_token
    )


def _make_readable(folder: Path) -> None:
    """Let the user of another container read it: safetensors files are private at first."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _link_files(source: Path, target: Path) -> None:
    target.mkdir()
    for file in sorted(source.iterdir()):
        if file.name.startswith(".") or not file.is_file():
            continue
        # The hub's cache holds symbolic links: what they point to is what must travel.
        real = file.resolve()
        try:
            os.link(real, target / file.name)
        except OSError:
            shutil.copyfile(real, target / file.name)
