"""The gate: measure what protection left over, and decide by rules."""

from kubepipe.privacy.gate.decide import Reason, Verdict, decide
from kubepipe.privacy.gate.measure import Measures, measure

__all__ = ["Measures", "Reason", "Verdict", "decide", "measure"]
