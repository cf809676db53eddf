"""The steps as KFP components.

Each body imports kubepipe and calls the stage: the code is in the image, nothing is installed at run time. Names of
steps, inputs and outputs are those that users of the graph know. This module must not postpone annotations: KFP reads
them as objects.
"""

# ruff: noqa: D103, ANN201 - KFP makes each docstring and signature part of the compiled graph
# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,misc"

import functools
from typing import Final

from kfp import dsl

STAGES_IMAGE: Final = "docker.io/kubepipe/stages:0.1.0"
TRAIN_IMAGE: Final = "docker.io/kubepipe/train:0.1.0"

# KFP would install itself from an index when a step starts; it is in the images instead.
_component = functools.partial(dsl.component, install_kfp_package=False)


@_component(base_image=STAGES_IMAGE)
def prepare_data(source: str, settings: str, output_dataset: dsl.Output[dsl.Dataset]):
    from kubepipe.stages import run_stage

    run_stage(
        "prepare-data",
        settings,
        inputs={},
        outputs={"output_dataset": output_dataset.path},
        uris={"output_dataset": output_dataset.uri},
        parameters={"source": source},
    )


@_component(base_image=STAGES_IMAGE)
def assess_privacy_risk(settings: str, output_dataset: dsl.Input[dsl.Dataset], risk_report: dsl.Output[dsl.Artifact]):
    from kubepipe.stages import run_stage

    run_stage(
        "assess-privacy-risk",
        settings,
        inputs={"output_dataset": output_dataset.path},
        outputs={"risk_report": risk_report.path},
        uris={"risk_report": risk_report.uri},
    )


@_component(base_image=STAGES_IMAGE)
def anonymize_data(
    settings: str,
    output_dataset: dsl.Input[dsl.Dataset],
    risk_report: dsl.Input[dsl.Artifact],
    anonymized_dataset: dsl.Output[dsl.Dataset],
):
    from kubepipe.stages import run_stage

    run_stage(
        "anonymize-data",
        settings,
        inputs={"output_dataset": output_dataset.path, "risk_report": risk_report.path},
        outputs={"anonymized_dataset": anonymized_dataset.path},
        uris={"anonymized_dataset": anonymized_dataset.uri},
    )


@_component(base_image=STAGES_IMAGE)
def minimize_data(
    settings: str, anonymized_dataset: dsl.Input[dsl.Dataset], minimized_dataset: dsl.Output[dsl.Dataset]
):
    from kubepipe.stages import run_stage

    run_stage(
        "minimize-data",
        settings,
        inputs={"anonymized_dataset": anonymized_dataset.path},
        outputs={"minimized_dataset": minimized_dataset.path},
        uris={"minimized_dataset": minimized_dataset.uri},
    )


@_component(base_image=STAGES_IMAGE)
def verify_privacy(
    settings: str,
    output_dataset: dsl.Input[dsl.Dataset],
    minimized_dataset: dsl.Input[dsl.Dataset],
    privacy_permit: dsl.Output[dsl.Artifact],
    protected_dataset: dsl.Output[dsl.Dataset],
):
    from kubepipe.stages import run_stage

    run_stage(
        "verify-privacy",
        settings,
        inputs={"output_dataset": output_dataset.path, "minimized_dataset": minimized_dataset.path},
        outputs={"privacy_permit": privacy_permit.path, "protected_dataset": protected_dataset.path},
        uris={"privacy_permit": privacy_permit.uri, "protected_dataset": protected_dataset.uri},
    )


@_component(base_image=TRAIN_IMAGE)
def fine_tune_model(
    settings: str,
    protected_dataset: dsl.Input[dsl.Dataset],
    privacy_permit: dsl.Input[dsl.Artifact],
    output_model: dsl.Output[dsl.Model],
    sustainability_metrics: dsl.Output[dsl.Artifact],
    training_history: dsl.Output[dsl.Artifact],
):
    from kubepipe.stages import run_stage

    run_stage(
        "fine-tune-model",
        settings,
        inputs={"protected_dataset": protected_dataset.path, "privacy_permit": privacy_permit.path},
        outputs={
            "output_model": output_model.path,
            "sustainability_metrics": sustainability_metrics.path,
            "training_history": training_history.path,
        },
        uris={
            "output_model": output_model.uri,
            "sustainability_metrics": sustainability_metrics.uri,
            "training_history": training_history.uri,
        },
    )


@_component(base_image=TRAIN_IMAGE)
def benchmark_model(
    settings: str,
    protected_dataset: dsl.Input[dsl.Dataset],
    output_model: dsl.Input[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
):
    from kubepipe.stages import run_stage

    results = run_stage(
        "benchmark-model",
        settings,
        inputs={"protected_dataset": protected_dataset.path, "output_model": output_model.path},
        outputs={"metrics": metrics.path},
        uris={"metrics": metrics.uri},
    )
    for model in ("untuned", "tuned"):
        for name in ("exact_match", "f1"):
            metrics.log_metric(f"{model}_{name}", results[model][name])


@_component(base_image=TRAIN_IMAGE)
def evaluate_and_plot_metrics(
    settings: str,
    benchmark_metrics: dsl.Input[dsl.Metrics],
    training_history: dsl.Input[dsl.Artifact],
    sustainability_metrics: dsl.Input[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    plot_html: dsl.Output[dsl.HTML],
    summary_markdown: dsl.Output[dsl.Markdown],
):
    from kubepipe.stages import run_stage

    results = run_stage(
        "evaluate-and-plot-metrics",
        settings,
        inputs={
            "benchmark_metrics": benchmark_metrics.path,
            "training_history": training_history.path,
            "sustainability_metrics": sustainability_metrics.path,
        },
        outputs={"metrics": metrics.path, "plot_html": plot_html.path, "summary_markdown": summary_markdown.path},
        uris={"metrics": metrics.uri, "plot_html": plot_html.uri, "summary_markdown": summary_markdown.uri},
    )
    for name in ("exact_match", "f1", "energy_kwh", "gco2e", "seconds", "cpu_seconds"):
        metrics.log_metric(name, results[name])


@_component(base_image=TRAIN_IMAGE)
def model_inference(
    settings: str,
    protected_dataset: dsl.Input[dsl.Dataset],
    output_model: dsl.Input[dsl.Model],
    inference_results: dsl.Output[dsl.Artifact],
):
    from kubepipe.stages import run_stage

    run_stage(
        "model-inference",
        settings,
        inputs={"protected_dataset": protected_dataset.path, "output_model": output_model.path},
        outputs={"inference_results": inference_results.path},
        uris={"inference_results": inference_results.uri},
    )


@_component(base_image=TRAIN_IMAGE)
def publish_model(
    settings: str,
    protected_dataset: dsl.Input[dsl.Dataset],
    privacy_permit: dsl.Input[dsl.Artifact],
    output_model: dsl.Input[dsl.Model],
    benchmark_metrics: dsl.Input[dsl.Metrics],
    release: dsl.Output[dsl.Artifact],
):
    from kubepipe.stages import run_stage

    run_stage(
        "publish-model",
        settings,
        inputs={
            "protected_dataset": protected_dataset.path,
            "privacy_permit": privacy_permit.path,
            "output_model": output_model.path,
            "benchmark_metrics": benchmark_metrics.path,
        },
        outputs={"release": release.path},
        uris={"release": release.uri},
    )
