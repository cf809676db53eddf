"""Quantised GGUF files as ordinary safetensors folders, converted once and kept in a cache.

Transformers reads GGUF, but takes 20 s for it, and refuses to train or save what it read unless the weights are
dequantised. A converted folder loads in under a second.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from kubepipe.errors import OutputError
from kubepipe.records import digest_file, write_text
from kubepipe.training.libraries import quieten

# Raise when the conversion writes other files than before: older cache entries are then left alone.
_FORMAT: Final = 1
_MODEL: Final = "model"
_MANIFEST: Final = "manifest.json"


def cache_folder() -> Path:
    """Where converted models lie: KUBEPIPE_CACHE, or ~/.cache/kubepipe."""
    return Path(os.environ.get("KUBEPIPE_CACHE") or Path.home() / ".cache" / "kubepipe")


def kept(digest: str) -> Path | None:
    """The converted model of a GGUF file with this digest, where the cache has a sound copy; nothing is written.

    Args:
        digest: `sha256:` and the hex digest of the GGUF file.
    """
    entry = cache_folder() / "models" / _key(digest)
    return entry / _MODEL if _is_sound(entry) else None


def converted(gguf: Path) -> Path:
    """The folder with the model of a GGUF file; converts it when the cache has no sound copy.

    Safe beside other processes: one converts, the others wait. A copy whose bytes changed is made again.

    Raises:
        OutputError: The cache cannot be written.
    """
    from filelock import FileLock

    key = _key(digest_file(gguf))
    entry = cache_folder() / "models" / key
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(entry.with_name(f"{key}.lock")):
            if not _is_sound(entry):
                _rebuild(gguf, entry)
    except OSError as error:
        raise OutputError(
            f"the model cache cannot be written ({error.strerror})",
            place=str(entry),
            remedy="Free space, or let KUBEPIPE_CACHE name a folder that can be written",
        ) from error
    return entry / _MODEL


def _key(digest: str) -> str:
    return f"{digest.removeprefix('sha256:')[:32]}-{_FORMAT}"


def _is_sound(entry: Path) -> bool:
    try:
        manifest = json.loads((entry / _MANIFEST).read_text(encoding="utf-8"))
        return bool(manifest == _digests(entry / _MODEL))
    except (OSError, ValueError):
        return False


def _digests(folder: Path) -> dict[str, str]:
    return {file.name: digest_file(file) for file in sorted(folder.iterdir())}


def _rebuild(gguf: Path, entry: Path) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", dir=entry.parent))
    try:
        _convert(gguf, temporary / _MODEL)
        write_text(temporary / _MANIFEST, json.dumps(_digests(temporary / _MODEL), indent=2, sort_keys=True))
        shutil.rmtree(entry, ignore_errors=True)
        temporary.rename(entry)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    quieten()
    place = {"gguf_file": gguf.name, "local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **place)
    # Four bits become two bytes: bf16 holds every dequantised value to 3 digits at half the size of fp32.
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, **place, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    model.config._name_or_path = gguf.stem  # noqa: SLF001 - the file names a training stage here
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
