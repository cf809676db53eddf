"""From the graph to KFP's intermediate representation."""

from __future__ import annotations

import tempfile
from pathlib import Path

from kubepipe.errors import OutputError


def compile_pipeline(target: Path) -> None:
    """Write the compiled graph as YAML.

    Raises:
        OutputError: The place cannot be written, or does not end in .yaml or .yml.
    """
    if target.suffix not in {".yaml", ".yml"}:
        raise OutputError("is no YAML file name", place=str(target), remedy="Let it end in .yaml")
    from kfp import compiler

    from kubepipe.pipeline.graph import kubepipe_pipeline

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new.") as folder:
            fresh = Path(folder) / target.name
            compiler.Compiler().compile(kubepipe_pipeline, str(fresh))
            fresh.replace(target)
    except OSError as error:
        raise OutputError(
            f"cannot be written ({error.strerror})", place=str(target), remedy="Choose another place"
        ) from error
