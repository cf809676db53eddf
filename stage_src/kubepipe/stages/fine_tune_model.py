"""fine-tune-model: only with a permit for exactly this data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubepipe.energy import Meter, beside
from kubepipe.errors import InputError
from kubepipe.passages import iter_passages, verify_dataset
from kubepipe.records import write_document
from kubepipe.scoring import make_judge
from kubepipe.settings import ScoringSettings
from kubepipe.stages.context import StageContext
from kubepipe.stages.permit import check_permit
from kubepipe.training import Progress, fine_tune, resolve_model


def admit(context: StageContext) -> None:
    """Refuse a data set without a permit, whether the model would be trained or reused.

    Raises:
        IntegrityError: The permit does not hold for this data set, policy or signer.
    """
    verify_dataset(context.inputs["protected_dataset"])
    check_permit(context)


def run(context: StageContext) -> Mapping[str, Any]:
    """Fine-tune the model on the protected data set.

    Raises:
        ModelNotFoundError: The model does not resolve on this machine.
    """
    folder = context.inputs["protected_dataset"]
    settings = context.settings
    train, validation = list(iter_passages(folder, "train")), list(iter_passages(folder, "validation"))
    if not train:
        raise InputError("no training question is left", place="the protected data set", remedy="Give more data")

    def tell(progress: Progress) -> None:
        context.progress(progress.share, progress.text)

    with beside(settings.energy) as tracker, Meter(settings.energy) as meter:
        result = fine_tune(
            resolve_model(settings.training.model, online=settings.online),
            train,
            validation,
            settings.training,
            seed=settings.seed,
            out=context.outputs["output_model"],
            progress=tell,
            checkpoint_dir=context.scratch,
            # Its answers are short; the scoring settings may change without a new training.
            judge=make_judge(validation, ScoringSettings(), settings.training),
        )
    history = result.document()
    write_document(context.outputs["training_history"], history, "training-history")
    write_document(
        context.outputs["sustainability_metrics"],
        {**meter.result().document(), "tracker": tracker.document()},
        "energy",
    )
    return history
