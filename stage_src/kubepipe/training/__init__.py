"""Model resolution, context-once packing, LoRA training, checkpoints."""

from kubepipe.training.models import KnownModel, ResolvedModel, known_models, locate_model, resolve_model
from kubepipe.training.prompt import PromptEncoder
from kubepipe.training.result import Progress, StepLoss, TrainingResult
from kubepipe.training.train import fine_tune

__all__ = [
    "KnownModel",
    "Progress",
    "PromptEncoder",
    "ResolvedModel",
    "StepLoss",
    "TrainingResult",
    "fine_tune",
    "known_models",
    "locate_model",
    "resolve_model",
]
