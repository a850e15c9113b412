"""Scores as rows of a table, each with how it stands to what a real holdout scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthkit.report.coin_toss import coin_distance, is_classifier_test
from synthkit.report.labels import AGAINST_TRAIN, name, number, span, subject

if TYPE_CHECKING:
    from synthkit.metrics.result import Score
    from synthkit.report.records import AgainstReference, ScoreRow

PREDICTION_SCORES = (".gap", ".tstr", ".worst_group_gap")  # endings of scores of prediction


def score_row(score: Score) -> ScoreRow:
    """A score as a row of a table: exact values beside what a person reads."""
    named = name(score.metric)
    return {
        "metric": score.metric,
        "label": named.label,
        "meaning": named.meaning,
        "subject": subject(score.metric),
        "value": score.value,
        "low": score.low,
        "high": score.high,
        "reference": score.reference,
        "text": number(score.value, named.form),
        "interval": span(score.low, score.high, named.form),
        "reference_text": number(score.reference, named.form),
        "goal": {"high": "higher", "low": "lower", "none": "—"}[score.goal],
        "against": _against_holdout(score),
        "note": score.note,
    }


def _against_holdout(score: Score) -> AgainstReference | None:
    """How the score stands to a real holdout's: its interval decides, never the value alone."""
    if score.reference is None or score.goal == "none" or score.metric.endswith(AGAINST_TRAIN):
        return None  # nearer to the training rows than a holdout is would be no merit
    if is_classifier_test(score.metric):
        return _against_a_coin(score, score.reference)
    if score.beats_real:
        return {"sign": "?", "word": "weak reference"}
    if score.low <= score.reference <= score.high:
        return {"sign": "≈", "word": "as good"}
    better = (score.value > score.reference) == (score.goal == "high")
    if better and score.metric.startswith("utility.") and score.metric.endswith(PREDICTION_SCORES):
        return {"sign": "≈", "word": "as good"}  # rows cannot teach more than those they were learned from
    return {"sign": "▲", "word": "better"} if better else {"sign": "▼", "word": "worse"}


def _against_a_coin(score: Score, reference: float) -> AgainstReference:
    """Who is nearer to a coin toss than a holdout is better; an interval that holds a coin toss tells nothing."""
    far, floor = coin_distance(score.value, score.low, score.high), coin_distance(reference, reference, reference)
    if far.holds(floor.value):
        return {"sign": "≈", "word": "as good"}
    return {"sign": "▲", "word": "better"} if far.value < floor.value else {"sign": "▼", "word": "worse"}
