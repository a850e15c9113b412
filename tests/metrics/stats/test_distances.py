"""The mixed-type distance against a loop over cells, and the neighbours against sorting all distances."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT
from scipy.stats import rankdata

from synthkit.metrics.stats import distances as module
from synthkit.metrics.stats.distances import DistanceSpace, smallest
from synthkit.schema import Schema
from synthkit.tables.table_files import conform, read

SCHEMA = Schema(
    columns={
        "id": {"kind": "identifier"},
        "age": {"kind": "numeric", "decimals": 0},
        "crea": {"kind": "numeric", "nullable": True},
        "seen": {"kind": "datetime", "nullable": True},
        "sex": {"kind": "categorical", "levels": ["F", "M"], "nullable": True},
        "stage": {"kind": "ordinal", "levels": [1, 2, 3]},
        "icd": {"kind": "code", "nullable": True},
    }
)


def table(n, rng):
    frame = pd.DataFrame(
        {
            "id": [f"P{i}" for i in range(n)],
            "age": rng.integers(0, 9, n),
            "crea": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 30, n), unit="D"),
            "sex": rng.choice(np.array(["F", "M", None], dtype=object), n),
            "stage": rng.integers(1, 4, n),
            "icd": rng.choice(np.array([f"{k:03}" for k in range(60)] + [None], dtype=object), n),
        }
    )
    frame.loc[rng.random(n) < 0.1, "seen"] = pd.NaT
    return conform(frame, SCHEMA)


def brute(a, b, fitted):
    """Distance cell by cell, ranks from scipy."""
    total = 0.0
    for name in ("age", "crea", "seen"):
        known = fitted[name].dropna()
        order = rankdata(known.astype("int64") if name == "seen" else known)
        ranks = dict(zip(known, (order - 0.5) / len(known), strict=True))
        at = [0.5 if pd.isna(v) else ranks[v] for v in (a[name], b[name])]
        total += (at[0] - at[1]) ** 2 + (pd.isna(a[name]) != pd.isna(b[name]))
    for name in ("sex", "stage", "icd"):
        same = a[name] == b[name] or (pd.isna(a[name]) and pd.isna(b[name]))
        total += not same
    return np.sqrt(total)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def all_distances(frame):
    return np.array([[brute(a, b, frame) for _, b in frame.iterrows()] for _, a in frame.iterrows()])


def test_distances_and_neighbours_equal_brute_force(rng):
    frame = table(60, rng)
    space = DistanceSpace.fit(frame, SCHEMA)
    at = space.coordinates(frame)
    expected = all_distances(frame)
    assert at.dtype == np.float32
    assert at.shape == (60, space.dense + 1)  # the codes have more than 32 levels and are compared by number
    np.testing.assert_allclose(space.distances(at[:, None], at[None, :]), expected, atol=1e-6)
    distances, indices = space.nearest(at, at, 7)
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :7], atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(expected, indices, axis=1), distances, atol=1e-6)


def test_blocks_do_not_change_the_answer(rng, monkeypatch):
    frame = table(50, rng)
    space = DistanceSpace.fit(frame, SCHEMA)
    at = space.coordinates(frame)
    whole = space.nearest(at, at, 3)
    monkeypatch.setattr(module, "_HELD_DISTANCES", 120)
    for one, other in zip(whole, space.nearest(at, at, 3), strict=True):
        np.testing.assert_array_equal(one, other)


def test_points_of_the_same_group_are_no_neighbours(rng):
    frame = table(40, rng)
    space = DistanceSpace.fit(frame, SCHEMA)
    at = space.coordinates(frame)
    groups = np.arange(40) // 4
    expected = all_distances(frame)
    expected[groups[:, None] == groups[None, :]] = np.inf
    distances, indices = space.nearest(at, at, 5, query_groups=groups, point_groups=groups)
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :5], atol=1e-6)
    assert (groups[indices] != groups[:, None]).all()
    distances, _ = space.nearest(at[:2], at[:5], 3, query_groups=groups[:2], point_groups=groups[:5])
    assert np.isinf(distances[:, 1:]).all()


def test_a_copy_is_at_distance_zero_and_a_new_level_differs_from_all_known(rng):
    frame = table(500, rng)
    space = DistanceSpace.fit(frame, SCHEMA)
    at = space.coordinates(frame)
    distances, _ = space.nearest(at[:50], at, 1)
    assert (distances == 0).all()
    strange = frame.head(1).assign(sex="X", icd="new")
    base = frame.head(1).assign(sex="F", icd="001")
    missing = frame.head(1).assign(sex=None, icd=None)
    a, b, c = (space.coordinates(f)[0] for f in (strange, base, missing))
    np.testing.assert_allclose(
        [space.distances(a, b), space.distances(a, c), space.distances(b, c)], np.sqrt(2), rtol=1e-6
    )


def test_identifiers_and_the_unit_take_no_part(rng):
    frame = table(30, rng)
    schema = SCHEMA.model_copy(update={"unit": "icd"})
    space = DistanceSpace.fit(frame, schema)
    assert space.left_out == ("id", "icd")
    np.testing.assert_array_equal(space.coordinates(frame), space.coordinates(frame.assign(id="x", icd="y")))


def test_monotone_changes_of_a_number_do_not_move_rows(rng):
    frame = table(80, rng)
    bent = frame.assign(crea=np.exp(3 * frame["crea"]))
    np.testing.assert_array_equal(
        DistanceSpace.fit(frame, SCHEMA).coordinates(frame), DistanceSpace.fit(bent, SCHEMA).coordinates(bent)
    )


def test_arguments_that_cannot_be_meant_are_refused(rng):
    frame = table(10, rng)
    space = DistanceSpace.fit(frame, SCHEMA)
    at = space.coordinates(frame)
    for k in (0, 11):
        with pytest.raises(ValueError, match="k must lie between 1 and the number of points 10"):
            space.nearest(at, at, k)
    with pytest.raises(ValueError, match="groups must be given for queries and points"):
        space.nearest(at, at, 1, query_groups=np.arange(10))


@pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA names no folder with the public tables")
def test_neighbours_in_support2_agree_with_scikit_learn():
    from sklearn.neighbors import NearestNeighbors

    schema = Schema.load(ROOT / "schemas" / "support2.yaml")
    frame = read(Path(os.environ["SYNTHKIT_DATA"]) / "support2" / "support2.parquet", schema=schema).frame()
    space = DistanceSpace.fit(frame, schema)
    at = space.coordinates(frame)
    assert at.shape[1] == space.dense  # no column of more than 32 levels: a plain Euclidean space
    expected, _ = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(at.astype(float)).kneighbors(at[:500])
    distances, _ = space.nearest(at[:500], at, 5)
    np.testing.assert_allclose(distances, expected, atol=2e-6)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(
    ("n", "m", "k"), [(5, 1, 1), (4, 40, 40), (7, 40, 3), (30, 1000, 11), (30, 1007, 11), (1, 4096, 1)]
)
def test_the_smallest_of_a_row_are_those_that_sorting_finds(n, m, k, ties):
    rng = np.random.default_rng(n * m + k)
    values = rng.integers(0, 50, (n, m)).astype(np.float32) if ties else rng.random((n, m), dtype=np.float32)
    values[0, : m // 2] = np.inf
    found = smallest(values, k)
    assert found.shape == (n, k)
    assert all(len(set(row)) == k for row in found.tolist())
    np.testing.assert_array_equal(
        np.sort(np.take_along_axis(values, found, axis=1), axis=1), np.sort(values, axis=1)[:, :k]
    )
