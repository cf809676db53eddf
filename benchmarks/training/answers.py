"""Answers of the tuned models, of the untuned one, and of the untuned one that is shown three examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from training.pieces import SETTINGS

from kubepipe.passages.model import Passage, Question
from kubepipe.scoring import Predictor, difference, intervals, score
from kubepipe.scoring.decode import generate, prompt_row
from kubepipe.scoring.squad import Scores
from kubepipe.settings import ScoringSettings
from kubepipe.training import PromptEncoder, resolve_model
from kubepipe.training.hardware import choose_hardware
from kubepipe.training.loading import load_model, load_tokenizer
from kubepipe.training.prompt import INSTRUCTION
from kubepipe.training.rows import Row, gold_answer

_MARK = "kubepipemark"
_RESAMPLES = 2000
_AT_ONCE = 16  # questions

Asked = tuple[Row, Sequence[Question]]


def tuned(folder: Path, held_out: Sequence[Passage]) -> dict[str, str]:
    """Answers of a tuned model by question."""
    predictor = Predictor(folder, ScoringSettings(), SETTINGS)
    return {each.id: each.text for each in predictor.answer(held_out)}


def untuned(model: str, held_out: Sequence[Passage]) -> dict[str, str]:
    """Answers of the model as it came."""
    predictor = Predictor(resolve_model(model, online=False).path, ScoringSettings(), SETTINGS)
    return {each.id: each.text for each in predictor.answer(held_out)}


def few_shot(model: str, shots: Sequence[Passage], held_out: Sequence[Passage]) -> dict[str, str]:
    """Answers of the model as it came, after a chat in which the first question of each shot is answered."""
    base = resolve_model(model, online=False).path
    hardware = choose_hardware(SETTINGS)
    tokenizer = load_tokenizer(base)
    encoder = PromptEncoder(tokenizer)
    network = load_model(base, dtype=hardware.dtype(), device=hardware.device)
    before, after = _chat(tokenizer, shots)
    rows = [
        (
            prompt_row(
                _ids(tokenizer, f"{before}Context:\n{passage.context}\n"),
                [_ids(tokenizer, f"Question: {question.text}{after}") for question in some],
            ),
            some,
        )
        for passage in held_out
        for some in (passage.questions[at : at + _AT_ONCE] for at in range(0, len(passage.questions), _AT_ONCE))
    ]
    found: dict[str, str] = {}
    for batch in _batches(rows):
        answers = generate(
            network,
            [row for row, _ in batch],
            end_token=encoder.end_token,
            max_new_tokens=ScoringSettings().max_new_tokens,
            device=hardware.device,
        )
        for (_, some), given in zip(batch, answers, strict=True):
            found |= {each.id: encoder.decode(answer.ids) for each, answer in zip(some, given, strict=True)}
    return found


def quality(answers: dict[str, dict[str, str]], held_out: Sequence[Passage]) -> dict[str, Any]:
    """Scores with 95 % intervals by side, and the paired differences of ours to the others."""
    scores = {name: score(given, held_out) for name, given in answers.items()}
    sides = {name: _side(found) for name, found in scores.items()}
    for name, found in scores.items():
        between = difference(found, scores["ours"], resamples=_RESAMPLES, seed=0)
        if name != "ours" and between is not None:
            sides[name]["ours_minus_this"] = between.document()
    return sides


def _batches(rows: Sequence[Asked]) -> Iterator[list[Asked]]:
    """Rows of like length with at most so many questions."""
    batch: list[Asked] = []
    for row in sorted(rows, key=lambda row: len(row[0]), reverse=True):
        if batch and sum(len(some) for _, some in (*batch, row)) > _AT_ONCE:
            yield batch
            batch = []
        batch.append(row)
    yield batch


def _side(found: Scores) -> dict[str, Any]:
    ends = intervals(found, resamples=_RESAMPLES, seed=0)
    return {
        "exact_match": round(found.exact_match, 2),
        "f1": round(found.f1, 2),
        "intervals": ends.document() if ends else None,
    }


def _chat(tokenizer: Any, shots: Sequence[Passage]) -> tuple[str, str]:
    """What stands before the context of the question asked, and what behind the question."""
    messages = [{"role": "system", "content": INSTRUCTION}]
    for shot in shots:
        question = shot.questions[0]
        asked = f"Context:\n{shot.context}\nQuestion: {question.text}"
        messages += [
            {"role": "user", "content": asked},
            {"role": "assistant", "content": gold_answer(question) or ""},
        ]
    messages.append({"role": "user", "content": _MARK})
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    before, after = text.split(_MARK)
    return before, after


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
