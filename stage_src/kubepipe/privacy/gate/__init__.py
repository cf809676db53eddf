"""The gate: measure what protection left over, and decide by rules."""

from kubepipe.privacy.gate.attacks import Attacks, attack
from kubepipe.privacy.gate.decide import OVERRULABLE, Reason, Verdict, decide
from kubepipe.privacy.gate.measure import Measures, measure
from kubepipe.privacy.gate.probes import Probes, probe
from kubepipe.privacy.gate.second import check_second

__all__ = [
    "OVERRULABLE",
    "Attacks",
    "Measures",
    "Probes",
    "Reason",
    "Verdict",
    "attack",
    "check_second",
    "decide",
    "measure",
    "probe",
]
