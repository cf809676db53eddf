"""Training and prediction against transformers one question per row: same model, data, adapters, steps and machine.

    python benchmarks/bench_training.py --data DATASET [--questions 40] [--answers 24]

DATASET is anything that `kubepipe` reads. CPU seconds are compared, not wall time: on a shared machine only they mean
something. The last line is one JSON object; `train_ratio` and `predict_ratio` are theirs / ours.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kubepipe.passages import SPLITS, read_source
from kubepipe.passages.model import Passage
from kubepipe.scoring import Predictor, score
from kubepipe.scoring.plain import generate_plain
from kubepipe.settings import DatasetSettings, ScoringSettings, TrainingSettings
from kubepipe.training import PromptEncoder, fine_tune, resolve_model
from kubepipe.training.hardware import choose_hardware
from kubepipe.training.loading import add_adapters, load_model, load_tokenizer
from kubepipe.training.rows import encode

_BATCH = 8  # questions of one of their steps, the usual choice


def main() -> None:
    """Run both sides and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="data set with contexts of several questions")
    parser.add_argument("--model", default=TrainingSettings().model)
    parser.add_argument("--questions", type=int, default=40, help="training questions")
    parser.add_argument("--answers", type=int, default=24, help="held-out questions")
    parser.add_argument("--pad-to", type=int, default=None, help="pad their rows to this length, not to the longest")
    given = parser.parse_args()

    source = read_source(Path(given.data), DatasetSettings(), seed=0)
    passages = [passage for split in SPLITS for passage in source.splits[split]]
    random.Random(0).shuffle(passages)  # noqa: S311 - an order, no secret
    train, rest = _take(passages, given.questions)
    held_out, _ = _take(rest, given.answers)
    model = resolve_model(given.model, online=False)
    settings = TrainingSettings(epochs=1.0, validation_questions=0)

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        ours = fine_tune(model, train, [], settings, seed=0, out=out, progress=lambda _: None)
        theirs = _plain_training(model.path, train, settings, given.pad_to, Path(folder))
        predictor = Predictor(out, ScoringSettings(), settings)
        next(predictor.answer(held_out[:1]))  # loads and merges
        answers, our_seconds = _timed(lambda: {each.id: each.text for each in predictor.answer(held_out)})
        plain, their_seconds = _timed(lambda: _plain_answers(predictor, out, held_out))
    figures = {
        "train_ratio": round(theirs / ours.cpu_seconds, 3),
        "predict_ratio": round(their_seconds / our_seconds, 3),
        "train_cpu_seconds": ours.cpu_seconds,
        "plain_train_cpu_seconds": round(theirs, 3),
        "predict_cpu_seconds": round(our_seconds, 3),
        "plain_predict_cpu_seconds": round(their_seconds, 3),
        "same_answers": sum(answers[name] == text for name, text in plain.items()),
        "answers": len(plain),
        "questions": ours.questions,
        "tokens_saved_factor": ours.document()["tokens_saved_factor"],
        "peak_rss_bytes": ours.peak_rss_bytes,
        **{name: round(value, 2) for name, value in _scores(answers, held_out).items()},
        "precision": ours.precision,
        "threads": ours.threads,
    }
    print(json.dumps(figures))


def _take(passages: Sequence[Passage], questions: int) -> tuple[list[Passage], list[Passage]]:
    """Whole passages until the number of questions is reached, the last one cut; and the passages behind them."""
    chosen: list[Passage] = []
    for place, passage in enumerate(passages):
        left = questions - sum(len(each.questions) for each in chosen)
        if left <= 0:
            return chosen, list(passages[place:])
        chosen.append(Passage(passage.id, passage.document, passage.context, passage.questions[:left]))
    return chosen, []


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def _scores(answers: dict[str, str], passages: Sequence[Passage]) -> dict[str, float]:
    found = score(answers, passages)
    return {"exact_match": found.exact_match, "f1": found.f1}


def _plain_training(
    base: Path, train: Sequence[Passage], settings: TrainingSettings, pad_to: int | None, folder: Path
) -> float:
    """CPU seconds of transformers' Trainer: a question a row, dynamic padding, loss over the whole vocabulary."""
    import torch
    from transformers import Trainer, TrainingArguments, set_seed

    hardware = choose_hardware(settings)
    tokenizer = load_tokenizer(base)
    encoder = PromptEncoder(tokenizer)
    rows = encode(train, encoder, max_context=1024, max_row=1024, model_window=8192, share=False).rows
    items = []
    for row in rows:
        branch = row.branches[0]
        ids = [*row.prefix, *branch.prompt, *branch.answer]
        items.append({"input_ids": ids, "labels": [-100] * (len(ids) - len(branch.answer)) + list(branch.answer)})

    def padded(some: list[dict[str, list[int]]]) -> dict[str, Any]:
        length = max(pad_to or 0, *(len(item["input_ids"]) for item in some))
        fill = {"input_ids": encoder.end_token, "labels": -100}
        batch = {
            name: [item[name] + [value] * (length - len(item[name])) for item in some] for name, value in fill.items()
        }
        batch["attention_mask"] = [
            [1] * len(item["input_ids"]) + [0] * (length - len(item["input_ids"])) for item in some
        ]
        return {name: torch.tensor(values) for name, values in batch.items()}

    set_seed(0)
    model = load_model(base, dtype=torch.float32, device=hardware.device)
    arguments = TrainingArguments(
        output_dir=str(folder / "plain"),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=_BATCH,
        learning_rate=settings.learning_rate,
        bf16=hardware.precision == "bf16",
        use_cpu=hardware.device == "cpu",
        remove_unused_columns=False,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    adapted = add_adapters(model, settings, base_name="plain")
    trainer = Trainer(model=adapted, args=arguments, train_dataset=items, data_collator=padded)
    return _timed(trainer.train)[1]


def _plain_answers(predictor: Predictor, out: Path, passages: Sequence[Passage]) -> dict[str, str]:
    """Answers by `generate`, a question a row, 16 rows at once, of like length."""
    from peft import PeftModel

    encoder = PromptEncoder(load_tokenizer(out / "base"))
    base = load_model(out / "base", dtype=predictor.hardware.dtype(), device=predictor.hardware.device)
    model = PeftModel.from_pretrained(base, out / "adapter").merge_and_unload().eval()
    prompts = [
        (question.id, [*encoder.prefix(passage.context), *encoder.prompt(question.text)])
        for passage in passages
        for question in passage.questions
    ]
    prompts.sort(key=lambda prompt: len(prompt[1]))
    found = {}
    for first in range(0, len(prompts), 16):
        some = prompts[first : first + 16]
        answers = generate_plain(
            model,
            [ids for _, ids in some],
            end_token=encoder.end_token,
            max_new_tokens=predictor.settings.max_new_tokens,
            device=predictor.hardware.device,
        )
        found |= {name: encoder.decode(answer.ids) for (name, _), answer in zip(some, answers, strict=True)}
    return found


if __name__ == "__main__":
    main()
