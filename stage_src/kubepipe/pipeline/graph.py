"""The graph: which step feeds which. Flat, so that a gate that ends the run fails closed and pods stay few."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,misc"

from typing import Any, Final

from kfp import dsl, kubernetes

from kubepipe.pipeline import components

PIPELINE_NAME: Final = "kubepipe"
_RETRIES: Final = 2


def _step(task: Any) -> Any:
    """What every step has in common."""
    # KFP's cache knows names and not contents, so ours decides about reuse (stages/memo.py).
    task.set_caching_options(enable_caching=False)
    # The launcher gives up on the object store after 8 seconds; a retry carries a step over a short outage.
    task.set_retry(_RETRIES, backoff_duration="5s", backoff_factor=2.0)
    # The run's id is environment and no parameter: one compiled graph serves every run.
    kubernetes.use_field_path_as_env(task, "KUBEPIPE_RUN", "metadata.labels['pipeline/runid']")
    return task


@dsl.pipeline(name=PIPELINE_NAME, description="Protect a data set, fine-tune a model on it, score and publish it.")
def kubepipe_pipeline(source: str, settings: str = "{}"):  # noqa: ANN201 - KFP reads the signature
    """From a data set to a published model.

    Args:
        source: The data set: a local path, or s3://bucket/key.
        settings: Canonical JSON of the settings.
    """
    prepare = _step(components.prepare_data(source=source, settings=settings))
    raw = prepare.outputs["output_dataset"]
    assess = _step(components.assess_privacy_risk(settings=settings, output_dataset=raw))
    anonymize = _step(
        components.anonymize_data(settings=settings, output_dataset=raw, risk_report=assess.outputs["risk_report"])
    )
    minimize = _step(
        components.minimize_data(settings=settings, anonymized_dataset=anonymize.outputs["anonymized_dataset"])
    )
    verify = _step(
        components.verify_privacy(
            settings=settings, output_dataset=raw, minimized_dataset=minimize.outputs["minimized_dataset"]
        )
    )
    protected, permit = verify.outputs["protected_dataset"], verify.outputs["privacy_permit"]
    tune = _step(components.fine_tune_model(settings=settings, protected_dataset=protected, privacy_permit=permit))
    model = tune.outputs["output_model"]
    benchmark = _step(components.benchmark_model(settings=settings, protected_dataset=protected, output_model=model))
    scores = benchmark.outputs["metrics"]
    _step(
        components.evaluate_and_plot_metrics(
            settings=settings,
            benchmark_metrics=scores,
            training_history=tune.outputs["training_history"],
            sustainability_metrics=tune.outputs["sustainability_metrics"],
        )
    )
    _step(components.model_inference(settings=settings, protected_dataset=protected, output_model=model))
    _step(
        components.publish_model(
            settings=settings,
            protected_dataset=protected,
            privacy_permit=permit,
            output_model=model,
            benchmark_metrics=scores,
        )
    )
