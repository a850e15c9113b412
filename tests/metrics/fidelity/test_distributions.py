"""Fidelity against SDMetrics, pandas, scipy and counts made by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats.contingency import association

from synthkit.errors import MetricError
from synthkit.metrics.fidelity import associations, classifier_two_sample, equivalent_sample_size, validity
from synthkit.metrics.fidelity import distributions as fidelity
from synthkit.metrics.stats import binning
from synthkit.schema import Schema

RNG = np.random.default_rng


def scores_of(metric, comparison, seed=0):
    return {score.metric: score for score in metric(comparison, RNG(seed))[0]}


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=200), st.integers(2, 10))
def test_quantile_edges_mirror(values, bins):
    """The edges of mirrored values are the mirrored edges, no value lies on one, and no bin is empty."""
    distinct, counts = np.unique(np.array(values, dtype=float), return_counts=True)
    edges = binning.quantile_edges(distinct, counts, bins)
    mirrored = binning.quantile_edges(-distinct[::-1], counts[::-1], bins)
    np.testing.assert_allclose(mirrored, -edges[::-1])
    assert len(edges) <= bins
    assert not np.isin(edges, distinct).any()
    assert (np.bincount(np.searchsorted(edges, distinct), minlength=len(edges) + 1) > 0).all()


def test_spikes_stay_whole_and_missing_and_novel_have_codes():
    schema = Schema(
        columns={
            "gain": {"kind": "numeric", "nullable": True},
            "code": {"kind": "code", "nullable": True},
        }
    )
    train = pd.DataFrame({"gain": [0.0] * 90 + [*range(100, 110)], "code": [f"c{k % 13}" for k in range(100)]})
    cuts = binning.Binning.fit(train, schema)
    codes = cuts.codes(pd.DataFrame({"gain": [0.0, np.nan, 105.0], "code": ["c0", "new", None]}))
    gain, code = cuts.cuts["gain"], cuts.cuts["code"]
    assert [gain.labels[k] for k in codes[0]] == ["0", "missing", "100 – 109"]
    assert [code.labels[k] for k in codes[1]] == ["c0", "novel", "missing"]
    assert code.labels.count("other") == 1
    assert code.size == 10 + 3


def test_shape_and_trend_agree_with_sdmetrics(law, shuffled, compare):
    """Column Shapes and Column Pair Trends of the SDMetrics quality report, thresholds at 0."""
    reports = pytest.importorskip("sdmetrics.reports")
    train, synthetic = law(800, 3), shuffled(700, 4)
    for frame in (train, synthetic):  # SDMetrics cuts each table at its own range: give both the same ends
        frame.loc[0, ["age", "pressure", "cost"]] = [18.0, 60.0, 0.1]
        frame.loc[1, ["age", "pressure", "cost"]] = [110.0, 190.0, 60.0]
        frame.loc[[0, 1], "visit day"] = [pd.Timestamp("2020-01-01"), pd.Timestamp("2021-12-31")]
    kinds = {"age": "numerical", "pressure": "numerical", "cost": "numerical", "ward": "categorical"}
    spec = {"columns": {c: {"sdtype": kind} for c, kind in kinds.items()}}
    spec["columns"] |= {"visit day": {"sdtype": "datetime"}, "died": {"sdtype": "categorical"}}
    report = reports.QualityReport()
    report.real_correlation_threshold = report.real_association_threshold = 0.0
    both = [{"t": frame} for frame in (train, synthetic)]
    report.generate(*both, {"METADATA_SPEC_VERSION": "V2", "relationships": [], "tables": {"t": spec}}, verbose=False)
    properties = report.get_properties().set_index("Property")["Score"]
    comparison = compare(synthetic, train=train)
    shape = scores_of(fidelity.columns, comparison)["fidelity.shape_train"]
    trend = scores_of(fidelity.pairs, comparison)["fidelity.trend_train"]
    assert shape.value == pytest.approx(properties["Column Shapes"], abs=1e-9)
    assert trend.value == pytest.approx(properties["Column Pair Trends"], abs=2e-3)  # its top bin is one row short


def test_contingency_agrees_with_sdmetrics_exactly(law, shuffled, compare):
    metrics = pytest.importorskip("sdmetrics.column_pairs")
    train, synthetic = law(800, 3), shuffled(700, 4)
    schema = Schema(columns={"cost": {"kind": "numeric"}, "ward": {"kind": "categorical", "levels": list("ABCD")}})
    ours = scores_of(fidelity.pairs, compare(synthetic, train=train, schema=schema))["fidelity.trend_train"]
    theirs = metrics.ContingencySimilarity.compute(
        train[["cost", "ward"]].copy(), synthetic[["cost", "ward"]].copy(), continuous_column_names=["cost"]
    )
    assert ours.value == pytest.approx(theirs)


def test_two_way_tv_by_hand(compare):
    """Four cells: .5 -> .25 and .25 -> .5 move a quarter of the mass."""
    schema = Schema(columns={c: {"kind": "boolean", "levels": [0, 1]} for c in "ab"})
    real = pd.DataFrame({"a": [0, 0, 0, 1] * 50, "b": [0, 0, 1, 1] * 50})
    synthetic = pd.DataFrame({"a": [0, 0, 1, 1] * 50, "b": [0, 1, 1, 1] * 50})
    comparison = compare(synthetic, train=real, holdout=real, schema=schema)
    scores = scores_of(fidelity.pairs, comparison)
    assert scores["fidelity.tv2"].value == pytest.approx(0.75)
    assert scores["fidelity.tv2"].reference == 1
    assert scores_of(fidelity.columns, comparison)["fidelity.tv1"].value == pytest.approx(0.75)


def test_real_rows_score_like_the_reference_and_independent_ones_do_not(law, shuffled, compare):
    fresh = scores_of(fidelity.pairs, compare(law(1500, 3)))["fidelity.tv2"]
    assert fresh.low <= fresh.reference <= fresh.high
    apart = scores_of(fidelity.pairs, compare(shuffled(1500, 3)))["fidelity.tv2"]
    assert apart.high < apart.reference


def test_draws_narrow_the_interval_only_by_their_own_share(law, compare):
    one = scores_of(fidelity.columns, compare(law(1500, 3)))["fidelity.tv1"]
    four = scores_of(fidelity.columns, compare(tuple(law(1500, k) for k in range(3, 7))))["fidelity.tv1"]
    assert 0.5 < (four.high - four.low) / (one.high - one.low) < 1  # 1/2 if nothing were shared


def test_random_tuples_are_drawn_when_there_are_too_many():
    assert len(binning.tuples(15, 3, 500, RNG(0))) == math.comb(15, 3)
    drawn = binning.tuples(40, 3, 500, RNG(0))
    assert len(set(drawn)) == 300
    assert all(a < b < c for a, b, c in drawn)


def test_associations_agree_with_pandas_and_scipy(law, compare):
    comparison = compare(law(1500, 3))
    frame = comparison.train
    features = associations.Features.of(frame, comparison.schema, comparison.binning)
    z = features.matrix(frame)
    found = pd.DataFrame(features.associations(z.T @ z), index=features.names, columns=features.names)
    assert found.loc["age", "pressure"] == pytest.approx(frame["age"].corr(frame["pressure"]))
    table = pd.crosstab(frame["ward"], frame["died"]).to_numpy()
    assert found.loc["ward", "died"] == pytest.approx(association(table, method="cramer"))
    cost, means = frame["cost"], frame.groupby("ward")["cost"].transform("mean")
    assert found.loc["ward", "cost"] == pytest.approx(np.sqrt(means.var() / cost.var()))
    assert (np.diag(found) == 1).all()
    assert np.allclose(found, found.T)


def test_correlation_difference_sees_independence(law, shuffled, compare):
    apart = scores_of(associations.associations, compare(shuffled(1500, 3)))["fidelity.correlation_difference"]
    assert apart.low > 2 * apart.reference
    fresh = scores_of(associations.associations, compare(law(1500, 3)))["fidelity.correlation_difference"]
    assert fresh.value == pytest.approx(fresh.reference, abs=0.02)


def test_rules_ranges_and_levels_count_rows(law, compare):
    synthetic = law(1000, 3)
    synthetic.loc[:9, "age"] = 200.0  # out of range
    synthetic.loc[10:14, ["age", "ward"]] = [10.0, "D"]  # breaks the rule
    synthetic.loc[20:23, "ward"] = "E"  # neither declared nor seen
    synthetic.loc[30:31, "cost"] = np.nan  # must not be missing
    comparison = compare(synthetic)
    rule = scores_of(validity.rules, comparison)["fidelity.rule_violations"]
    assert (rule.value, rule.reference) == (0.005, 0)
    outside = scores_of(validity.ranges, comparison)["fidelity.range_violations"]
    assert outside.value == pytest.approx(0.016)
    assert outside.parts["cost"] == 0.002
    levels = scores_of(validity.levels, comparison)
    assert levels["fidelity.novel_levels"].value == 0.004
    assert levels["fidelity.coverage"].value == 1
    panel = validity.rules(comparison, RNG(0))[1]["rules"]
    assert panel == [{"sentence": comparison.schema.rules[0].sentence, "violations": 5, "rows": 1000}]


def test_undeclared_combinations_are_those_of_train(compare):
    schema = Schema(
        columns={c: {"kind": "categorical", "levels": ["x", "y"]} for c in "ab"},
        rules=[{"rule": "fixed_combination", "columns": ["a", "b"]}],
    )
    train = pd.DataFrame({"a": ["x", "y"] * 20, "b": ["x", "y"] * 20})
    synthetic = pd.DataFrame({"a": ["x", "x", "y", "y"] * 10, "b": ["x", "y", "y", "y"] * 10})
    comparison = compare(synthetic, train=train, holdout=train, schema=schema)
    assert scores_of(validity.rules, comparison)["fidelity.rule_violations"].value == 0.25


def test_coverage_misses_lost_levels(law, compare):
    synthetic = law(1000, 3)
    synthetic["ward"] = "A"
    assert scores_of(validity.levels, compare(synthetic))["fidelity.coverage"].value == pytest.approx((0.25 + 1) / 2)


def test_missingness_sees_cells_that_go_missing_together(law, compare):
    synthetic = law(1500, 3)
    together = synthetic["pressure"].isna()
    synthetic["visit day"] = synthetic["visit day"].fillna(pd.Timestamp("2020-06-01")).mask(together)
    score = scores_of(validity.missingness, compare(synthetic))["fidelity.missingness"]
    assert score.low > score.reference
    assert score.parts["age"] == 0


@pytest.mark.parametrize("rows", [150, 600])
def test_a_real_subsample_is_worth_its_rows(law, compare, rows):
    comparison = compare(law(rows, 3), train=law(4000, 4), holdout=law(4000, 5))
    score = scores_of(equivalent_sample_size.equivalent_sample_size, comparison)["fidelity.equivalent_sample_size"]
    assert score.reference == rows
    assert 0.5 * rows < score.value < 2 * rows
    assert score.low <= rows <= score.high * 1.3


def test_c2st_of_fresh_rows_is_a_coin_and_of_independent_ones_is_not(law, shuffled, compare):
    fresh = scores_of(classifier_two_sample.c2st, compare(law(1500, 3)))["fidelity.c2st"]
    assert fresh.value == pytest.approx(0.5, abs=0.04)
    apart = scores_of(classifier_two_sample.c2st, compare(shuffled(1500, 3)))["fidelity.c2st"]
    assert apart.low > 0.6
    assert max(apart.parts, key=apart.parts.get) in {"age", "cost"}


def test_c2st_needs_rows(law, compare):
    with pytest.raises(MetricError, match="at least 6 rows a side; however: the smaller side has 4"):
        classifier_two_sample.c2st(compare(law(4, 3)), RNG(0))


def test_panels_are_aligned_and_small_cells_hidden(law, compare):
    comparison = compare(law(1500, 3))
    distributions = fidelity.columns(comparison, RNG(0))[1]["distributions"]
    assert sorted(d["column"] for d in distributions) == sorted(comparison.schema.learned)
    assert [d["error"] for d in distributions] == sorted((d["error"] for d in distributions), reverse=True)
    for d in distributions:
        assert len(d["bins"]) == len(d["train"]) == len(d["holdout"]) == len(d["synthetic"]) <= 30
        assert sum(d["synthetic"]) == pytest.approx(1, abs=1e-4)
        assert ("missing" in d["bins"]) == bool(comparison.train[d["column"]].isna().any())
    panels = fidelity.pairs(comparison, RNG(0))[1]
    error = np.array(panels["pairs"]["error"])
    assert error.shape == (6, 6)
    assert np.allclose(error, error.T)
    cells = panels["worst_cells"]
    assert 0 < len(cells) <= 20
    counts = [cell[key] for cell in cells for key in ("holdout", "synthetic")]
    assert all(count == "<10" or count >= 10 for count in counts)
