"""The child process that drives the graph by `kfp.local`; its words go to a log file."""

from __future__ import annotations

import sys
from pathlib import Path


def main(source: str, settings_file: str, pipeline_root: str) -> None:
    """Run the whole graph in subprocesses of this process.

    Args:
        source: Path of the data set.
        settings_file: File with the canonical JSON of the settings.
        pipeline_root: Folder for the outputs of the steps.
    """
    from kfp import local

    from kubepipe.pipeline.graph import kubepipe_pipeline

    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=pipeline_root, raise_on_error=True)
    kubepipe_pipeline(source=source, settings=Path(settings_file).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(*sys.argv[1:])
