"""The whole chain as a user starts it: a process of its own, real data, the real model."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from kubepipe.records import read_document
from kubepipe.records.documents import validate
from kubepipe.stages import STAGES

pytestmark = pytest.mark.slow

SMALL = [
    "--set", "dataset.max_train_questions=24", "--set", "dataset.max_validation_questions=12",
    "--set", "training.epochs=1", "--set", "scoring.sample_questions=4", "--set", "publish.must_improve=false",
]  # fmt: skip


def kubepipe(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    command = [sys.executable, "-m", "kubepipe.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=900, **options)


@pytest.fixture(scope="module")
def clinic(examples: Path) -> Path:
    """The fictional clinic, rich in personal data."""
    return examples / "clinic" / "clinic.jsonl"


@pytest.fixture(scope="module")
def finished(clinic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run on the clinic."""
    folder = tmp_path_factory.mktemp("run") / "clinic"
    # By a relative path, as in the README.
    done = kubepipe("run", str(clinic), "--out", folder.name, *SMALL, cwd=folder.parent)
    assert done.returncode == 0, done.stdout + done.stderr + _tail(folder)
    return folder


def _tail(folder: Path) -> str:
    log = folder / "logs" / "engine.log"
    return log.read_text(encoding="utf-8", errors="replace")[-4000:] if log.exists() else ""


def test_a_finished_run_holds_everything_a_user_looks_for(finished: Path) -> None:
    """Scores of both models, energy, digests and verdict are in run.json; all steps succeeded."""
    run = read_document(finished / "run.json", "run")
    assert run["verdict"] == "published"
    assert {step: each["status"] for step, each in run["steps"].items()} == dict.fromkeys(STAGES, "succeeded")
    assert set(run["scores"]) == {"untuned", "tuned"}
    assert run["energy_kwh"] > 0
    assert run["gco2e"] == pytest.approx(run["energy_kwh"] * 380.95, rel=0.01)
    assert all(run["digests"].values())
    for name in ("report.html", "summary.md", "dataset/manifest.json", "dataset/permit.json", "model/adapter"):
        assert (finished / name).exists(), name


def test_answered_questions_fit_their_schema(finished: Path) -> None:
    """One JSON object a line."""
    lines = (finished / "inference_results.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
    assert len(lines) == 4
    for number, line in enumerate(lines):
        validate(json.loads(line), "inference-result", place=f"line {number}")


def test_no_direct_identifier_of_the_source_is_in_any_file_of_the_run(finished: Path, clinic: Path) -> None:
    """Raw data is sealed, and neither records, logs, report nor model folder hold a value of it."""
    rows = [json.loads(line) for line in clinic.read_text(encoding="utf-8").splitlines()]
    values = {row[column].encode() for row in rows for column in ("patient_id", "phone", "title")}
    assert len(values) >= 60
    for file in finished.rglob("*"):
        if file.is_file() and "base" not in file.parts:
            content = file.read_bytes()
            assert not [value for value in values if value in content], file


def test_the_data_key_is_gone_when_the_run_is_done(finished: Path) -> None:
    """From then on nobody opens the sealed raw data."""
    assert list((finished / ".kubepipe" / "store" / "keys").glob("*.json")) == []


def test_running_again_reuses_every_finished_step(finished: Path, clinic: Path) -> None:
    """The same arguments compute nothing twice, and the run's figures stay."""
    before = read_document(finished / "run.json", "run")
    done = kubepipe("run", str(clinic), "--out", str(finished), *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    after = read_document(finished / "run.json", "run")
    statuses = {step: each["status"] for step, each in after["steps"].items()}
    again = {"evaluate-and-plot-metrics", "publish-model"}
    assert statuses == {step: "succeeded" if step in again else "reused" for step in STAGES}
    assert after["scores"] == before["scores"]
    assert after["steps"]["fine-tune-model"]["seconds"] == before["steps"]["fine-tune-model"]["seconds"]


def test_the_model_loads_with_plain_libraries(finished: Path) -> None:
    """Three lines of transformers and peft are enough."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(finished / "model" / "base")
    model = PeftModel.from_pretrained(base, finished / "model" / "adapter")
    assert sum(parameter.numel() for name, parameter in model.named_parameters() if "lora" in name) > 1_000_000


def test_the_release_holds_from_the_source_to_the_weights(finished: Path) -> None:
    """The run published what verifies, and the model folder beside the report is that of the release."""
    for model in (finished, finished / "model"):
        done = kubepipe("verify", str(model))
        assert done.returncode == 0, done.stderr
    assert "8 steps, permit, weights and signature hold" in done.stdout


def test_the_release_answers_over_http_and_ends_when_told(finished: Path) -> None:
    """`kubepipe serve` on the run's folder: ready, a sensible answer with the release's digest, a clean end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "kubepipe.cli", "serve", str(finished), "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)
        _wait_until_ready(client, process)
        body = {
            "context": "The hospital of Bonn was opened in 1952. Its first head was a surgeon named Meyer.",
            "questions": ["When was the hospital opened?", "Who was its first head?"],
        }
        answered = client.post("/v1/answers", json=body)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[0]
    assert process.returncode in {0, -signal.SIGTERM}
    assert answered.status_code == 200
    assert "1952" in answered.json()["answers"][0]["answer"]
    assert f"sha256:{_current(finished)}" == answered.json()["release"]
    assert "Meyer" not in said


def _current(finished: Path) -> str:
    done = kubepipe("releases", str(finished), "--json")
    return str(json.loads(done.stdout)["current"]).removeprefix("sha256:")


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while True:
        assert process.poll() is None, "ended before it was ready"
        assert time.monotonic() < deadline, "did not become ready"
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)


def test_data_with_personal_data_does_not_pass_without_protection(clinic: Path, tmp_path: Path) -> None:
    """The negative control: pseudonymisation off, and the gate keeps the data and says why."""
    folder = tmp_path / "kept"
    done = kubepipe("run", str(clinic), "--out", str(folder), *SMALL, "--set", "privacy.enabled=false")
    assert done.returncode == 3, done.stdout + done.stderr
    run = read_document(folder / "run.json", "run")
    assert run["verdict"] == "quarantined"
    assert run["steps"]["fine-tune-model"]["status"] == "not_run"
    assert not (folder / "dataset").exists()
    assert not (folder / "model").exists()
    assert (folder / "report.html").is_file()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_the_running_step_and_leaves_a_resumable_folder(
    clinic: Path, tmp_path: Path, signum: signal.Signals
) -> None:
    """No process stays behind, and the same command goes on where it was."""
    folder = tmp_path / "stopped"
    arguments = ["run", str(clinic), "--out", str(folder), *SMALL]
    with subprocess.Popen(
        [sys.executable, "-m", "kubepipe.cli", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        _wait_for(folder / ".kubepipe" / "progress" / "anonymize-data.json", process)
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        process.send_signal(signum)
        said = process.communicate(timeout=120)[0]
    assert process.returncode == 128 + signum
    assert "resumes" in said
    assert psutil.wait_procs(family, timeout=30)[1] == []
    records = [json.loads(file.read_text()) for file in folder.glob(".kubepipe/store/runs/*/prepare-data.json")]
    assert [record["status"] for record in records] == ["succeeded"]
    assert not (folder / "run.json").exists()


def _wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while not file.exists():
        assert process.poll() is None, "ended before the step began"
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.05)
