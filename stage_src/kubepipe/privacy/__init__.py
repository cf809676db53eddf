"""Privacy: find personal data, replace it without losing an answer, measure what is left, and decide."""

from kubepipe.privacy.assess import RiskReport, assess
from kubepipe.privacy.detect import Detector, ModelStatus, available_models, build_detector, check_language
from kubepipe.privacy.detect.plugins import check_detectors
from kubepipe.privacy.detect.stream import Text, detect_stream
from kubepipe.privacy.entities import EntityClass, Span
from kubepipe.privacy.gate import (
    OVERRULABLE,
    Attacks,
    Measures,
    Probes,
    Reason,
    Verdict,
    attack,
    check_second,
    decide,
    measure,
    probe,
)
from kubepipe.privacy.minimise import minimise
from kubepipe.privacy.pseudonymise import Protected, Pseudonymiser, Survey, Vault, survey

__all__ = [
    "OVERRULABLE",
    "Attacks",
    "Detector",
    "EntityClass",
    "Measures",
    "ModelStatus",
    "Probes",
    "Protected",
    "Pseudonymiser",
    "Reason",
    "RiskReport",
    "Span",
    "Survey",
    "Text",
    "Vault",
    "Verdict",
    "assess",
    "attack",
    "available_models",
    "build_detector",
    "check_detectors",
    "check_language",
    "check_second",
    "decide",
    "detect_stream",
    "measure",
    "minimise",
    "probe",
    "survey",
]
