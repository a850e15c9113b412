"""Values within each level of a series against scipy and pandas: a wrong rare test is seen, and rare levels counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from synthkit.metrics.linked.linked_metric_registry import linked_metrics_of
from synthkit.metrics.linked.series_values import FEWEST_LEVEL_ROWS, series_values
from synthkit.metrics.metric import MetricOptions
from synthkit.metrics.result import Failure
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

RNG = np.random.default_rng
WARDS = {"kind": "categorical", "levels": ["a", "b", "c"]}


@pytest.fixture
def lab(frames, clinic):
    """The clinic with a rare test `y`, a column of levels beside the values, and some values missing."""
    meaning = yaml.safe_load(clinic(130, 3).schema.dumps())
    meaning["tables"]["labs"]["columns"]["ward"] = WARDS
    meaning["tables"]["labs"]["columns"]["test"] = {"kind": "categorical", "levels": ["x", "y", "z"]}
    schema = LinkedSchema.parse(meaning)

    def build(people, seed, change=lambda f, rng: f, rare=0.1):
        made, rng = frames(people, seed), RNG(seed)
        labs = made["labs"]
        labs["test"] = np.where(rng.random(len(labs)) < rare, "y", "x")
        labs.loc[:4, "test"] = "z"
        labs["value"] = (labs["value"] + np.where(labs["test"] == "y", 100, 0)).mask(rng.random(len(labs)) < 0.05)
        labs["ward"] = np.where(labs["test"] == "y", "a", rng.choice(list("bc"), len(labs)))
        return LinkedTables.of({**made, "labs": change(labs.copy(), rng)}, schema)

    return build


def measured(comparison):
    (score,), panels = series_values(comparison, RNG(0), table="labs")
    return score, panels.get("series_values", {}).get("labs")


def within(tables, test):
    return tables.frames["labs"].loc[lambda f: f["test"] == test]


def test_distances_are_those_of_scipy_and_pandas_within_each_level(lab, compare):
    c = compare(lab(300, 3), train=lab(300, 1), holdout=lab(300, 2))
    score, panel = measured(c)
    sides = c.synthetic, c.holdout
    rows = {test: len(within(c.holdout, test)) for test in ("x", "y")}
    far = {}
    for test in ("x", "y"):
        values, wards = ([within(t, test)[column] for t in sides] for column in ("value", "ward"))
        far["value", test] = stats.ks_2samp(*(x.fillna(1e9) for x in values)).statistic
        shares = [x.value_counts(normalize=True) for x in wards]
        far["ward", test] = shares[0].sub(shares[1], fill_value=0).abs().sum() / 2
    parts = {c: sum(far[c, t] * n for t, n in rows.items()) / sum(rows.values()) for c in ("value", "ward")}
    assert score.parts == pytest.approx(parts)
    assert score.value == pytest.approx(np.mean(list(parts.values())))
    assert {(e["column"], e["level"]): e["value"] for e in panel["levels"]} == pytest.approx(far, abs=1e-5)
    assert {e["level"]: e["real rows"] for e in panel["levels"]} == rows
    assert (panel["compared"], panel["left out"]) == (2, 1)
    assert "rows are left out: 1." in score.note


def test_a_wrong_rare_test_is_seen_where_all_values_together_look_alike(lab, compare):
    """Values of the rare test are drawn among those of all tests."""

    def mixed(f, rng):
        rare = (f["test"] == "y").to_numpy()
        return f.assign(value=np.where(rare, rng.choice(f["value"], len(f)), f["value"]))

    real = {"train": lab(300, 1), "holdout": lab(300, 2)}
    fresh, wrong = (measured(compare(t, **real)) for t in (lab(300, 3), lab(300, 3, mixed)))
    assert fresh[0].low <= fresh[0].reference <= fresh[0].high
    assert wrong[0].low > fresh[0].value
    worst = wrong[1]["levels"][0]
    assert (worst["level"], worst["column"]) == ("y", "value")
    assert worst["value"] > 0.7
    assert worst["reference"] < 0.3
    whole = [t.frames["labs"]["value"] for t in (lab(300, 3, mixed), real["holdout"])]
    assert stats.ks_2samp(*(x.dropna() for x in whole)).statistic < 0.15


def test_values_that_are_missing_in_one_level_alone_are_seen(lab, compare):
    gone = lab(300, 3, lambda f, rng: f.assign(value=f["value"].mask(f["test"] == "y")))
    _, panel = measured(compare(gone, train=lab(300, 1), holdout=lab(300, 2)))
    assert (panel["levels"][0]["level"], panel["levels"][0]["column"]) == ("y", "value")
    assert panel["levels"][0]["value"] > 0.8


def test_the_interval_covers_a_mean_of_fresh_tables(lab, compare):
    """By units: the spread of the score over fresh synthetic tables is no more than its interval says."""
    real = {"train": lab(120, 1), "holdout": lab(200, 2)}
    found = [measured(compare(lab(120, seed), **real))[0] for seed in range(10, 22)]
    spread = np.std([s.value for s in found], ddof=1)
    assert np.mean([s.high - s.low for s in found]) / (2 * 1.96) > 0.6 * spread


def test_too_few_rows_of_every_level_are_a_failure_in_words(lab, compare):
    found, panel = measured(compare(lab(300, 3), train=lab(300, 1), holdout=lab(4, 2)))
    assert isinstance(found, Failure)
    assert f"needs {FEWEST_LEVEL_ROWS} rows of a level of the series on both sides; however: no" in found.reason
    assert panel is None


def test_only_tables_with_a_series_and_values_are_measured(clinic):
    schema = clinic(130, 3).schema
    names = [name for name in linked_metrics_of(schema, MetricOptions()) if name.endswith("series_values")]
    assert names == ["fidelity.labs.series_values"]
    meaning = yaml.safe_load(schema.dumps())
    del meaning["tables"]["labs"]["series"]
    assert not [n for n in linked_metrics_of(LinkedSchema.parse(meaning), MetricOptions()) if "series_values" in n]


def test_levels_that_training_never_had_are_not_compared(lab, compare):
    def none(f, rng):
        return f[f["test"] != "y"]

    _, panel = measured(compare(lab(300, 3), train=lab(300, 1, none), holdout=lab(300, 2)))
    assert {e["level"] for e in panel["levels"]} == {"x"}
    assert panel["compared"] == 1
    assert isinstance(panel["levels"][0]["reference"], float)
    assert pd.Series([e["value"] for e in panel["levels"]]).between(0, 1).all()
