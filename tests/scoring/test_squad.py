"""Scores equal those of the official scripts."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kubepipe.errors import InputError
from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.scoring import score
from kubepipe.scoring.squad import normalise

Reader = Callable[[Path], list[Passage]]


def _passage(*golds: tuple[str, ...]) -> list[Passage]:
    questions = [
        Question(f"q{number}", "?", tuple(Answer(text, 0) for text in texts)) for number, texts in enumerate(golds)
    ]
    return [Passage("p", "d", "", tuple(questions))]


def _official(folder: Path, version: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("official", folder / "squad" / f"evaluate-{version}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _predictions(folder: Path, version: str) -> list[dict[str, str]]:
    files = sorted((folder / "squad" / "predictions").glob(f"{version}*.json"))
    assert files
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def test_scores_of_1_1_equal_the_official_script_in_all_digits(shared_data: Path, read_squad: Reader) -> None:
    """On five leaderboard predictions, exact match and F1 equal the official v1.1 script bit for bit."""
    file = shared_data / "squad" / "dev-v1.1.rebuilt.json"
    articles: list[Any] = json.loads(file.read_text(encoding="utf-8"))["data"]
    passages, official = read_squad(file), _official(shared_data, "v1.1")
    for predictions in _predictions(shared_data, "1.1"):
        expected = official.evaluate(articles, predictions)
        scores = score(predictions, passages)
        assert scores.definition == "1.1"
        assert (scores.exact_match, scores.f1) == (expected["exact_match"], expected["f1"])


def test_scores_of_2_0_equal_the_official_script_in_all_digits(shared_data: Path, read_squad: Reader) -> None:
    """On three leaderboard predictions, all scores and both parts equal the official v2.0 script bit for bit."""
    file = shared_data / "squad" / "dev-v2.0.rebuilt.json"
    articles: list[Any] = json.loads(file.read_text(encoding="utf-8"))["data"]
    passages, official = read_squad(file), _official(shared_data, "v2.0")
    answerable = official.make_qid_to_has_ans(articles)
    for predictions in _predictions(shared_data, "v2.0"):
        exact, f1 = official.get_raw_scores(articles, predictions)
        expected = official.make_eval_dict(exact, f1)
        has = official.make_eval_dict(exact, f1, [name for name, answer in answerable.items() if answer])
        none = official.make_eval_dict(exact, f1, [name for name, answer in answerable.items() if not answer])
        scores = score(predictions, passages)
        assert scores.has_answer is not None
        assert scores.no_answer is not None
        assert (scores.exact_match, scores.f1, scores.total) == (expected["exact"], expected["f1"], expected["total"])
        assert (scores.has_answer.exact_match, scores.has_answer.f1) == (has["exact"], has["f1"])
        assert (scores.no_answer.exact_match, scores.no_answer.f1) == (none["exact"], none["f1"])


@pytest.mark.parametrize(
    ("prediction", "golds", "exact_match", "f1"),
    [
        ("Rugby", ("rugby",), 100, 100),
        ("the Rugby!", ("rugby",), 100, 100),
        ("", ("",), 100, 0),
        ("the", ("a",), 100, 0),
        ("1,000", ("1000",), 100, 100),
        ("“Rugby”", ("Rugby",), 0, 0),
        ("15–20", ("15-20",), 0, 0),  # noqa: RUF001 - the dash is the point
        ("café", ("cafe",), 0, 0),
        ("state-of-the-art", ("state of the art",), 0, 0),
        ("in Paris", ("Paris", "London"), 0, 2 * 0.5 / 1.5 * 100),
        ("x y", ("z", "x y"), 100, 100),
        ("🙂 x", ("x 🙂",), 0, 100),
    ],
)
def test_edge_cases_of_1_1(prediction: str, golds: tuple[str, ...], exact_match: float, f1: float) -> None:
    """Version 1.1: ASCII punctuation and articles do not count, the best gold answer does, nothing common is F1 0."""
    scores = score({"q0": prediction}, _passage(golds))
    assert scores.definition == "1.1"
    assert (scores.exact_match, pytest.approx(scores.f1)) == (exact_match, f1)


@pytest.mark.parametrize(
    ("prediction", "golds", "exact_match", "f1"),
    [("", (), 100, 100), ("x", (), 0, 0), ("the", (), 100, 100), ("", ("x",), 0, 0), ("x", ("...", "x"), 100, 100)],
)
def test_edge_cases_of_2_0(prediction: str, golds: tuple[str, ...], exact_match: float, f1: float) -> None:
    """Version 2.0: empty agrees with empty, and gold answers of which nothing is left do not count."""
    scores = score({"q0": prediction, "q1": ""}, _passage(golds, ()))
    assert scores.definition == "2.0"
    first = scores.per_question[0]
    assert (100 * first.exact_match, 100 * first.f1) == (exact_match, f1)


def test_a_missing_prediction_counts_zero() -> None:
    """A question without a prediction scores 0, answerable or not, and is counted."""
    scores = score({"q1": "x", "stray": "x"}, _passage(("x",), ("x",), ()))
    assert (scores.missing, scores.total) == (2, 3)
    assert scores.exact_match == pytest.approx(100 / 3)


def test_no_question_at_all_is_refused() -> None:
    """Without questions there is no score."""
    with pytest.raises(InputError, match="no questions to score"):
        score({}, [])


def test_normalisation() -> None:
    """Lower case, no punctuation, no articles, single spaces."""
    assert normalise("  The  U.S.A.,\tan apple ") == "usa apple"
