"""Aggregates of units against pandas; correlations against scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synthkit.metrics.linked.unit_aggregates import UnitAggregates
from synthkit.metrics.linked.unit_correlations import ranked, unit_correlations

RNG = np.random.default_rng


def test_aggregates_are_those_of_pandas(clinic, side_of):
    tables = clinic(130, 3)
    found = UnitAggregates.of(side_of(tables)).frame
    ids = tables.frames["people"]["id"]
    visits, labs = tables.frames["visits"], tables.frames["labs"]
    cost, value = visits.groupby("id")["cost"], labs.groupby("id")["value"]
    expected = {
        "visits: rows": ids.map(visits["id"].value_counts()).fillna(0),
        "visits: first": ids.map(visits.groupby("id")["start"].min()),
        "visits: last": ids.map(visits.groupby("id")["start"].max()),
        "visits.ward: different": ids.map(visits.groupby("id")["ward"].nunique()).fillna(0),
        "visits.cost: mean": ids.map(cost.mean()),
        "visits.cost: sd": ids.map(cost.std()),
        "visits.cost: least": ids.map(cost.min()),
        "visits.cost: last": ids.map(cost.last()),
        "labs.value: largest": ids.map(value.max()),
        "codes.code: different": ids.map(tables.frames["codes"].groupby("id")["code"].nunique()).fillna(0),
        "people.paid": tables.frames["people"]["paid"],
    }
    for name, column in expected.items():
        np.testing.assert_allclose(found[name], column.to_numpy(dtype=float), err_msg=name)
    commonest = labs["test"].value_counts().index  # of this side; ranks are those of the training rows
    share = labs.assign(x=labs["test"] == "x").groupby("id")["x"].mean()
    mean = labs[labs["test"] == "x"].groupby("id")["value"].mean()
    assert np.allclose(found["labs, x: share"].dropna(), ids.map(share).dropna())
    np.testing.assert_allclose(found["labs.value, series x: mean"], ids.map(mean), atol=1e-12)
    assert len(commonest) == 2


def test_units_without_rows_and_tables_without_rows_have_aggregates(clinic, side_of):
    tables = clinic(130, 3)
    empty = tables.take(np.flatnonzero((tables.counts("visits") == 0) & (tables.counts("labs") == 0)))
    assert len(empty.frames["visits"]) == 0 < len(empty.frames["people"])
    found = UnitAggregates.of(side_of(empty)).frame
    assert (found["visits: rows"] == 0).all()
    assert found["visits.cost: mean"].isna().all()


def test_correlations_are_spearmans(compare, clinic):
    c = compare(clinic(130, 3))
    (score,), _ = unit_correlations(c, RNG(0))
    assert score.low <= score.value <= score.high
    assert score.reference is not None
    frames = [UnitAggregates.of(side, brief=True).frame for side in (c.drawn, c.real)]
    pair = ["visits: rows", "people.paid"]
    both = [ranked(side).frame for side in (c.drawn, c.real)]
    for frame, ranks in zip(frames, both, strict=True):
        expected = stats.spearmanr(frame[pair[0]], frame[pair[1]]).statistic
        assert np.corrcoef(ranks[pair[0]], ranks[pair[1]])[0, 1] == pytest.approx(expected)


def test_children_given_to_strangers_break_correlations(hospital, compare):
    whole = hospital(200, 3)
    names = whole.frames["patients"]["patient_id"].to_numpy()
    other = dict(zip(names, RNG(0).permutation(names), strict=True))
    labs = whole.frames["labs"]
    frames = {**whole.frames, "labs": labs.assign(patient_id=labs["patient_id"].map(other), visit_id=None)}
    broken = type(whole).of({**frames, **whole.references, **whole.shared}, whole.schema)
    real = {"train": hospital(200, 1), "holdout": hospital(200, 2)}
    fresh, worse = (unit_correlations(compare(t, **real), RNG(0))[0][0] for t in (whole, broken))
    assert worse.value > fresh.value + 0.01
    assert isinstance(UnitAggregates.of(compare(whole, **real).drawn).frame, pd.DataFrame)
