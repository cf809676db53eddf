"""Where everything lies in a release's folder and in the store.

models/<digest>/release.json       the record (schema release); its SHA-256 is the release's digest and its name
models/<digest>/model/             base model, adapter or tuned weights, tokeniser
models/<digest>/README.md          the model card
models/<digest>/permit.json        the privacy permit of the data that it was trained on
models/<digest>/permit-public.pem  the key that the permit is checked with
models/<digest>/provenance/        one in-toto statement per step, each in a DSSE envelope
models/<digest>/model.sig          OpenSSF model signature over all of these
models/current/<number>.json       the history of what is current; the highest number holds
"""

from __future__ import annotations

import re
from typing import Final

ROOT: Final = "models"
POINTERS: Final = f"{ROOT}/current"
RECORD: Final = "release.json"
MODEL: Final = "model"
CARD: Final = "README.md"
PERMIT: Final = "permit.json"
PERMIT_KEY: Final = "permit-public.pem"
PROVENANCE: Final = "provenance"
SIGNATURE: Final = "model.sig"


def release_key(digest: str) -> str:
    """Key of a release's folder in the store."""
    return f"{ROOT}/{digest.removeprefix('sha256:')}"


def is_release_name(name: str) -> bool:
    """Whether a name is that of a release: the 64 digits of its digest."""
    return re.fullmatch("[0-9a-f]{64}", name) is not None


def statement_name(number: int, step: str) -> str:
    """Path of a step's statement within a release."""
    return f"{PROVENANCE}/{number:02d}-{step}.json"
