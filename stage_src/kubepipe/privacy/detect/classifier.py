"""A token classifier in ONNX form as a plug-in, exported with its tokenizer as `optimum-cli export onnx` does it.

The folder holds `model.onnx`, `tokenizer.json` and `config.json`, whose `id2label` names the labels: types with or
without `B-`, `I-`, `E-` or `S-` in front, `O` for the rest. The model takes `input_ids`, `attention_mask` and, where it
wants them, `token_type_ids` (batch, tokens), and gives `logits` (batch, tokens, labels).
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from kubepipe.errors import MissingExtraError, SettingsError
from kubepipe.privacy.entities.model import Span, class_of

PREFIX: Final = "onnx:"
"""Before the folder of a classifier in privacy.detectors."""

_FILES: Final = ("model.onnx", "tokenizer.json", "config.json")
_LONGEST: Final = 512
_SPECIAL_POSITIONS: Final = 2
"""Some models count two of their positions for padding."""
_OVERLAP: Final = 64
"""Tokens that two windows of a long text share."""

# Labels of public models: whole words of a label, and what longer words are made of (GIVENNAME, TELEPHONENUM).
_TYPE_OF_WORD: Final[Mapping[str, str]] = {
    "PER": "PERSON", "ORG": "ORG", "LOC": "PLACE", "GPE": "PLACE", "FAC": "PLACE", "NORP": "NATIONALITY", "DOB": "DATE",
    "AGE": "AGE", "JOB": "JOB", "IP": "IP", "MAC": "MAC", "URL": "URL", "SSN": "NATIONAL_ID", "ID": "CODE",
}  # fmt: skip
_TYPE_OF_PART: Final[Mapping[str, str]] = {
    "USERNAME": "HANDLE", "COMPANY": "ORG", "ORGANI": "ORG", "PERSON": "PERSON", "NAME": "PERSON", "EMAIL": "EMAIL",
    "PHONE": "PHONE", "IBAN": "IBAN", "CREDIT": "CARD", "IPV": "IP", "STREET": "ADDRESS", "ADDRESS": "ADDRESS",
    "BUILDING": "ADDRESS", "ZIP": "POSTCODE", "POSTCODE": "POSTCODE", "LOCATION": "PLACE", "CITY": "PLACE",
    "STATE": "PLACE", "COUNTRY": "PLACE", "COUNTY": "PLACE", "NATIONALITY": "NATIONALITY", "SOCIAL": "NATIONAL_ID",
    "TAXNUM": "NATIONAL_ID", "IDCARD": "NATIONAL_ID", "PASSPORT": "NATIONAL_ID", "LICEN": "NATIONAL_ID",
    "DATE": "DATE", "ACCOUNT": "CODE", "NUM": "CODE",
}  # fmt: skip


class _Word(NamedTuple):
    start: int
    end: int
    label: str
    score: float


def require_classifier(name: str) -> Path:
    """The folder of a classifier, when it and what reads it are here.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        SettingsError: The folder lacks a file.
    """
    folder = Path(name.removeprefix(PREFIX))
    missing = [file for file in _FILES if not (folder / file).is_file()]
    if missing:
        raise SettingsError(
            f"the token classifier {folder} has no {', '.join(missing)}",
            place="privacy.detectors",
            remedy="Give a folder as `optimum-cli export onnx --task token-classification` writes it",
        )
    if importlib.util.find_spec("onnxruntime") is None or importlib.util.find_spec("tokenizers") is None:
        raise MissingExtraError(
            f"the detector '{name}' needs onnxruntime and tokenizers",
            place="privacy.detectors",
            remedy="Install them with: pip install 'kubepipe[onnx]'",
        )
    return folder


class TokenClassifier:
    """Reads a text in windows that overlap; a word is what its parts with the highest score say.

    Args:
        name: `onnx:FOLDER`.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        SettingsError: The folder lacks a file, or holds no such model.
    """

    def __init__(self, name: str) -> None:
        folder = require_classifier(name)
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            self._labels = [config["id2label"][str(number)] for number in range(len(config["id2label"]))]
            longest = min(_LONGEST, int(config.get("max_position_embeddings", _LONGEST)) - _SPECIAL_POSITIONS)
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(longest, stride=min(_OVERLAP, longest // 4))
            self._session = onnxruntime.InferenceSession(
                folder / "model.onnx", options, providers=["CPUExecutionProvider"]
            )
            self._inputs = {each.name for each in self._session.get_inputs()}
        except Exception as error:
            raise SettingsError(
                f"{folder} holds no token classifier that can be read ({type(error).__name__})",
                place="privacy.detectors",
                remedy="Export it again, with its tokenizer, for token-classification",
            ) from error

    def __call__(self, text: str, language: str) -> Iterator[Span]:
        """Spans of a text; the language is the model's own affair."""
        del language
        words: dict[tuple[int, int], _Word] = {}
        first = self._tokenizer.encode(text)
        for window in (first, *first.overflowing):
            for word in self._words(window):
                place = word.start, word.end
                if place not in words or words[place].score < word.score:
                    words[place] = word
        yield from _joined(text, sorted(words.values()))

    def _words(self, window: Any) -> Iterator[_Word]:
        """Words of a window that are labelled, with the label and probability of their surest labelled token."""
        import numpy as np

        ids = np.asarray([window.ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (logits, *_) = self._session.run(None, {name: given[name] for name in given if name in self._inputs})
        exponents = np.exp(logits[0] - logits[0].max(axis=-1, keepdims=True))
        probabilities = exponents / exponents.sum(axis=-1, keepdims=True)
        best = probabilities.argmax(axis=-1)
        found: dict[int, list[tuple[int, int, str, float]]] = {}
        for token, (number, (start, end)) in enumerate(zip(window.word_ids, window.offsets, strict=True)):
            if number is not None and start < end:
                score = float(probabilities[token, best[token]])
                found.setdefault(number, []).append((start, end, self._labels[best[token]], score))
        for tokens in found.values():
            labelled = [(score, label) for _, _, label, score in tokens if label != "O"]
            if labelled:
                score, label = max(labelled)
                yield _Word(tokens[0][0], tokens[-1][1], label, score)


def _joined(text: str, words: list[_Word]) -> Iterator[Span]:
    """Spans of words: one goes on in the next word that has its type and does not begin, with only blanks between."""
    span: Span | None = None
    for word in words:
        head, _, name = word.label.rpartition("-")
        type_ = type_of(name)
        if (
            span is not None
            and span.type == type_
            and head not in ("B", "S")
            and not text[span.end : word.start].strip()
        ):
            span = Span(span.start, word.end, type_, span.cls, span.source, min(span.score, word.score))
            continue
        if span is not None:
            yield span
        start = word.start + len(text[word.start : word.end]) - len(text[word.start : word.end].lstrip())
        span = Span(start, word.end, type_, class_of(type_), "plugin:onnx", word.score)
    if span is not None:
        yield span


def type_of(label: str) -> str:
    """The type of a label without its head; what nothing in it tells is MISC."""
    words = label.upper().replace("-", "_").split("_")
    whole = (_TYPE_OF_WORD[word] for word in words if word in _TYPE_OF_WORD)
    parts = (type_ for part, type_ in _TYPE_OF_PART.items() if any(part in word for word in words))
    return next(whole, None) or next(parts, "MISC")
