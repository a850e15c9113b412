"""Columns and pairs that give synthetic rows away: closed forms, and classifiers of scikit-learn as judges."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from synthkit.errors import MetricError
from synthkit.metrics.fidelity import telling_pairs as module
from synthkit.metrics.fidelity.telling_pairs import CodedRows, ColumnAucs, PairGains, TwoTables, telling_pairs
from synthkit.metrics.stats.likelihood_ratio import PRIOR_ROWS
from synthkit.schema import Schema

RNG = np.random.default_rng
BITS = Schema(columns={name: {"kind": "boolean", "levels": [0, 1]} for name in ("a", "b", "c")})


def bits(rows, seed, b_of):
    """A fair coin, another that follows from it, and one by itself; marginals are alike whatever follows."""
    rng = RNG(seed)
    a = rng.permutation(np.arange(rows) % 2)
    return pd.DataFrame({"a": a, "b": b_of(a, rng), "c": rng.permutation(np.arange(rows) % 2)})


def same(a, rng):
    return a


def other(a, rng):
    return 1 - a


def alone(a, rng):
    return rng.permutation(a)


def measured(comparison, seed=0):
    scores, panels = telling_pairs(comparison, RNG(seed))
    return {score.metric: score for score in scores}, panels


def test_columns_that_are_right_by_themselves_and_wrong_together(compare):
    """Real coins disagree always, synthetic ones agree: one column tells nothing, both tell all."""
    real = {"train": bits(6000, 1, other), "holdout": bits(6000, 2, other)}
    found, panels = measured(compare(bits(6000, 3, same), **real, schema=BITS))
    column, pair = found["fidelity.c2st_one_column"], found["fidelity.two_column_gain"]
    assert column.value == pytest.approx(0.5, abs=0.02)
    assert pair.value == pytest.approx(0.5, abs=0.02)
    assert pair.low > 0.45
    assert pair.reference == pytest.approx(0.0, abs=0.02)
    first, second = panels["telling_pairs"]["pairs"][:2]
    assert first["columns"] == ["a", "b"]
    assert first["auc"] == 1.0
    assert abs(second["gain"]) < 0.03


def test_half_of_the_dependence_tells_half_as_much(compare):
    """Real coins are independent, synthetic ones agree: cells (0,0), (1,1) hold all of one and half of the other.

    The likelihood ratio is 2 there and 0 elsewhere, so that AUC = 1/2 + 1/2 * 1/2 = 0.75.
    """
    real = {"train": bits(6000, 1, alone), "holdout": bits(6000, 2, alone)}
    found, panels = measured(compare(bits(6000, 3, same), **real, schema=BITS))
    assert panels["telling_pairs"]["pairs"][0]["auc"] == pytest.approx(0.75, abs=0.015)
    assert found["fidelity.two_column_gain"].value == pytest.approx(0.25, abs=0.02)


def test_one_column_by_hand(compare):
    """A coin of 0.8 against a fair one: AUC of the likelihood ratio is 1/2 + (0.8 - 0.5) / 2."""

    def coins(rows, seed, share):
        frame = bits(rows, seed, alone)
        return frame.assign(a=RNG(seed).permutation(np.arange(rows) < share * rows).astype(int))

    real = {"train": coins(6000, 1, 0.5), "holdout": coins(6000, 2, 0.5)}
    found, panels = measured(compare(coins(6000, 3, 0.8), **real, schema=BITS))
    score = found["fidelity.c2st_one_column"]
    assert score.value == pytest.approx(0.65, abs=0.002)
    assert score.low < 0.65 < score.high
    assert panels["telling_columns"]["columns"][0]["column"] == "a"
    assert score.reference == pytest.approx(0.5, abs=0.02)


def coded(rows, seed, size=5, columns=4):
    rng = RNG(seed)
    first = rng.integers(0, size, (1, rows))
    codes = np.concatenate([first, (first + rng.integers(0, 2 + seed % 2, (columns - 1, rows))) % size])
    return CodedRows(codes, rng.permutation(np.arange(rows) % module.DETECTION_FOLDS))


def by_rows(tables, columns):
    """AUC of one or two columns in the plainest way: dictionaries, rows, and scikit-learn in each fold."""
    aucs = []
    for fold in range(module.DETECTION_FOLDS):

        def share(names, cell, prior, fold=fold):
            counts = []
            for side in (tables.left, tables.right):
                fits = side.folds != fold
                hits = np.all([side.codes[k][fits] == c for k, c in zip(names, cell, strict=True)], axis=0)
                counts.append((hits.sum(), fits.sum()))
            (ours, n), (theirs, m) = counts
            theirs = theirs * n / m
            return (ours + PRIOR_ROWS * prior) / (ours + theirs + PRIOR_ROWS)

        values, labels = [], []
        for side, label in ((tables.left, 1), (tables.right, 0)):
            for row in np.flatnonzero(side.folds == fold):
                cell = [side.codes[k][row] for k in columns]
                alone_ = [share([k], [c], 0.5) for k, c in zip(columns, cell, strict=True)]
                odds = np.prod([p / (1 - p) for p in alone_])
                values.append(alone_[0] if len(columns) == 1 else share(columns, cell, odds / (1 + odds)))
                labels.append(label)
        aucs.append(roc_auc_score(labels, np.round(values, 12)))
    return float(np.mean(aucs))


def test_every_pair_as_a_brute_force_finds_it():
    tables = TwoTables(coded(150, 1), coded(141, 2), 5)
    pairs = list(itertools.combinations(range(4), 2))
    alone_ = ColumnAucs.of(tables).found.auc
    gains = PairGains.of(tables, pairs)
    np.testing.assert_allclose(alone_, [by_rows(tables, [k]) for k in range(4)], atol=1e-9)
    np.testing.assert_allclose(gains.auc, [by_rows(tables, list(pair)) for pair in pairs], atol=5e-3)
    np.testing.assert_allclose(gains.gain, gains.auc - [max(alone_[i], alone_[j]) for i, j in pairs], atol=1e-12)


def test_pairs_at_once_change_nothing(monkeypatch):
    tables = TwoTables(coded(150, 1), coded(141, 2), 5)
    pairs = list(itertools.combinations(range(4), 2))
    whole = PairGains.of(tables, pairs)
    monkeypatch.setattr(module, "TABLES_AT_ONCE", 1)
    one = PairGains.of(tables, pairs)
    np.testing.assert_array_equal(whole.gain, one.gain)
    np.testing.assert_array_equal(whole.se, one.se)


def test_the_interval_of_a_gain_is_as_wide_as_the_draws_differ():
    """Standard error by DeLong beside the spread over tables drawn again and again."""
    found = [PairGains.of(TwoTables(coded(600, 2 * k + 1), coded(600, 2 * k + 2), 5), [(0, 1)]) for k in range(60)]
    spread = np.std([each.gain[0] for each in found], ddof=1)
    assert 0.6 < np.mean([each.se[0] for each in found]) / spread < 1.6


def test_fresh_rows_tell_no_more_than_training_rows(law, compare):
    found, panels = measured(compare(law(1500, 3)))
    for score in found.values():
        assert score.low <= score.reference <= score.high
    assert found["fidelity.c2st_one_column"].low <= 0.5
    assert len(panels["telling_columns"]["columns"]) == 6
    assert panels["telling_pairs"]["of"] == 15


def test_pairs_torn_apart_are_found(law, shuffled, compare):
    """Each column by itself is that of the law: only pairs tell, and those most that hang together."""
    found, panels = measured(compare(shuffled(1500, 3)))
    assert found["fidelity.two_column_gain"].low > found["fidelity.two_column_gain"].reference
    assert found["fidelity.c2st_one_column"].low < 0.5
    assert set(panels["telling_pairs"]["pairs"][0]["columns"]) in ({"age", "cost"}, {"cost", "ward"})


def test_several_draws_are_averaged(law, shuffled, compare):
    both, _ = measured(compare((shuffled(1500, 3), shuffled(1500, 4))))
    one, _ = measured(compare(shuffled(1500, 3)))
    name = "fidelity.two_column_gain"
    assert both[name].value == pytest.approx(one[name].value, abs=0.05)


def test_very_many_pairs_are_screened_first(monkeypatch, law, shuffled, compare):
    """The most telling pair is still found, and the note says that others were not measured."""
    every, _ = measured(compare(shuffled(1500, 3)))
    monkeypatch.setattr(module, "MAX_EXHAUSTIVE_PAIRS", 10)
    monkeypatch.setattr(module, "SCREENED_PAIRS", 6)
    some, panels = measured(compare(shuffled(1500, 3)))
    name = "fidelity.two_column_gain"
    assert some[name].value == pytest.approx(every[name].value)
    assert 6 <= len(some[name].parts) < 15
    assert panels["telling_pairs"]["of"] == 15
    assert "those" in some[name].note
    assert "coarse cuts" not in every[name].note


def test_a_lonely_column_has_no_pair(law, compare):
    schema = Schema(columns={"age": {"kind": "numeric"}})
    found, panels = measured(compare(law(300, 3)[["age"]], schema=schema))
    assert list(found) == ["fidelity.c2st_one_column"]
    assert list(panels) == ["telling_columns"]


def test_what_is_told_for_certain_still_has_an_interval(compare):
    schema = Schema(columns={name: {"kind": "categorical", "levels": list("pqrs")} for name in "ab"})

    def rows(levels, seed):
        return pd.DataFrame({name: RNG(seed).choice(list(levels), 600) for name in "ab"})

    found, _ = measured(compare(rows("pq", 1), train=rows("rs", 2), holdout=rows("rs", 3), schema=schema))
    column, pair = found["fidelity.c2st_one_column"], found["fidelity.two_column_gain"]
    assert column.value == column.high == 1.0
    assert column.low < 1.0
    assert pair.low < pair.value == 0.0 < pair.high


def test_rows_of_a_unit_are_never_on_both_sides_of_a_fold(compare):
    """Every person has a code of their own in thirty rows, the same in all tables: nobody can be told by it."""
    schema = Schema(
        columns={
            "who": {"kind": "identifier"},
            "code": {"kind": "categorical", "levels": [f"c{k}" for k in range(24)]},
        },
        unit="who",
    )

    def people(start):
        who = np.repeat(np.arange(start, start + 12), 30)
        return pd.DataFrame({"who": who.astype(str), "code": [f"c{k}" for k in who % 24]})

    found, _ = measured(compare(people(0), train=people(0), holdout=people(12), schema=schema))
    assert found["fidelity.c2st_one_column"].value == pytest.approx(0.5)


def test_too_few_rows_are_refused(law, compare):
    with pytest.raises(
        MetricError, match=r"two rows in each of 3 folds of every table.*a fold has 1\. Bring more rows"
    ):
        telling_pairs(compare(law(5, 3)), RNG(0))
