"""A token classifier in ONNX form: a toy that knows a few words, made here, read by the real runtime."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from kubepipe.errors import SettingsError
from kubepipe.privacy import Detector
from kubepipe.privacy.detect.classifier import TokenClassifier, type_of
from kubepipe.privacy.detect.plugins import check_detectors, plug_ins

LABELS = ["O", "B-PER", "I-PER", "B-ORG", "CITY"]
WORDS = {"quarb": "B-PER", "zuvora": "I-PER", "##son": "I-PER", "acme": "B-ORG", "turin": "CITY"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that looks every token up in a table, with windows of 16 tokens."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    place = tmp_path_factory.mktemp("classifier")
    vocabulary = {name: number for number, name in enumerate(["[UNK]", "[CLS]", "[SEP]", *WORDS, "a", "b"])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(place / "tokenizer.json"))
    table = np.zeros((len(vocabulary), len(LABELS)), dtype=np.float32)
    table[:, 0] = 2.0
    for name, number in vocabulary.items():
        table[number, LABELS.index(WORDS.get(name, "O"))] += 5.0
    _save(place / "model.onnx", table)
    config = {"id2label": {str(number): label for number, label in enumerate(LABELS)}, "max_position_embeddings": 18}
    (place / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return place


def _save(file: Path, table: np.ndarray) -> None:
    from onnx import TensorProto, helper, numpy_helper

    tokens = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "tokens", len(LABELS)])
    gather = helper.make_node("Gather", ["table", "input_ids"], ["logits"])
    graph = helper.make_graph([gather], "toy", tokens, [logits], [numpy_helper.from_array(table, "table")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, file)


def found(folder: Path, text: str) -> list[tuple[str, str]]:
    """Pieces of a text with their types."""
    spans = TokenClassifier(f"onnx:{folder}")(text, "en")
    return [(text[span.start : span.end], span.type) for span in spans]


def test_words_become_spans(folder: Path) -> None:
    """Heads join and part; a word is whole though only a part of it is labelled; offsets are code points."""
    assert found(folder, "\U0001f600 Quarb Zuvora of ACME, Turin") == [
        ("Quarb Zuvora", "PERSON"), ("ACME", "ORG"), ("Turin", "PLACE"),
    ]  # fmt: skip
    assert found(folder, "Quarb Quarb, Zuvora") == [("Quarb", "PERSON"), ("Quarb", "PERSON"), ("Zuvora", "PERSON")]
    assert found(folder, "Ason left.") == [("Ason", "PERSON")]
    assert found(folder, "") == []


def test_a_long_text_is_read_to_its_end(folder: Path) -> None:
    """Windows overlap, and a name in two of them is one span."""
    text = " ".join(["a b"] * 40 + ["Quarb Zuvora"] + ["a"] * 50 + ["Acme"])
    assert found(folder, text) == [("Quarb Zuvora", "PERSON"), ("Acme", "ORG")]


def test_the_policy_names_its_folder(folder: Path) -> None:
    """As a detector beside the rules, with a probability as score."""
    name = f"onnx:{folder}"
    check_detectors((name,))
    text = "It was Quarb Zuvora."
    (span,) = Detector(None, "en", plug_ins((name,), "en")).detect([text])[0]
    assert (text[span.start : span.end], span.type, span.source) == ("Quarb Zuvora", "PERSON", f"plugin:{name}")
    assert 0.9 < span.score < 1
    shared = Detector(None, "en", plug_ins((name,), "en"), processes=2)
    assert list(shared.detect_all([(0, [text]), (1, ["No."])])) == [(0, [[span]]), (1, [[]])]


def test_a_folder_without_a_model_is_refused(tmp_path: Path, folder: Path) -> None:
    """Before anything is read: what is missing is named; a file that is none ends with the place."""
    with pytest.raises(SettingsError, match=r"privacy.detectors: .* has no model.onnx, tokenizer.json, config.json"):
        check_detectors((f"onnx:{tmp_path}",))
    for name in ("tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(SettingsError, match="holds no token classifier that can be read"):
        plug_ins((f"onnx:{tmp_path}",), "en")


@pytest.mark.parametrize(
    ("label", "type_"),
    [
        ("PER", "PERSON"), ("GIVENNAME1", "PERSON"), ("USERNAME", "HANDLE"), ("TELEPHONENUM", "PHONE"), ("IP", "IP"),
        ("ZIPCODE", "POSTCODE"), ("private_address", "ADDRESS"), ("CREDITCARDNUMBER", "CARD"), ("IPV6", "IP"),
        ("DATEOFBIRTH", "DATE"), ("LANGUAGE", "MISC"), ("PERCENT", "MISC"), ("CARDINAL", "MISC"),
        ("account_number", "CODE"),
    ],
)  # fmt: skip
def test_labels_of_public_models(label: str, type_: str) -> None:
    """By whole words, and by what longer words are made of."""
    assert type_of(label) == type_
