"""Profiles of units against their definition; nearest points against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from synthkit.metrics.linked.attacks.unit_profiles import OWN_COLUMN_WEIGHT, UnitProfiles, nearest_points


def test_distance_of_two_units_is_that_of_the_shares_of_their_values(clinic):
    tables = clinic(40, 3)
    at = UnitProfiles.fit(tables).points(tables)
    people, visits = tables.frames["people"], tables.frames["visits"]
    a, b = np.flatnonzero(tables.counts("visits") > 1)[:2]
    shares = [
        visits["ward"][tables.units["visits"] == k].value_counts(normalize=True).reindex(list("abc")).fillna(0)
        for k in (a, b)
    ]
    expected = float(((np.sqrt(shares[0]) - np.sqrt(shares[1])) ** 2).sum())
    own = OWN_COLUMN_WEIGHT**2 * 2 * (people["sex"][a] != people["sex"][b])
    cuts = UnitProfiles.fit(tables).cuts
    alone = {}
    for name in ("visits", "people"):
        part = UnitProfiles(
            {name: type(cuts[name])({k: v for k, v in cuts[name].cuts.items() if k in ("ward", "sex")})}
        )
        points = part.points(tables)
        alone[name] = float(np.square(points[a] - points[b]).sum())
    assert alone == pytest.approx({"visits": expected, "people": own}, abs=1e-6)
    assert at.shape[0] == 40


def test_units_without_rows_lie_at_nought_of_their_tables(clinic):
    tables = clinic(60, 3)
    lonely = np.flatnonzero((tables.counts("visits") == 0) & (tables.counts("labs") == 0))
    assert len(lonely)
    cuts = UnitProfiles.fit(tables).cuts
    below = UnitProfiles({name: cut for name, cut in cuts.items() if name != "people"})
    assert not below.points(tables)[lonely].any()


def test_profiles_stay_short_where_there_are_many_columns(hospital):
    tables = hospital(60, 1)
    assert UnitProfiles.fit(tables).points(tables).shape[1] <= 4_000


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 40), st.integers(0, 99))
def test_nearest_points_are_those_of_scipy(asking, points, k, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(0, 3, (n, 4)).astype(np.float32) for n in (asking, points))
    expected = np.sort(cdist(a, b), axis=1)[:, : min(k, points)]
    np.testing.assert_allclose(nearest_points(a, b, k), expected, atol=1e-6)
