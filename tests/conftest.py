"""Fixtures for all tests."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from kubepipe.passages import Answer, Passage, Question, read_manifest, write_dataset
from kubepipe.pipeline.folder import RunFolder
from kubepipe.records import digest_bytes, write_document
from kubepipe.records.step import StepRecord, read_step_record, write_step_record
from kubepipe.releases import create_model_keys
from kubepipe.sealing import create_keys, load_signing_key, sign_permit
from kubepipe.settings import Settings, settings_digest
from kubepipe.stages import run_stage
from kubepipe.stages.artifacts import describe
from kubepipe.storage import FolderStore

# How long an example takes says more of the machine than of the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

EXAMPLES = Path(__file__).parent.parent / "examples"
_TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
_CORPUS = [
    "Answer the question with the shortest phrase of the context that answers it.",
    "Context:\nAda Lovelace was born in London in 1815.\nQuestion: Where was she born?",
    "unanswerable system user assistant",
]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach a model hub."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the large public data sets; tests that need it are left out where it is not."""
    folder = os.environ.get("KUBEPIPE_TEST_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("KUBEPIPE_TEST_DATA names no folder with the large public data sets")
    return Path(folder)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The sample data that the repository ships."""
    return EXAMPLES


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """A byte-level tokeniser with a chat template, whose end token is also its filler, as in SmolLM2."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|start|>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(_CORPUS * 5, trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<|start|>", eos_token="<|end|>", pad_token="<|end|>"
    )
    made.chat_template = _TEMPLATE
    return made


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Path:
    """A folder with a random two-layer Llama and the tokeniser."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.2,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    folder = tmp_path_factory.mktemp("models") / "tiny"
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@dataclass(frozen=True)
class Ledger:
    """A run's folder with everything before publish-model: artifacts, keys and step records.

    The model is the tiny one and the data a fictional passage; the records are what the steps would have written.
    """

    folder: RunFolder
    monkeypatch: pytest.MonkeyPatch

    @property
    def store(self) -> FolderStore:
        """The run's store."""
        return FolderStore(self.folder.store)

    @property
    def public_key(self) -> Path:
        """The key that releases are checked with."""
        return self.folder.signing / "model-public.pem"

    def artifact(self, name: str) -> Path:
        """An output of a step."""
        return self.folder.artifacts / name

    def fill(self, run: str, model: Path, f1: float = 50.0) -> None:
        """Write artifacts and records of a run with a model and its score."""
        create_keys(self.folder.keys)
        create_model_keys(self.folder.signing)
        shutil.rmtree(self.folder.artifacts, ignore_errors=True)
        context = f"Run {run} was in Bonn."
        passage = Passage("p", "d", context, (Question("q", "Where?", (Answer("Bonn", context.index("Bonn")),)),))
        for name in ("output_dataset", "anonymized_dataset", "minimized_dataset", "protected_dataset"):
            write_dataset(
                self.artifact(name),
                {"train": [passage], "validation": []},
                origin={"digest": digest_bytes(name.encode())},
                counts={},
            )
        self.artifact("risk_report").write_text("{}", encoding="utf-8")
        shutil.copytree(model, self.artifact("output_model") / "base")
        shutil.copytree(model, self.artifact("output_model") / "tuned")
        for name in ("sustainability_metrics", "training_history"):
            self.artifact(name).write_text(run, encoding="utf-8")
        write_document(self.artifact("metrics"), scores(f1), "benchmark-metrics")
        permit = {
            "schema_version": 1,
            "run": run,
            "input_digest": read_manifest(self.artifact("output_dataset")).digest,
            "output_digest": read_manifest(self.artifact("protected_dataset")).digest,
            "policy_digest": settings_digest(Settings(), ["privacy"]),
            "verdict": "pass",
            "measures": {"direct_values": 47, "leaking_share": 0.0, "redetected_per_1000_tokens": 1.5},
            "versions": {"kubepipe": "test"},
        }
        write_document(
            self.artifact("privacy_permit"), sign_permit(permit, load_signing_key(self.folder.keys)), "privacy-permit"
        )
        for step, (inputs, outputs, results) in STEPS.items():
            write_step_record(self.store, self._record(run, step, inputs, outputs, results))

    def _record(
        self, run: str, step: str, inputs: Mapping[str, str], outputs: tuple[str, ...], results: Mapping[str, Any]
    ) -> StepRecord:
        return StepRecord(
            run=run,
            step=step,
            status="succeeded",
            started_at="2026-01-01T00:00:00+00:00",
            finished_at="2026-01-01T00:00:01+00:00",
            seconds=1.0,
            cpu_seconds=1.0,
            peak_rss_bytes=1,
            energy={"energy_kwh": 0.001, "gco2e": 0.38},
            memo_key=digest_bytes(step.encode()),
            settings_digest=settings_digest(Settings(), ["privacy"]),
            inputs={name: describe(self.artifact(source), source) for name, source in inputs.items()},
            outputs={name: describe(self.artifact(name), name) for name in outputs},
            versions={"kubepipe": "test"},
            results=results,
        )

    def publish(self, run: str, settings: Mapping[str, Any] | None = None) -> StepRecord:
        """Run publish-model on what `fill` wrote, and return its record."""
        values = {
            "KUBEPIPE_RUN": run,
            "KUBEPIPE_STORE": str(self.folder.store),
            "KUBEPIPE_PERMIT_KEY": str(self.folder.keys / "permit-public.pem"),
            "KUBEPIPE_SIGNING_KEY": str(self.folder.signing / "model-signing.pem"),
        }
        for name, value in values.items():
            self.monkeypatch.setenv(name, value)
        inputs = {
            "protected_dataset": "protected_dataset",
            "privacy_permit": "privacy_permit",
            "output_model": "output_model",
            "benchmark_metrics": "metrics",
        }
        run_stage(
            "publish-model",
            json.dumps(settings or {}),
            inputs={name: str(self.artifact(each)) for name, each in inputs.items()},
            outputs={"release": str(self.artifact("release"))},
        )
        record = read_step_record(self.store, run, "publish-model")
        assert record is not None
        return record

    def release(self, digest: str) -> Path:
        """The folder of a release."""
        return self.folder.store / "models" / digest.removeprefix("sha256:")


_DIGEST = "sha256:" + "0" * 64
_TUNED = {"model": "tiny", "model_licence": "Apache-2.0", "base_digest": _DIGEST}
STEPS: Mapping[str, tuple[Mapping[str, str], tuple[str, ...], Mapping[str, Any]]] = {
    "prepare-data": (
        {},
        ("output_dataset",),
        {"source_digest": _DIGEST, "source_version": {"version_id": "v7", "etag": "e", "size": 1, "objects": 1}},
    ),
    "assess-privacy-risk": ({"output_dataset": "output_dataset"}, ("risk_report",), {}),
    "anonymize-data": (
        {"output_dataset": "output_dataset", "risk_report": "risk_report"},
        ("anonymized_dataset",),
        {},
    ),
    "minimize-data": ({"anonymized_dataset": "anonymized_dataset"}, ("minimized_dataset",), {}),
    "verify-privacy": (
        {"output_dataset": "output_dataset", "minimized_dataset": "minimized_dataset"},
        ("privacy_permit", "protected_dataset"),
        {"verdict": "pass"},
    ),
    "fine-tune-model": (
        {"protected_dataset": "protected_dataset", "privacy_permit": "privacy_permit"},
        ("output_model", "sustainability_metrics", "training_history"),
        _TUNED,
    ),
    "benchmark-model": (
        {"protected_dataset": "protected_dataset", "output_model": "output_model"},
        ("metrics",),
        {"untuned": {"exact_match": 1.0, "f1": 2.0}, "tuned": {"exact_match": 50.0, "f1": 50.0}},
    ),
}


def scores(f1: float) -> dict[str, Any]:
    """Benchmark metrics of a tuned model with this F1, one point to each side."""
    side = {"missing": 0, "has_answer": None, "no_answer": None}
    untuned = {"exact_match": 1.0, "f1": 2.0, "exact_match_interval": [0.0, 2.0], "f1_interval": [1.0, 3.0]}
    tuned = {"exact_match": f1, "f1": f1, "exact_match_interval": [f1 - 1, f1 + 1], "f1_interval": [f1 - 1, f1 + 1]}
    names = ("exact_match", "f1", "exact_match_interval", "f1_interval")
    return {
        "schema_version": 1,
        "definition": "1.1",
        "total": 10,
        "untuned": {**side, **untuned},
        "tuned": {**side, **tuned},
        "difference": {name: tuned[name] if name.endswith("val") else f1 for name in names},
        "level": 0.95,
        "resamples": 10,
        "breakdowns": {},
    }


@pytest.fixture
def ledger(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A run `one` that is ready to be published."""
    made = Ledger(RunFolder(tmp_path / "run"), monkeypatch)
    made.fill("one", tiny_folder)
    return made
