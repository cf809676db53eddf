"""Finding personal data in texts."""

from kubepipe.privacy.detect.detector import Detector, build_detector
from kubepipe.privacy.detect.models import ModelStatus, available_models, check_language, resolve_model

__all__ = ["Detector", "ModelStatus", "available_models", "build_detector", "check_language", "resolve_model"]
