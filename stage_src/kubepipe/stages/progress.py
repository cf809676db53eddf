"""How far a step is, for whoever watches: one small file per step."""

from __future__ import annotations

import json

from kubepipe.records import write_text
from kubepipe.stages.context import Progress, environment_path


def open_progress(step: str) -> Progress:
    """A function that tells how far the step is; it writes `<KUBEPIPE_PROGRESS>/<step>.json`, or nothing."""
    folder = environment_path("KUBEPIPE_PROGRESS")

    def tell(share: float, text: str) -> None:
        if folder is not None:
            write_text(folder / f"{step}.json", json.dumps({"share": round(share, 3), "text": text}))

    return tell
