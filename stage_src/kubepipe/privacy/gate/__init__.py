"""The gate: measure what protection left over, and decide by rules."""

from kubepipe.privacy.gate.decide import OVERRULABLE, Reason, Verdict, decide
from kubepipe.privacy.gate.measure import Measures, measure
from kubepipe.privacy.gate.probes import Probes, probe

__all__ = ["OVERRULABLE", "Measures", "Probes", "Reason", "Verdict", "decide", "measure", "probe"]
