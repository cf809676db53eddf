"""Answers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubepipe.errors import ModelNotFoundError, SettingsError
from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.scoring import Predictor, open_predictor
from kubepipe.scoring.asking import _batches, _Task
from kubepipe.scoring.contexts import ContextCache
from kubepipe.scoring.decode import generate, prompt_row
from kubepipe.scoring.plain import generate_plain
from kubepipe.settings import ScoringSettings, TrainingSettings
from kubepipe.training import PromptEncoder, known_models, resolve_model
from kubepipe.training.loading import load_model, load_tokenizer

Reader = Callable[[Path], list[Passage]]
_CPU = TrainingSettings(device="cpu", precision="fp32", threads=1)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer Llama over bytes, with a tokeniser without a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<|end|>": 0} | {letter: number for number, letter in enumerate(alphabet, start=1)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=2048, initializer_range=0.3,
        eos_token_id=0, pad_token_id=0, bos_token_id=None,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("models") / "tiny"
    LlamaForCausalLM(config).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>", pad_token="<|end|>").save_pretrained(folder)
    return folder


def _passages(*counts: int) -> list[Passage]:
    return [
        Passage(
            f"p{place}",
            "d",
            "Ada lives in London. " * (place + 1),
            tuple(Question(f"{place}-{number}", f"Question {number * 7}?", ()) for number in range(count)),
        )
        for place, count in enumerate(counts)
    ]


def _plain_answers(model: Any, encoder: PromptEncoder, passages: list[Passage], length: int) -> dict[str, Any]:
    found = {}
    for passage in passages:
        for question in passage.questions:
            prompt = [*encoder.prefix(passage.context), *encoder.prompt(question.text)]
            (found[question.id],) = generate_plain(
                model, [prompt], end_token=encoder.end_token, max_new_tokens=length, device="cpu"
            )
    return found


def _same(shared: Any, plain: Any) -> bool:
    return bool(
        shared.ids == plain.ids and shared.log_probabilities == pytest.approx(plain.log_probabilities, abs=1e-3)
    )


@pytest.mark.parametrize("tokens_at_once", [None, 1, 200, 500])
def test_shared_contexts_give_the_answers_of_generate(tiny: Path, tokens_at_once: int | None) -> None:
    """Token for token and with the same log-probabilities, answers equal those of `generate` on single questions.

    However few contexts are read at once before all are decoded together.
    """
    import torch

    model = load_model(tiny, dtype=torch.float32, device="cpu")
    encoder = PromptEncoder(load_tokenizer(tiny))
    passages = _passages(3, 1, 2, 1)
    passages.append(passages[1])  # the same row twice
    rows = [
        prompt_row(encoder.prefix(each.context), [encoder.prompt(question.text) for question in each.questions])
        for each in passages
    ]
    shared = generate(
        model, rows, end_token=encoder.end_token, max_new_tokens=12, device="cpu", tokens_at_once=tokens_at_once
    )
    plain = _plain_answers(model, encoder, passages, 12)
    found = {
        question.id: answer
        for passage, answers in zip(passages, shared, strict=True)
        for question, answer in zip(passage.questions, answers, strict=True)
    }
    assert all(_same(found[name], plain[name]) for name in plain)
    assert _same(shared[1][0], shared[-1][0])
    assert len({len(answer.ids) for answer in found.values()}) >= 1


def _generated(model: Any, encoder: PromptEncoder, passages: list[Passage], contexts: ContextCache | None) -> list[Any]:
    rows = [
        prompt_row(encoder.prefix(each.context), [encoder.prompt(question.text) for question in each.questions])
        for each in passages
    ]
    found = generate(
        model, rows, end_token=encoder.end_token, max_new_tokens=12, device="cpu", contexts=contexts
    )  # fmt: skip
    return [answer for answers in found for answer in answers]


@pytest.mark.parametrize("known", [(), (0,), (2, 1), (0, 1, 2)])
def test_contexts_that_were_read_before_change_no_answer(tiny: Path, known: tuple[int, ...]) -> None:
    """Whichever contexts of a batch are kept already, answers and log-probabilities equal those without a cache."""
    import torch

    model = load_model(tiny, dtype=torch.float32, device="cpu")
    encoder = PromptEncoder(load_tokenizer(tiny))
    looks: list[bool] = []
    passages, contexts = _passages(3, 1, 2), ContextCache(10**9, looks.append)
    if known:
        _generated(model, encoder, [passages[place] for place in known], contexts)
    expected = _generated(model, encoder, passages, None)
    for _ in range(2):
        found = _generated(model, encoder, passages, contexts)
        assert all(_same(one, other) for one, other in zip(found, expected, strict=True))
    assert (looks.count(True), looks.count(False)) == (len(known) + 3, 3)


def test_kept_contexts_stay_within_their_bytes(tiny: Path) -> None:
    """The least recently used one goes; a context that alone is larger than the bound is not kept."""
    import torch

    model = load_model(tiny, dtype=torch.float32, device="cpu")
    encoder = PromptEncoder(load_tokenizer(tiny))
    first, second, third = ([each] for each in _passages(1, 1, 1))
    # Two layers of keys and values, two heads of eight numbers of four bytes.
    sizes = [2 * 2 * 2 * 8 * 4 * len(encoder.prefix(each[0].context)) for each in (first, second, third)]
    contexts = ContextCache(sizes[0] + sizes[2])
    for passages in (first, second, first, third):
        _generated(model, encoder, passages, contexts)
    assert contexts.held_bytes == sizes[0] + sizes[2]
    assert [contexts.find(tuple(encoder.prefix(each[0].context))) is None for each in (first, second, third)] == [
        False, True, False,
    ]  # fmt: skip
    small = ContextCache(sizes[0] - 1)
    _generated(model, encoder, first, small)
    assert small.held_bytes == 0


@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_every_question_is_answered_once_whatever_the_batch(tiny: Path, batch_size: int) -> None:
    """Batches divide contexts with many questions, and change no answer."""
    passages = _passages(5, 1, 2)
    settings = ScoringSettings(max_new_tokens=6, batch_size=batch_size)
    found = list(Predictor(tiny, settings, _CPU).answer(passages))
    alone = {each.id: each.text for each in Predictor(tiny, ScoringSettings(max_new_tokens=6), _CPU).answer(passages)}
    assert sorted(each.id for each in found) == sorted(alone)
    assert {each.id: each.text for each in found} == alone
    assert all(0 <= each.confidence <= 1 and each.log_probability <= 0 for each in found)


def test_another_model_reads_contexts_anew(tiny: Path, tmp_path: Path) -> None:
    """What the untuned model read is of no use to the tuned one: answers are those without a cache."""
    import torch
    from transformers import AutoModelForCausalLM

    shutil.copytree(tiny, tmp_path / "base")
    shutil.copytree(tiny, tmp_path / "tuned")
    tuned = AutoModelForCausalLM.from_pretrained(tiny)
    with torch.no_grad():
        for weights in tuned.parameters():
            weights.add_(0.1 * torch.randn(weights.shape, generator=torch.Generator().manual_seed(3)))
    tuned.save_pretrained(tmp_path / "tuned")
    settings, passages = ScoringSettings(max_new_tokens=6), _passages(2, 1)
    kept = Predictor(tmp_path, settings, _CPU, ContextCache(10**9))
    plain = Predictor(tmp_path, settings, _CPU)
    answers = [
        [{each.id: each.text for each in predictor.answer(passages, adapter=side)} for side in (False, True)]
        for predictor in (kept, plain)
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] != answers[0][1]


@pytest.mark.parametrize(
    ("lengths", "small", "expected"),
    [
        ([400, 390, 100, 95], True, [[400, 390], [100, 95]]),
        ([400, 390, 100, 95], False, [[400, 390, 100, 95]]),
        ([600, 600, 600], True, [[600], [600], [600]]),
        ([3000, 2900], True, [[3000], [2900]]),
        ([10] * 5, True, [[10] * 4, [10]]),
        ([], True, []),
    ],
)
def test_a_serving_processor_pads_little_and_computes_little_at_once(
    lengths: list[int], small: bool, expected: list[list[int]]
) -> None:
    """Where somebody waits batches are small; otherwise they hold as many questions as are allowed."""
    tasks = [_Task((0,) * (length - 1), ((0,),), ("q",)) for length in lengths]
    assert [[len(task) for task in batch] for batch in _batches(tasks, 4, small=small)] == expected


def test_a_long_context_is_read_in_windows(tiny: Path) -> None:
    """A context longer than the limit is answered once per question, by the most confident window."""
    settings = TrainingSettings(device="cpu", precision="fp32", threads=1, max_tokens=64)
    found = list(Predictor(tiny, ScoringSettings(max_new_tokens=4), settings).answer(_passages(1, 1, 1, 1, 2)))
    assert sorted(each.id for each in found) == ["0-0", "1-0", "2-0", "3-0", "4-0", "4-1"]


def test_a_plain_model_has_no_tuned_one(tiny: Path) -> None:
    """Asking for the adapter of a plain model is refused."""
    with pytest.raises(SettingsError, match="without a tuned one"):
        next(Predictor(tiny, ScoringSettings(), _CPU).answer(_passages(1), adapter=True))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """An empty folder holds no language model."""
    with pytest.raises(ModelNotFoundError, match="holds no language model"):
        Predictor(tmp_path, ScoringSettings(), _CPU)


def test_corrupt_weights_are_refused_in_one_line(tiny: Path, tmp_path: Path) -> None:
    """Safetensors that were cut off are named, without a traceback of the library."""
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(tiny, broken)
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelNotFoundError, match="holds no causal language model"):
        next(Predictor(broken, ScoringSettings(), _CPU).answer(_passages(1)))


def test_a_tuned_folder_answers_with_and_without_its_adapter(tiny: Path, tmp_path: Path) -> None:
    """The same predictor answers as the base and as the tuned model, in any order."""
    from kubepipe.training import fine_tune

    passage = Passage("p", "d", "Ada lives in London.", (Question("q", "Where?", (Answer("London", 13),)),))
    settings = TrainingSettings(device="cpu", precision="fp32", threads=1, epochs=60.0, learning_rate=1e-2, rank=8)
    base = resolve_model(str(tiny), online=False)
    fine_tune(base, [passage], [], settings, seed=0, out=tmp_path / "out", progress=lambda _: None)
    scoring = ScoringSettings(max_new_tokens=12)
    predictor = open_predictor(str(tmp_path / "out"), scoring, _CPU, online=False)
    (untuned,) = predictor.answer([passage], adapter=False)
    (tuned,) = predictor.answer([passage])
    (again,) = predictor.answer([passage], adapter=False)
    (plain,) = open_predictor(str(tiny), scoring, _CPU, online=False).answer([passage])
    assert tuned.text == "London"
    assert untuned == again == plain
    assert untuned.text != tuned.text


@pytest.mark.slow
def test_the_real_model_answers_as_generate_does(shared_data: Path, read_squad: Reader) -> None:
    """On SmolLM2 in fp32 and real contexts, the answers are those of `generate` on single questions."""
    import torch

    (known,) = known_models()
    if known.located() is None:
        pytest.skip(f"{known.requirement} is not installed")
    resolved = resolve_model(known.name, online=False)
    passages = [
        Passage(passage.id, passage.document, passage.context, passage.questions[:2])
        for passage in read_squad(shared_data / "xquad" / "xquad.en.json")[:2]
    ]
    settings = ScoringSettings(max_new_tokens=8)
    precise = TrainingSettings(device="cpu", precision="fp32")
    found = {each.id: each.text for each in Predictor(resolved.path, settings, precise).answer(passages)}
    model = load_model(resolved.path, dtype=torch.float32, device="cpu")
    encoder = PromptEncoder(load_tokenizer(resolved.path))
    plain = _plain_answers(model, encoder, passages, 8)
    assert found == {name: encoder.decode(answer.ids) for name, answer in plain.items()}
