"""One module per step of the graph: read inputs, call the rooms, write outputs."""

from kubepipe.stages.catalogue import STAGES, StageSpec
from kubepipe.stages.run import run_stage

__all__ = ["STAGES", "StageSpec", "run_stage"]
