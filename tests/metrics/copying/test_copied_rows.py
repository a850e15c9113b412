"""Copying diagnostics on tables that copy everything, something or nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import MetricError
from synthkit.metrics.copying import copied_rows
from synthkit.schema import Schema

RNG = np.random.default_rng


def scores_of(metric, comparison, seed=0):
    return {score.metric: score for score in metric(comparison, RNG(seed))[0]}


def test_copies_are_seen(law, compare):
    train = law(1000, 1)
    comparison = compare(train.sample(frac=1, random_state=0), train=train)
    assert scores_of(copied_rows.matches, comparison)["copying.identical_matches"].value == 1
    scores = scores_of(copied_rows.distances, comparison)
    assert scores["copying.dcr_share"].value > 0.75
    assert scores["copying.nndr_5th_centile"].value == 0 < scores["copying.nndr_5th_centile"].reference


@pytest.mark.parametrize("size", [2000, 1000, 500])
def test_fresh_rows_share_is_one_half_at_any_holdout_size(law, compare, size):
    comparison = compare(law(2000, 3), train=law(2000, 1), holdout=law(size, 2))
    share = scores_of(copied_rows.distances, comparison)["copying.dcr_share"]
    assert share.low <= 0.5 <= share.high
    assert share.value == pytest.approx(0.5, abs=0.05)
    assert scores_of(copied_rows.matches, comparison)["copying.identical_matches"].value == 0


def test_ties_count_half():
    """On five binary columns nearly all distances tie; a strict comparison would say that nothing is close to train."""
    schema = Schema(columns={c: {"kind": "boolean", "levels": [0, 1]} for c in "abcde"})
    frames = [pd.DataFrame(RNG(k).integers(0, 2, (500, 5)), columns=list("abcde")) for k in range(3)]
    comparison = copying_comparison(*frames, schema)
    assert scores_of(copied_rows.distances, comparison)["copying.dcr_share"].value == 0.5
    matches = scores_of(copied_rows.matches, comparison)["copying.identical_matches"]
    assert (matches.value, matches.reference) == (1, 1)


def copying_comparison(train, holdout, synthetic, schema):
    from synthkit.metrics.evaluation_data import EvaluationData

    return EvaluationData(train=train, holdout=holdout, synthetic=(synthetic,), schema=schema)


def test_share_and_its_coin_interval_by_hand():
    """Votes 1, 1, 1/2 and 0: units 0 (1.5 + 1) and 1 of train, unit 0 of holdout (.5 + 1)."""
    near_t, near_h = np.array([1.0, 1.0, 2.0, 3.0], dtype=np.float32), np.array([2.0, 2.0, 2.0, 1.0], dtype=np.float32)
    at = copied_rows.dcr_share(near_t, near_h, np.array([0, 1, 0, 1]), np.array([0, 0, 0, 0]))
    assert at.value == 2.5 / 4
    se = np.sqrt(1.5**2 + 1**2 + 1.5**2) / (2 * 4)
    assert at.low == pytest.approx(max(0, 0.625 - 1.959964 * se), abs=1e-6)


def test_matches_ignore_dtypes(law, compare):
    """1, 1.0 and True are one value, whatever the dtype of the frame."""
    train = law(200, 1)
    other = train.astype({"age": "Int64", "ward": "category", "died": bool})
    assert scores_of(copied_rows.matches, compare(other, train=train))["copying.identical_matches"].value == 1


def test_verbatim_identifiers_are_found(law, schema):
    columns = {"pid": {"kind": "identifier"}} | {c: k.model_dump() for c, k in schema.columns.items()}
    with_id = Schema(columns=columns)
    train, holdout, synthetic = (law(300, k) for k in (1, 2, 3))
    for k, frame in enumerate((train, holdout, synthetic)):
        frame["pid"] = [f"P{k}{row:05d}" for row in range(300)]
    synthetic.loc[:29, "pid"] = train["pid"][:30].to_numpy()
    score = scores_of(copied_rows.verbatim, copying_comparison(train, holdout, synthetic, with_id))
    assert score["copying.verbatim_values"].parts == {"pid": 0.1}
    assert score["copying.verbatim_values"].reference == 0


def test_values_of_many_patients_are_not_verbatim_copies(law, schema):
    with_code = Schema(columns={"code": {"kind": "code"}, "age": {"kind": "numeric"}})
    train = pd.DataFrame({"code": ["401.9"] * 50 + ["V45.1"], "age": 1.0})
    synthetic = pd.DataFrame({"code": ["401.9"] * 9 + ["V45.1"], "age": 1.0})
    score = scores_of(copied_rows.verbatim, copying_comparison(train, train[:50], synthetic, with_code))
    assert score["copying.verbatim_values"].value == 0.1


def test_distances_need_rows(law, compare):
    with pytest.raises(MetricError, match="at least 10 rows of train and of holdout; however: 5"):
        copied_rows.distances(compare(law(100, 3), holdout=law(5, 2)), RNG(0))


def test_every_copying_note_says_what_it_is_not(law, compare):
    comparison = compare(law(300, 3))
    scores = [*copied_rows.matches(comparison, RNG(0))[0], *copied_rows.distances(comparison, RNG(0))[0]]
    assert all(s.goal == "none" and "not evidence of privacy" in s.note for s in scores)
