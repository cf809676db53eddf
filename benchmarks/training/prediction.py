"""Answering many questions: contexts shared, and transformers' `generate` with a question a row, 16 rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.pieces import SETTINGS, count, walled

from kubepipe.passages.model import Passage
from kubepipe.scoring import Predictor
from kubepipe.scoring.plain import generate_plain
from kubepipe.settings import ScoringSettings
from kubepipe.training import PromptEncoder
from kubepipe.training.loading import load_model, load_tokenizer

_ROWS = 16


def compare(folder: Path, held_out: Sequence[Passage], precision: str) -> dict[str, Any]:
    """CPU seconds of both, and how many answers are the same, letter for letter."""
    settings = SETTINGS.model_copy(update={"precision": precision})
    predictor = Predictor(folder, ScoringSettings(), settings)
    list(predictor.answer(held_out[:2]))  # loads, merges, warms up
    ours, our_cpu, our_seconds = walled(lambda: {each.id: each.text for each in predictor.answer(held_out)})
    network = load_model(folder / "base", dtype=predictor.hardware.dtype(), device=predictor.hardware.device)
    network = _merged(network, folder)
    theirs, their_cpu, their_seconds = walled(lambda: _plain(network, folder, held_out, predictor))
    on_cpu = predictor.hardware.device == "cpu"
    same = sum(ours[name] == text for name, text in theirs.items())
    return {
        "ratio": round(their_cpu / our_cpu if on_cpu else their_seconds / our_seconds, 3),
        "cpu_seconds": round(our_cpu, 3),
        "plain_cpu_seconds": round(their_cpu, 3),
        "seconds": round(our_seconds, 3),
        "plain_seconds": round(their_seconds, 3),
        "answers": count(held_out),
        "same_answers": same,
    }


def _merged(network: Any, folder: Path) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(network, str(folder / "adapter")).merge_and_unload().eval()


def _plain(network: Any, folder: Path, held_out: Sequence[Passage], predictor: Predictor) -> dict[str, str]:
    encoder = PromptEncoder(load_tokenizer(folder / "base"))
    prompts = [
        (question.id, [*encoder.prefix(passage.context), *encoder.prompt(question.text)])
        for passage in held_out
        for question in passage.questions
    ]
    # Of like length together, as a careful user would do it.
    prompts.sort(key=lambda prompt: len(prompt[1]))
    found = {}
    for first in range(0, len(prompts), _ROWS):
        some = prompts[first : first + _ROWS]
        answers = generate_plain(
            network,
            [ids for _, ids in some],
            end_token=encoder.end_token,
            max_new_tokens=ScoringSettings().max_new_tokens,
            device=predictor.hardware.device,
        )
        found |= {name: encoder.decode(answer.ids) for (name, _), answer in zip(some, answers, strict=True)}
    return found
