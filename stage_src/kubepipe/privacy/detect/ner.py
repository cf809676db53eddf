"""Named entities by spaCy, with nothing loaded but the recogniser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from kubepipe.errors import ModelNotFoundError
from kubepipe.privacy.entities.model import Span, class_of
from kubepipe.privacy.entities.tokens import fold, tokens_of
from kubepipe.privacy.entities.words import CALENDAR, HONORIFICS, PARTICLES

BATCH: Final = 64
"""Texts between two looks at memory; more only cost memory."""

_WINDOWS: Final = ("spacy.HashEmbedCNN.", "spacy.MaxoutWindowEncoder.", "spacy.MishWindowEncoder.")
_PARSER_REACH: Final = 8
"""Words beyond its vectors that the parser of entities may depend on: the entity that is open, and a few around."""

_ZONE: Final = 4_000_000
"""Code points after which the words that reading added to the vocabulary are forgotten: without it memory grows."""

_AT_ONCE: Final = 16
"""Texts that the recogniser computes at once (CPU seconds for 689 passages: 10.7 at 16, 11.6 at 32 and at 64)."""

PIECE: Final = 20_000
"""Longest text, in code points, that the recogniser reads at once: memory grows with it."""

_TYPE_OF_LABEL: Final[dict[str, str]] = {
    "PERSON": "PERSON",
    "PER": "PERSON",
    "ORG": "ORG",
    "GPE": "PLACE",
    "LOC": "PLACE",
    "FAC": "PLACE",
    "NORP": "NATIONALITY",
    "DATE": "DATE",
    "EVENT": "EVENT",
    "WORK_OF_ART": "WORK",
    "LAW": "WORK",
    "PRODUCT": "PRODUCT",
    "MISC": "MISC",
}
# spaCy gives no confidence; these are the precisions that the model's own card states per label, rounded.
_SCORE: Final[dict[str, float]] = {"PERSON": 0.85, "ORG": 0.8, "PLACE": 0.9, "NATIONALITY": 0.85, "DATE": 0.85}
_EDGE: Final = " \t\r\n\"'“”\u2018\u2019«»()[]{}<>,;:!?*_-\u2013\u2014|/\\"
_BREAK: Final = re.compile(r"[\r\n]+")


class EntityRecogniser:
    """A spaCy pipeline of which only the NER component (and what it listens to) is loaded."""

    def __init__(self, model: str) -> None:
        from threadpoolctl import ThreadpoolController

        self.model = model
        self._nlp = _load(model)
        _compute_by_numpy(self._nlp)
        self._libraries = ThreadpoolController()
        self._zone = ExitStack()
        self._room = 0
        self.reach = _reach(self._nlp)

    def recognise(self, texts: Sequence[str]) -> list[list[Span]]:
        """Entities of each text, sorted, none overlapping; offsets in code points."""
        pieces = [(index, start, end) for index, text in enumerate(texts) for start, end in _pieces(text)]
        found: list[list[Span]] = [[] for _ in texts]
        for first in range(0, len(pieces), BATCH):
            batch = pieces[first : first + BATCH]
            self._make_room(sum(end - start for _, start, end in batch))
            # One thread: the products are small, and who wants more cores starts more processes.
            with self._libraries.limit(limits=1, user_api="blas"):
                docs = self._nlp.pipe([texts[index][start:end] for index, start, end in batch], batch_size=_AT_ONCE)
                for (index, start, _), doc in zip(batch, docs, strict=True):
                    for entity in doc.ents:
                        found[index].extend(
                            _spans(texts[index], start + entity.start_char, start + entity.end_char, entity.label_)
                        )
        return found

    def _make_room(self, length: int) -> None:
        """Count what is read in a memory zone, and begin a new one when it is enough: a fresh zone knows no words."""
        self._room -= length
        if self._room < 0:
            self._zone.close()
            self._zone.enter_context(self._nlp.memory_zone())
            self._room = _ZONE


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Cut a long text at line ends, else at blanks, else hard, so that the recogniser's memory stays bounded."""
    start = 0
    while len(text) - start > PIECE:
        window = start + PIECE
        cut = max(text.rfind("\n", start + PIECE // 2, window), text.rfind(". ", start + PIECE // 2, window))
        if cut < 0:
            cut = text.rfind(" ", start + PIECE // 2, window)
        end = cut + 1 if cut >= 0 else window
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def _spans(text: str, start: int, end: int, label: str) -> Iterator[Span]:
    """Spans of one entity: line breaks split it, quotes and articles at its edges go."""
    type_ = _TYPE_OF_LABEL.get(label)
    if type_ is None:
        return
    position = start
    for piece in [*_BREAK.finditer(text, start, end), None]:
        stop = piece.start() if piece is not None else end
        left, right = _trim(text, position, stop, type_)
        if left < right and (type_ in ("DATE", "AGE") or _names_something(text, left, right)):
            yield Span(left, right, type_, class_of(type_), "ner", _SCORE.get(type_, 0.6))
        position = piece.end() if piece is not None else end


def _trim(text: str, start: int, end: int, type_: str) -> tuple[int, int]:
    while start < end and text[start] in _EDGE:
        start += 1
    while start < end and text[end - 1] in _EDGE:
        end -= 1
    if text[start:end].endswith(("'s", "\u2019s")):
        end -= 2
    if type_ != "PERSON":
        return start, end
    # "Mr Smith", "the Duke of X": the title is no part of the name, and is reported apart.
    for position, token in enumerate(tokens_of(text, start, end)):
        word = fold(token.text)
        if word not in HONORIFICS and word not in ("the", "a", "an"):
            return (token.start if position else start), end
    return start, end


def _names_something(text: str, start: int, end: int) -> bool:
    """Whether a span holds a word that is more than a function word or a day of the week."""
    words = [token.text for token in tokens_of(text, start, end)]
    return any(fold(word) not in PARTICLES and fold(word) not in CALENDAR for word in words)


def _load(model: str) -> Any:
    import spacy
    from spacy import util

    try:
        path = Path(model) if (Path(model) / "config.cfg").is_file() else util.get_package_path(model)
        config = util.load_config(_config_file(path))
        nlp = spacy.load(model, exclude=_unneeded(config))
    except (OSError, ValueError, ImportError) as error:
        raise ModelNotFoundError(
            f"the spaCy model '{model}' cannot be loaded ({type(error).__name__})",
            place="privacy.spacy_model",
            remedy="Install a model that fits the installed spaCy 3.8",
        ) from error
    if "ner" not in nlp.pipe_names:
        raise ModelNotFoundError(
            f"the spaCy model '{model}' has no NER component",
            place="privacy.spacy_model",
            remedy="Name a model that has one, for example en_core_web_sm",
        )
    return nlp


def _reach(nlp: Any) -> int | None:
    """Words on either side of one that its vector depends on, and those of the parser; None where no window bounds it.

    An encoder of windows sees its window once for each layer. Any other (a transformer, an LSTM) sees the whole text.
    """
    encoders = [
        part for name in nlp.pipe_names for part in _parts(nlp.config["components"][name]["model"]) if "depth" in part
    ]
    if not encoders or not all(str(part["@architectures"]).startswith(_WINDOWS) for part in encoders):
        return None
    return int(sum(part["depth"] * part["window_size"] for part in encoders)) + _PARSER_REACH


def _parts(config: Any) -> Iterator[Any]:
    """A model's configuration and those of its parts."""
    yield config
    for value in config.values():
        if isinstance(value, dict):
            yield from _parts(value)


def _compute_by_numpy(nlp: Any) -> None:
    """Have numpy's BLAS compute the products: thinc's own takes a third more CPU time (15.7 s, not 11.6)."""
    from thinc.api import NumpyOps

    ops = NumpyOps(use_blis=False)
    for _, component in nlp.pipeline:
        for layer in component.model.walk():
            if isinstance(layer.ops, NumpyOps):
                layer.ops = ops


def _config_file(path: Path) -> Path:
    """The config of a model folder, or of the versioned folder inside a model package."""
    direct = path / "config.cfg"
    return direct if direct.is_file() else next(iter(sorted(path.glob("*/config.cfg"))), direct)


def _unneeded(config: Any) -> list[str]:
    """Every component but `ner`, and `tok2vec` where `ner` does not listen to a shared one."""
    components = config.get("components", {})
    listens = "Listener" in str(components.get("ner", {}).get("model", {}).get("tok2vec", {}).get("@architectures", ""))
    needed = {"ner", "transformer"} | ({"tok2vec"} if listens else set())
    return [name for name in config.get("nlp", {}).get("pipeline", []) if name not in needed]
