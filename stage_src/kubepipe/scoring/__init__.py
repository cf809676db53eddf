"""EM and F1 of the official SQuAD scripts, confidence intervals, prediction."""

from kubepipe.scoring.asking import Prediction
from kubepipe.scoring.benchmark import Benchmark, benchmark
from kubepipe.scoring.bootstrap import Interval, Intervals, difference, intervals, paired
from kubepipe.scoring.judge import make_judge
from kubepipe.scoring.predict import Predictor, open_predictor
from kubepipe.scoring.prediction_file import read_predictions
from kubepipe.scoring.squad import Part, QuestionScore, Scores, score

__all__ = [
    "Benchmark",
    "Interval",
    "Intervals",
    "Part",
    "Prediction",
    "Predictor",
    "QuestionScore",
    "Scores",
    "benchmark",
    "difference",
    "intervals",
    "make_judge",
    "open_predictor",
    "paired",
    "read_predictions",
    "score",
]
