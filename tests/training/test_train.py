"""Fine-tuning a tiny model from passages to a folder."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import InputError, OutputError, SettingsError, TrainingError
from kubepipe.passages.model import Passage, Question
from kubepipe.records import digest_tree, validate
from kubepipe.settings import TrainingSettings
from kubepipe.training import Progress, ResolvedModel, TrainingResult, fine_tune

MakePassages = Callable[..., list[Passage]]
_KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from kubepipe.training import fine_tune
folder = Path(sys.argv[1])
model, passages, settings = pickle.loads((folder / "given").read_bytes())
def progress(now):
    if now.step == 4:
        os.kill(os.getpid(), signal.SIGKILL)
fine_tune(
    model, passages, passages[:2], settings.model_copy(update={"checkpoint_seconds": 1e-9}), seed=0,
    out=folder / "out", progress=progress, checkpoint_dir=folder / "checkpoints",
)
"""
_SETTINGS = TrainingSettings(
    rank=4, tokens_per_batch=600, learning_rate=5e-3, epochs=3.0, validation_questions=4, threads=1, device="cpu",
    precision="fp32",
)  # fmt: skip


def _train(
    model: ResolvedModel,
    passages: list[Passage],
    out: Path,
    *,
    settings: TrainingSettings = _SETTINGS,
    progress: Callable[[Progress], None] = lambda _: None,
    checkpoints: Path | None = None,
    validation: list[Passage] | None = None,
) -> TrainingResult:
    return fine_tune(
        model, passages, validation or [], settings, seed=0, out=out, progress=progress, checkpoint_dir=checkpoints
    )


def _weights(out: Path) -> bytes:
    return (out / "adapter" / "adapter_model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def trained(tiny: ResolvedModel, tmp_path_factory: pytest.TempPathFactory, make_passages: MakePassages) -> Any:
    """A finished run: result, folder, progress."""
    out = tmp_path_factory.mktemp("run") / "model"
    told: list[Progress] = []
    passages = make_passages(6, 3)
    return _train(tiny, passages, out, progress=told.append, validation=passages[:2]), out, told


def test_the_loss_falls(trained: tuple[TrainingResult, Path, list[Progress]]) -> None:
    """Training lowers the loss of its steps and of the held-out slice."""
    result = trained[0]
    assert result.losses[-1].loss < result.losses[0].loss
    assert result.validation_loss_before is not None
    assert result.validation_loss_after is not None
    assert result.validation_loss_after < result.validation_loss_before


def test_the_document_fits_its_schema(trained: tuple[TrainingResult, Path, list[Progress]]) -> None:
    """What training reports is a training history whose figures agree with each other."""
    result, out, _ = trained
    document = result.document()
    validate(document, "training-history", place="test")
    assert (document["questions"], document["contexts"], document["rows"]) == (18, 6, 6)
    assert document["packing"] == "context_once"
    assert document["tokens_saved_factor"] > 2
    assert document["label_tokens"] < document["tokens"] < document["unshared_tokens"]
    assert document["model_digest"] == digest_tree(out)
    assert document["losses"][-1]["epoch"] == pytest.approx(3.0)


def test_progress_is_told_after_each_step(trained: tuple[TrainingResult, Path, list[Progress]]) -> None:
    """One message per step, rising to all of it, in one line."""
    result, _, told = trained
    assert [each.step for each in told] == list(range(1, len(result.losses) + 1))
    assert told[-1].share == 1.0
    assert told[0].text.startswith(f"step 1 of {len(told)}, loss ")


def test_the_learning_rate_rises_and_falls(trained: tuple[TrainingResult, Path, list[Progress]]) -> None:
    """The first step warms up, the peak is the setting, the end is near zero."""
    rates = [entry.learning_rate for entry in trained[0].losses]
    assert rates[0] < max(rates)
    assert max(rates) == pytest.approx(_SETTINGS.learning_rate)
    assert rates[-1] < max(rates) / 3


def test_the_folder_loads_with_plain_transformers_and_peft(
    trained: tuple[TrainingResult, Path, list[Progress]],
) -> None:
    """Base, adapter and tokeniser load by the libraries alone; nothing names a place on this machine."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = trained[1]
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(out / "base"), out / "adapter")
    assert AutoTokenizer.from_pretrained(out / "adapter").chat_template
    assert model.peft_config["default"].use_rslora
    texts = [file.read_text(encoding="utf-8") for file in out.rglob("*.json")]
    assert not any(str(out.parent) in text or os.sep + "tmp" + os.sep in text for text in texts)
    assert not (out / "adapter" / "README.md").exists()


def test_the_same_seed_gives_the_same_folder(
    tiny: ResolvedModel,
    tmp_path: Path,
    make_passages: MakePassages,
    trained: tuple[TrainingResult, Path, list[Progress]],
) -> None:
    """Data, settings and seed decide every byte of the folder."""
    passages = make_passages(6, 3)
    again = _train(tiny, passages, tmp_path / "again", validation=passages[:2])
    assert again.model_digest == trained[0].model_digest


def test_a_stopped_run_goes_on_to_the_same_weights(
    tiny: ResolvedModel,
    tmp_path: Path,
    make_passages: MakePassages,
    trained: tuple[TrainingResult, Path, list[Progress]],
) -> None:
    """SIGTERM saves and ends with an error; the next run goes on from there to the weights of an undisturbed one."""
    passages, checkpoints = make_passages(6, 3), tmp_path / "checkpoints"

    def stop(progress: Progress) -> None:
        if progress.step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(TrainingError, match=r"stopped on request after step 3 of .*a checkpoint was saved"):
        _train(tiny, passages, tmp_path / "out", progress=stop, checkpoints=checkpoints, validation=passages[:2])
    assert not (tmp_path / "out").exists()
    result = _train(tiny, passages, tmp_path / "out", checkpoints=checkpoints, validation=passages[:2])
    assert result.resumed_from_step == 3
    assert _weights(tmp_path / "out") == _weights(trained[1])
    assert [entry.loss for entry in result.losses] == [entry.loss for entry in trained[0].losses]
    assert list(checkpoints.glob("checkpoint-*")) == []


@pytest.mark.parametrize("damage", ["truncated", "no manifest", "another run"])
def test_a_checkpoint_that_is_not_whole_or_not_ours_is_passed_over(
    tiny: ResolvedModel, tmp_path: Path, make_passages: MakePassages, damage: str
) -> None:
    """A broken checkpoint, one without its manifest, and one of other data are never taken up."""
    passages, checkpoints = make_passages(4, 2), tmp_path / "checkpoints"

    def stop(progress: Progress) -> None:
        if progress.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(TrainingError):
        _train(tiny, passages, tmp_path / "out", progress=stop, checkpoints=checkpoints)
    (folder,) = checkpoints.glob("checkpoint-*")
    if damage == "truncated":
        weights = folder / "adapter_model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-10])
    elif damage == "no manifest":
        (folder / "kubepipe-manifest.json").unlink()
    else:
        passages = make_passages(5, 2)
    assert _train(tiny, passages, tmp_path / "out", checkpoints=checkpoints).resumed_from_step == 0


def test_full_fine_tuning_writes_a_whole_model(
    tiny: ResolvedModel, tmp_path: Path, make_passages: MakePassages
) -> None:
    """Method full trains every parameter and leaves base and tuned model side by side."""
    from transformers import AutoModelForCausalLM

    settings = _SETTINGS.model_copy(update={"method": "full", "epochs": 1.0})
    result = _train(tiny, make_passages(2, 2), tmp_path / "out", settings=settings)
    assert result.trainable_parameters == result.total_parameters
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "tuned").config.model_type == "llama"
    assert (tmp_path / "out" / "base" / "config.json").is_file()


def test_one_question_is_enough(tiny: ResolvedModel, tmp_path: Path, make_passages: MakePassages) -> None:
    """A data set smaller than one batch trains."""
    result = _train(tiny, make_passages(1, 1), tmp_path / "out")
    assert (result.questions, len(result.losses)) == (1, 3)


def test_unanswerable_questions_train(tiny: ResolvedModel, tmp_path: Path) -> None:
    """A data set in which nothing has an answer trains the model to say so."""
    passages = [Passage("p", "d", "Nothing here.", (Question("1", "Who?"), Question("2", "When?")))]
    assert _train(tiny, passages, tmp_path / "out").label_tokens > 0


def test_a_loss_that_is_no_number_stops_training(
    tiny: ResolvedModel, tmp_path: Path, make_passages: MakePassages
) -> None:
    """Weights that overflow end in one clear error, and no model is written."""
    settings = _SETTINGS.model_copy(update={"method": "full", "learning_rate": 1e30, "max_grad_norm": 1e30})
    with pytest.raises(
        TrainingError, match=r"(the loss|the norm of the gradients) is (nan|inf) at step \d.*no checkpoint was due"
    ):
        _train(tiny, make_passages(4, 2), tmp_path / "out", settings=settings)
    assert not (tmp_path / "out").exists()


def test_the_checkpoint_before_a_bad_step_stays_good(
    tiny: ResolvedModel, tmp_path: Path, make_passages: MakePassages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradients that are no numbers never reach the weights: the checkpoint of the step before is taken up again."""
    import torch

    from kubepipe.training import steps

    passages, checkpoints = make_passages(6, 3), tmp_path / "checkpoints"
    settings = _SETTINGS.model_copy(update={"checkpoint_seconds": 1e-9})
    bad = 4
    told: list[Progress] = []
    right = steps.answer_loss

    def wrong(model: Any, inputs: dict[str, Any]) -> Any:
        loss = right(model, inputs)
        # The loss is a number, its gradient is not.
        return loss + (torch.sqrt(loss * 0) if len(told) == bad - 1 else 0)

    monkeypatch.setattr(steps, "answer_loss", wrong)
    with pytest.raises(TrainingError, match=rf"gradients is nan at step {bad}; .*newest checkpoint .*sound"):
        _train(tiny, passages, tmp_path / "out", settings=settings, progress=told.append, checkpoints=checkpoints)
    monkeypatch.setattr(steps, "answer_loss", right)
    result = _train(tiny, passages, tmp_path / "out", settings=settings, checkpoints=checkpoints)
    assert result.resumed_from_step == bad - 1
    assert all(entry.loss > 0 for entry in result.losses)


@pytest.mark.parametrize(("failures", "at_once", "checkpointing"), [(1, 256, False), (2, 128, False), (3, 128, True)])
def test_short_memory_takes_less_at_once(
    tiny: ResolvedModel,
    tmp_path: Path,
    make_passages: MakePassages,
    monkeypatch: pytest.MonkeyPatch,
    failures: int,
    at_once: int,
    checkpointing: bool,
) -> None:
    """Out of memory halves what is computed at once, then computes hidden states twice; the losses stay the same."""
    import torch

    from kubepipe.training import steps

    passages = make_passages(4, 3)
    before = _train(tiny, passages, tmp_path / "before")
    right, left = steps.answer_loss, [failures]

    def short(model: Any, inputs: dict[str, Any]) -> Any:
        loss = right(model, inputs)
        if left[0] > 0:
            left[0] -= 1
            raise torch.OutOfMemoryError("no memory")
        return loss

    monkeypatch.setattr(steps, "answer_loss", short)
    after = _train(tiny, passages, tmp_path / "after")
    assert (after.tokens_at_once, after.gradient_checkpointing) == (at_once, checkpointing)
    assert [entry.loss for entry in after.losses] == pytest.approx([entry.loss for entry in before.losses], rel=1e-5)


def test_memory_that_is_short_for_one_row_ends_in_one_line(
    tiny: ResolvedModel, tmp_path: Path, make_passages: MakePassages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing helps, the error says what to change."""
    import torch

    from kubepipe.training import steps

    def short(_model: Any, _inputs: dict[str, Any]) -> Any:
        raise torch.OutOfMemoryError("no memory")

    monkeypatch.setattr(steps, "answer_loss", short)
    with pytest.raises(TrainingError, match=r"memory .*Lower training\.max_tokens"):
        _train(tiny, make_passages(1, 1), tmp_path / "out")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("PytorchStreamWriter failed")])
def test_a_full_disk_while_a_checkpoint_is_saved_ends_in_one_line(
    tiny: ResolvedModel, tmp_path: Path, make_passages: MakePassages, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A checkpoint that cannot be written is named, and what is left of it is passed over by the next run."""
    import torch

    passages, checkpoints = make_passages(4, 2), tmp_path / "checkpoints"
    settings = _SETTINGS.model_copy(update={"checkpoint_seconds": 1e-9})

    def full(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", full)
        with pytest.raises(OutputError, match=r"checkpoint cannot be written"):
            _train(tiny, passages, tmp_path / "out", settings=settings, checkpoints=checkpoints)
    assert list(checkpoints.glob("checkpoint-*"))
    assert _train(tiny, passages, tmp_path / "out", checkpoints=checkpoints).resumed_from_step == 0


def test_a_killed_run_goes_on_to_the_same_weights(
    tiny: ResolvedModel,
    tmp_path: Path,
    make_passages: MakePassages,
    trained: tuple[TrainingResult, Path, list[Progress]],
) -> None:
    """SIGKILL leaves the newest checkpoint; from there on the weights are those of an undisturbed run, bit for bit."""
    passages, checkpoints = make_passages(6, 3), tmp_path / "checkpoints"
    (tmp_path / "given").write_bytes(pickle.dumps((tiny, passages, _SETTINGS)))
    script = tmp_path / "script.py"
    script.write_text(_KILLED, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, str(script), str(tmp_path)], env=environment, check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL
    result = _train(tiny, passages, tmp_path / "out", checkpoints=checkpoints, validation=passages[:2])
    assert result.resumed_from_step > 0
    assert _weights(tmp_path / "out") == _weights(trained[1])


def test_no_question_is_refused(tiny: ResolvedModel, tmp_path: Path) -> None:
    """Without questions nothing is trained."""
    with pytest.raises(InputError, match="no question to train on"):
        _train(tiny, [], tmp_path / "out")


def test_a_missing_gpu_is_said(tiny: ResolvedModel, tmp_path: Path, make_passages: MakePassages) -> None:
    """device: cuda without a GPU is an error that names the setting."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    settings = _SETTINGS.model_copy(update={"device": "cuda"})
    with pytest.raises(SettingsError, match=r"training\.device"):
        _train(tiny, make_passages(1, 1), tmp_path / "out", settings=settings)


def test_a_folder_with_something_in_it_is_not_overwritten(
    tiny: ResolvedModel, tmp_path: Path, make_passages: MakePassages
) -> None:
    """Training does not write over what lies there, and says so before the work, not after it."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("x", encoding="utf-8")
    told: list[Progress] = []
    with pytest.raises(OutputError, match="not empty"):
        _train(tiny, make_passages(1, 1), tmp_path / "out", progress=told.append)
    assert (tmp_path / "out" / "precious").is_file()
    assert told == []


def test_generation_settings_travel_with_the_adapter(trained: tuple[TrainingResult, Path, list[Progress]]) -> None:
    """A server that loads the adapter decodes greedily and knows the end token."""
    found = json.loads((trained[1] / "adapter" / "generation_config.json").read_text(encoding="utf-8"))
    assert found["eos_token_id"] == 1
    assert found.get("do_sample", False) is False


def test_magnitudes_are_trained_apart(tiny: ResolvedModel, tmp_path: Path, make_passages: MakePassages) -> None:
    """With `dora` each adapted layer has a magnitude of its own that training moved and plain peft loads."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    out = tmp_path / "out"
    result = _train(tiny, make_passages(4, 2), out, settings=_SETTINGS.model_copy(update={"dora": True}))
    assert result.packing == "context_once"
    assert result.losses[-1].loss < result.losses[0].loss
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(out / "base"), out / "adapter")
    layers = [layer for layer in model.modules() if "default" in getattr(layer, "lora_A", {})]
    assert layers
    for layer in layers:
        before = layer.base_layer.weight.norm(dim=1)
        assert not torch.allclose(layer.lora_magnitude_vector["default"].weight, before, rtol=1e-5)
