"""Which code and libraries shaped a result."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import kubepipe
from kubepipe.records import digest_file, digest_json

_LIBRARIES: Final = ("codecarbon", "datasets", "faker", "kfp", "peft", "spacy", "torch", "transformers")


@cache
def code_digest() -> str:
    """Digest of the package's own Python and data files, wherever it is installed."""
    root = Path(kubepipe.__file__).parent
    files = sorted(file for file in root.rglob("*") if file.suffix in {".py", ".json", ".txt"})
    return digest_json([[file.relative_to(root).as_posix(), digest_file(file)] for file in files])


def versions() -> dict[str, str]:
    """Versions of KubePipe, its code, Python, the installed libraries and the image."""
    found = {
        "kubepipe": kubepipe.__version__,
        "code": code_digest(),
        "python": platform.python_version(),
        "image": os.environ.get("KUBEPIPE_IMAGE", "none"),
    }
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
