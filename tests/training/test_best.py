"""The best weights by what the held-out slice says."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError

from kubepipe.errors import OutputError, TrainingError
from kubepipe.passages import Passage, first_questions
from kubepipe.records import validate
from kubepipe.scoring import Predictor, make_judge, score
from kubepipe.settings import ScoringSettings, TrainingSettings
from kubepipe.training import Progress, ResolvedModel, TrainingResult, fine_tune
from kubepipe.training.best import Best, Judgement, judged_steps

_SETTINGS = TrainingSettings(
    rank=4, tokens_per_batch=600, learning_rate=5e-3, epochs=3.0, validation_questions=4, threads=1, device="cpu",
    precision="fp32", evaluations=3,
)  # fmt: skip


class Scripted:
    """A judge with a score for each time it is asked; notes the weights that it saw."""

    def __init__(self, *f1: float) -> None:
        self.f1 = list(f1)
        self.seen: list[Any] = []

    def __call__(self, model: Any, _encoder: Any, _hardware: Any) -> tuple[float, float]:
        """The next score."""
        self.seen.append([each.detach().clone() for each in model.parameters() if each.requires_grad])
        return 0.0, self.f1[len(self.seen) - 1]


def _train(model: ResolvedModel, passages: list[Passage], out: Path, judge: Any, **given: Any) -> TrainingResult:
    settings = given.pop("settings", _SETTINGS)
    given.setdefault("progress", lambda _: None)
    return fine_tune(model, passages, passages[:2], settings, seed=0, out=out, judge=judge, **given)


def _adapter(out: Path) -> list[Any]:
    from safetensors.torch import load_file

    return list(load_file(out / "adapter" / "adapter_model.safetensors").values())


def _same(one: list[Any], other: list[Any]) -> bool:
    """Whether two lists hold the same tensors, in whatever order."""
    return sorted(float(each.double().abs().sum()) for each in one) == pytest.approx(
        sorted(float(each.double().abs().sum()) for each in other)
    )


def test_the_weights_of_the_best_step_are_kept(
    tiny: ResolvedModel, tmp_path: Path, make_passages: Callable[..., list[Passage]]
) -> None:
    """Not the last weights but those with the best F1 are written, and the history says which."""
    judge = Scripted(10.0, 30.0, 20.0)
    result = _train(tiny, make_passages(6, 3), tmp_path / "out", judge)
    assert [each.f1 for each in result.judgements] == [10.0, 30.0, 20.0]
    assert result.best_step == result.judgements[1].step
    assert _same(_adapter(tmp_path / "out"), judge.seen[1])
    assert not _same(_adapter(tmp_path / "out"), judge.seen[2])
    validate(result.document(), "training-history", place="test")


def test_training_stops_when_nothing_gets_better(
    tiny: ResolvedModel, tmp_path: Path, make_passages: Callable[..., list[Passage]]
) -> None:
    """Two judgements without a better one end it with patience 2; the figures are those of the steps that were done."""
    settings = _SETTINGS.model_copy(update={"evaluations": 100, "patience": 2})
    judge = Scripted(50.0, 40.0, 50.0, 60.0)
    result = _train(tiny, make_passages(6, 3), tmp_path / "out", judge, settings=settings)
    assert len(result.losses) == len(judge.seen) == 3
    assert result.best_step == 1
    assert result.epochs < settings.epochs
    assert _same(_adapter(tmp_path / "out"), judge.seen[0])


def test_the_best_weights_outlive_a_stop(
    tiny: ResolvedModel, tmp_path: Path, make_passages: Callable[..., list[Passage]]
) -> None:
    """A run that is stopped behind its best step still knows the best weights when it goes on."""
    passages, checkpoints = make_passages(6, 3), tmp_path / "checkpoints"
    first = Scripted(30.0, 10.0, 20.0)

    def stop(_: Progress) -> None:
        if len(first.seen) == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(TrainingError, match="a checkpoint was saved"):
        _train(tiny, passages, tmp_path / "out", first, progress=stop, checkpoint_dir=checkpoints)
    second = Scripted(10.0, 20.0)
    result = _train(tiny, passages, tmp_path / "out", second, checkpoint_dir=checkpoints)
    assert [each.f1 for each in result.judgements] == [30.0, 10.0, 20.0]
    assert _same(_adapter(tmp_path / "out"), first.seen[0])


def test_a_full_disk_while_the_best_weights_are_saved_ends_in_one_line(
    tiny: ResolvedModel, tmp_path: Path, make_passages: Callable[..., list[Passage]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like a disk that is full while the checkpoint itself is written."""
    import safetensors.torch

    settings = _SETTINGS.model_copy(update={"checkpoint_seconds": 1e-9})
    kept = safetensors.torch.save_file

    def full(weights: Any, path: Any, *given: Any, **named: Any) -> None:
        if Path(path).name == "best.safetensors":
            raise SafetensorError("no space left on device")
        kept(weights, path, *given, **named)

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(OutputError, match="checkpoint cannot be written"):
        _train(
            tiny, make_passages(6, 3), tmp_path / "out", Scripted(1.0, 2.0, 3.0), settings=settings,
            checkpoint_dir=tmp_path / "checkpoints",
        )  # fmt: skip


def test_the_judge_asks_the_model_as_it_stands(
    tiny: ResolvedModel, tmp_path: Path, make_passages: Callable[..., list[Passage]]
) -> None:
    """A real judge answers the slice with the adapters in place; asking changes nothing about the training."""
    passages = make_passages(6, 3)
    judge = make_judge(passages[:2], ScoringSettings(max_new_tokens=8), _SETTINGS)
    judged = _train(tiny, passages, tmp_path / "judged", judge)
    plain = _train(tiny, passages, tmp_path / "plain", None)
    assert len(judged.judgements) == 3
    best = next(each for each in judged.judgements if each.step == judged.best_step)
    asked = first_questions(passages[:2], _SETTINGS.validation_questions)
    predictor = Predictor(tmp_path / "judged", ScoringSettings(max_new_tokens=8), _SETTINGS)
    found = score({each.id: each.text for each in predictor.answer(asked)}, asked)
    assert (best.exact_match, best.f1) == (found.exact_match, found.f1)
    assert best.f1 > 0
    assert [each.loss for each in judged.losses] == [each.loss for each in plain.losses]
    assert plain.judgements == ()
    assert plain.best_step is None


def test_without_a_held_out_question_there_is_no_judge() -> None:
    """A data set without a validation part is trained to its last step."""
    assert make_judge([], ScoringSettings(), _SETTINGS) is None


@pytest.mark.parametrize(
    ("planned", "evaluations", "steps"), [(10, 2, {5, 10}), (9, 3, {3, 6, 9}), (2, 5, {1, 2}), (1, 1, {1})]
)
def test_judged_steps(planned: int, evaluations: int, steps: set[int]) -> None:
    """Judgements stand at equal distances, the last at the end."""
    assert judged_steps(planned, evaluations) == steps


def test_of_equals_the_earlier_is_best() -> None:
    """Exact match decides between equal F1; of full equals the earlier stays."""
    best = Best(lambda *_: (0.0, 0.0), frozenset(), 0)
    best.judgements = [Judgement(1, 5.0, 50.0), Judgement(2, 6.0, 50.0), Judgement(3, 6.0, 50.0)]
    assert best.best == best.judgements[1]


def test_a_merged_copy_answers_like_the_adapter(
    tiny: ResolvedModel, tmp_path: Path, make_passages: Callable[..., list[Passage]]
) -> None:
    """With `merged`, plain transformers loads one folder that gives the logits of base and adapter."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    settings = _SETTINGS.model_copy(update={"merged": True, "evaluations": 0})
    _train(tiny, make_passages(3, 2), tmp_path / "out", None, settings=settings)
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "merged", dtype=torch.float32)
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "base", dtype=torch.float32)
    adapted = PeftModel.from_pretrained(base, str(tmp_path / "out" / "adapter")).eval()
    ids = AutoTokenizer.from_pretrained(tmp_path / "out" / "merged")("Where does Ada live?", return_tensors="pt")
    with torch.no_grad():
        one, other = merged(**ids).logits, adapted(**ids).logits
    # bf16 keeps three digits.
    assert float((one - other).abs().max()) < 0.02 * float(other.abs().max())
    assert not any("lora" in name for name, _ in merged.named_parameters())
