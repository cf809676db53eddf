from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kubepipe.errors import OutputError
from kubepipe.pipeline.compile import compile_pipeline
from kubepipe.stages import STAGES

OUTPUTS = {
    "prepare-data": {"output_dataset"},
    "assess-privacy-risk": {"risk_report"},
    "anonymize-data": {"anonymized_dataset"},
    "minimize-data": {"minimized_dataset"},
    "verify-privacy": {"privacy_permit", "protected_dataset"},
    "fine-tune-model": {"output_model", "sustainability_metrics", "training_history"},
    "benchmark-model": {"metrics"},
    "evaluate-and-plot-metrics": {"metrics", "plot_html", "summary_markdown"},
    "model-inference": {"inference_results"},
    "publish-model": {"release"},
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The two documents of the compiled graph."""
    file = tmp_path_factory.mktemp("graph") / "kubepipe.yaml"
    compile_pipeline(file)
    return list(yaml.safe_load_all(file.read_text(encoding="utf-8")))


def test_steps_and_outputs_have_the_names_that_users_know(compiled: list[Any]) -> None:
    """The graph's contract: these steps, these outputs."""
    components = compiled[0]["components"]
    found = {
        name.removeprefix("comp-"): set(component["outputDefinitions"]["artifacts"])
        for name, component in components.items()
    }
    assert found == OUTPUTS
    assert set(compiled[0]["root"]["dag"]["tasks"]) == set(STAGES)


def test_nothing_is_installed_when_a_step_starts(compiled: list[Any]) -> None:
    """The code is in the image: no package index is asked at run time."""
    for executor in compiled[0]["deploymentSpec"]["executors"].values():
        assert "pip install" not in " ".join(executor["container"]["command"])
        assert not executor["container"]["image"].endswith(":latest")


def test_the_gate_stands_before_everything_that_reads_data(compiled: list[Any]) -> None:
    """Training and everything behind it read only what verify-privacy writes."""
    tasks = compiled[0]["root"]["dag"]["tasks"]
    behind = list(STAGES)[list(STAGES).index("verify-privacy") + 1 :]
    sealed = {"prepare-data", "assess-privacy-risk", "anonymize-data", "minimize-data"}
    for step in behind:
        producers = {
            artifact["taskOutputArtifact"]["producerTask"]
            for artifact in tasks[step]["inputs"].get("artifacts", {}).values()
        }
        assert producers
        assert not producers & sealed


def test_every_step_retries_and_leaves_reuse_to_us(compiled: list[Any]) -> None:
    """The launcher gives up on the store after 8 seconds, and KFP's cache knows names only."""
    for task in compiled[0]["root"]["dag"]["tasks"].values():
        assert task["retryPolicy"]["maxRetryCount"] == 2
        assert not task.get("cachingOptions", {}).get("enableCache", False)


def test_the_run_is_known_by_its_pod_label(compiled: list[Any]) -> None:
    """Every step learns the run's id from its surroundings."""
    executors = compiled[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert len(executors) == len(STAGES)
    for executor in executors.values():
        names = {each["name"]: each["fieldPath"] for each in executor["fieldPathAsEnv"]}
        assert names == {"KUBEPIPE_RUN": "metadata.labels['pipeline/runid']"}


def test_the_interface_of_kfp_can_show_report_and_summary(compiled: list[Any]) -> None:
    """It shows artifacts of these two types by their content at the URI; the name comes from the output (launcher)."""
    outputs = compiled[0]["components"]["comp-evaluate-and-plot-metrics"]["outputDefinitions"]["artifacts"]
    types = {name: output["artifactType"]["schemaTitle"] for name, output in outputs.items()}
    assert types == {"metrics": "system.Metrics", "plot_html": "system.HTML", "summary_markdown": "system.Markdown"}


def test_what_the_interface_shows_is_one_file_at_the_artifacts_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The component's own code writes HTML and Markdown to the artifacts' paths, and says the URIs in its record."""
    from kfp import dsl

    from kubepipe.pipeline import components

    given: dict[str, Any] = {}

    def run_stage(step: str, settings: str, **arguments: Any) -> dict[str, float]:
        given.update(arguments, step=step, settings=settings)
        return dict.fromkeys(("exact_match", "f1", "energy_kwh", "gco2e", "seconds", "cpu_seconds"), 1.0)

    monkeypatch.setattr("kubepipe.stages.run_stage", run_stage)
    root = "minio://mlpipeline/v2/artifacts/kubepipe/run/evaluate"
    artifacts = {
        "metrics": dsl.Metrics(name="metrics", uri=f"{root}/metrics"),
        "plot_html": dsl.HTML(name="plot_html", uri=f"{root}/plot_html"),
        "summary_markdown": dsl.Markdown(name="summary_markdown", uri=f"{root}/summary_markdown"),
    }
    inputs = {name: dsl.Artifact(uri=str(tmp_path / name)) for name in ("training_history", "sustainability_metrics")}
    components.evaluate_and_plot_metrics.python_func(
        settings="{}", benchmark_metrics=dsl.Metrics(uri=str(tmp_path / "benchmark")), **inputs, **artifacts
    )
    assert given["uris"] == {name: each.uri for name, each in artifacts.items()}
    assert given["outputs"]["plot_html"] == "/minio/mlpipeline/v2/artifacts/kubepipe/run/evaluate/plot_html"
    assert artifacts["metrics"].metadata["f1"] == 1.0


def test_a_name_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    """The compiler would refuse it with a traceback."""
    with pytest.raises(OutputError, match="YAML"):
        compile_pipeline(tmp_path / "graph.txt")


def test_the_chart_ships_this_very_graph(compiled: list[Any]) -> None:
    """`kubepipe pipeline compile charts/kubepipe/files/pipeline/kubepipe.yaml` renews it."""
    shipped = Path(__file__).parents[2] / "charts" / "kubepipe" / "files" / "pipeline" / "kubepipe.yaml"
    assert list(yaml.safe_load_all(shipped.read_text(encoding="utf-8"))) == compiled
