"""A tiny random language model with a tokeniser, and real questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.training import ResolvedModel, known_models, resolve_model

_TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
_CORPUS = [
    "Answer the question with the shortest phrase of the context that answers it.",
    "Context:\nAda Lovelace was born in London in 1815.\nQuestion: Where was she born?",
    "unanswerable system user assistant",
]

MakePassages = Callable[..., list[Passage]]


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


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> ResolvedModel:
    """The tiny model, resolved."""
    return resolve_model(str(tiny_folder), online=False)


@pytest.fixture(scope="session")
def smollm() -> ResolvedModel:
    """The real default model; tests are left out where its package is not installed."""
    (known,) = known_models()
    if known.located() is None:
        pytest.skip(f"{known.requirement} is not installed")
    return resolve_model(known.name, online=False)


@pytest.fixture(scope="session")
def make_passages() -> MakePassages:
    """Makes fictional passages with aligned answers."""

    def make(count: int = 4, questions: int = 3) -> list[Passage]:
        return [_fictional(number, questions) for number in range(count)]

    return make


def _fictional(number: int, questions: int) -> Passage:
    names = ["Ada", "Bo", "Cleo", "Dag", "Eva", "Finn"]
    context = " ".join(f"{name} of house {number} lives in town {place}." for place, name in enumerate(names))
    rows = []
    for place in range(questions):
        name = names[place % len(names)]
        text = f"town {place % len(names)}"
        rows.append(Question(f"{number}-{place}", f"Where does {name} live?", (Answer(text, context.index(text)),)))
    return Passage(f"p{number}", f"d{number}", context, tuple(rows))


@pytest.fixture(scope="session")
def squad_train(shared_data: Path) -> list[Passage]:
    """A real piece of the SQuAD 1.1 training set: 4,370 questions."""
    rows = json.loads((shared_data / "squad" / "train-v1.1.partial.json").read_text(encoding="utf-8"))
    grouped: dict[tuple[str, str], list[Question]] = {}
    for row in rows:
        answers = tuple(Answer(answer["text"], answer["answer_start"]) for answer in row["answers"])
        grouped.setdefault((row["title"], row["context"]), []).append(Question(row["id"], row["question"], answers))
    return [
        Passage(f"p{number}", title, context, tuple(questions))
        for number, ((title, context), questions) in enumerate(grouped.items())
    ]
