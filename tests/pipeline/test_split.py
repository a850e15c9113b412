"""Roles and coins are independent of everything but themselves."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT
from scipy.stats import binomtest

from synthkit.errors import TableError
from synthkit.metrics.stats.distances import DistanceSpace
from synthkit.pipeline.split import ROLES, Shares, Split, split
from synthkit.runtime.seeds import system_generator
from synthkit.schema import Schema
from synthkit.tables.table_files import conform, read, write

SCHEMA = Schema(columns={"x": {"kind": "numeric"}, "sex": {"kind": "categorical", "levels": ["F", "M"]}})
VISITS = Schema(
    columns={"patient": {"kind": "identifier"}, "x": {"kind": "numeric"}, "y": {"kind": "numeric"}}, unit="patient"
)


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"x": rng.normal(size=n), "sex": rng.choice(["F", "M"], n)})


def visits(patients, seed=0):
    rng = np.random.default_rng(seed)
    patient = rng.permutation(np.repeat([f"P{i}" for i in range(patients)], rng.integers(1, 5, patients)))
    return pd.DataFrame({"patient": patient, "x": rng.normal(size=len(patient)), "y": rng.normal(size=len(patient))})


def likely(hits, n, p):
    """Whether a binomial count is one of the 99.99 % most ordinary."""
    return binomtest(int(hits), int(n), p).pvalue > 1e-4


@pytest.mark.parametrize("n", [40, 500, 4_000, 9_105, 32_561, 200_000])
def test_default_shares_follow_the_published_rule(n):
    shares = Shares.of(n)
    assert shares.pool * n == pytest.approx(min(10_000, 0.18 * n))
    assert shares.reference == shares.pool / 2
    assert shares.test == 0.09
    assert shares.fitted == pytest.approx(1 - shares.pool - 0.09)
    assert shares.fitted >= 0.73 - 1e-12


@pytest.mark.parametrize("n", [402, 1_000, 1_384])
def test_seventy_percent_of_a_small_table_are_fitted(n):
    """What is left after chance, in nearly every split; the mean is the share that was published."""
    rng = np.random.default_rng(0)
    fitted = np.array([split(table(n), SCHEMA, rng).train.mean() for _ in range(40)])
    assert (fitted >= 0.7).mean() > 0.8
    assert fitted.mean() == pytest.approx(0.73, abs=4 * np.sqrt(0.73 * 0.27 / n / 40))


def test_further_fits_attack_people_who_were_not_attacked_before():
    """No coin is drawn twice; everybody has the same chance of being attacked in each; coins are fair."""
    frame, schema, rng, n = visits(1_000), VISITS, np.random.default_rng(1), 1_000
    splits = []
    for _ in range(5):
        splits.append(split(frame, schema, rng, before=splits))
    pools = np.stack([(each.roles["role"] == "pool").to_numpy() for each in splits])
    assert (pools.sum(axis=0) <= 1).all()
    for pool, each in zip(pools, splits, strict=True):
        assert likely(pool.sum(), n, 0.18)
        assert likely(each.roles["coin"].sum(), pool.sum(), 0.5)
        assert likely((each.roles["role"] == "test").sum(), n, 0.09)
    heads = np.stack([each.roles["coin"].fillna(value=False).to_numpy(dtype=bool) for each in splits])
    assert likely(heads.sum(), pools.sum(), 0.5)


def test_who_went_where_adds_up():
    got = split(visits(300), VISITS, np.random.default_rng(2))
    told = got.people()
    assert told["units"] == 300 == sum(count for name, count in told.items() if name != "units")
    held = told["pool held out"] + told["test"]
    assert held == visits(300)["patient"][got.holdout].nunique()
    assert told["train"] + told["pool trained on"] == visits(300)["patient"][got.train].nunique()
    assert told["reference"] == visits(300)["patient"][got.reference].nunique()


@pytest.mark.parametrize("bad", [(0.5, 0.5, 0.5, 0.5), (1.2, -0.2, 0, 0)])
def test_shares_that_are_no_probabilities_are_refused(bad):
    with pytest.raises(ValueError, match="at least 0 and sum to 1"):
        Shares(**dict(zip(ROLES, bad, strict=True)))


def test_roles_are_binomial_and_coins_fair_and_no_row_is_lost():
    frame = table(20_000)
    got = split(frame, SCHEMA, np.random.default_rng(1))
    shares = Shares.of(20_000)
    for role in ROLES:
        assert likely((got.roles["role"] == role).sum(), 20_000, getattr(shares, role)), role
    coins = got.roles["coin"]
    assert likely(coins.sum(), coins.count(), 0.5)
    assert (coins.notna() == (got.roles["role"] == "pool")).all()
    parts = np.stack([got.train, got.holdout, got.reference])
    assert (parts.sum(axis=0) == 1).all()
    assert len(got.train_frame()) + len(got.holdout_frame()) + len(got.reference_frame()) == 20_000
    pd.testing.assert_frame_equal(got.train_frame(), frame[got.train].reset_index(drop=True))
    assert (got.heads <= got.pool).all()
    assert (got.test <= got.holdout).all()


def test_the_share_of_each_role_varies_as_independent_draws_do():
    frame, n, times = table(200), 200, 300
    shares = Shares(train=0.4, pool=0.3, reference=0.2, test=0.1)
    rng = np.random.default_rng(5)
    counts = np.array([split(frame, SCHEMA, rng, shares=shares).pool.sum() for _ in range(times)])
    variance = n * 0.3 * 0.7  # a pool of fixed size would have none
    assert counts.mean() == pytest.approx(n * 0.3, abs=4 * np.sqrt(variance / times))
    assert counts.var(ddof=1) == pytest.approx(variance, rel=4 * np.sqrt(2 / times))


def test_rows_of_a_unit_share_its_role_coin_and_mark():
    frame = visits(600)
    got = split(frame, VISITS, np.random.default_rng(2))
    assert len(got.roles) == 600
    for mask in (got.train, got.holdout, got.reference, got.test, got.pool, got.heads, got.isolated):
        assert (pd.Series(mask).groupby(frame["patient"]).transform("first") == mask).all()
    assert set(got.train_frame()["patient"]).isdisjoint(got.holdout_frame()["patient"])


def test_roles_and_coins_depend_on_nothing_in_the_table():
    frame = table(1_000)
    one = split(frame, SCHEMA, np.random.default_rng(3)).roles
    other = split(table(1_000, seed=9), SCHEMA, np.random.default_rng(3)).roles
    turned = split(frame.iloc[::-1].reset_index(drop=True), SCHEMA, np.random.default_rng(3)).roles
    for roles in (other, turned):
        pd.testing.assert_frame_equal(roles[["unit", "role", "coin"]], one[["unit", "role", "coin"]])
    assert (other["isolated"] != one["isolated"]).any()


def test_the_isolated_half_of_the_pool_is_the_one_with_the_farthest_neighbours():
    frame = visits(400)
    got = split(frame, VISITS, np.random.default_rng(4))
    space = DistanceSpace.fit(frame, VISITS)
    at = space.coordinates(frame).astype(float)
    distances = np.sqrt(((at[:, None] - at[None]) ** 2).sum(-1))
    patient = frame["patient"].to_numpy()
    distances[patient[:, None] == patient[None]] = np.inf
    mean = np.sort(distances, axis=1)[:, :5].mean(axis=1)
    score = pd.Series(mean).groupby(patient).max()
    pool = got.roles[got.roles["role"] == "pool"]
    marked, rest = pool["unit"][pool["isolated"]], pool["unit"][~pool["isolated"]]
    assert len(marked) == len(pool) // 2
    assert score[marked].min() >= score[rest].max() - 1e-6


def test_the_coins_do_not_know_who_is_isolated():
    frame = table(4_000)
    roles = split(frame, SCHEMA, np.random.default_rng(6)).roles.dropna()
    both = (roles["coin"] & roles["isolated"]).sum()
    assert likely(both, roles["isolated"].sum(), 0.5)


def test_a_large_table_is_sub_sampled(monkeypatch):
    monkeypatch.setattr("synthkit.pipeline.split._POINTS", 300)
    got = split(table(2_000), SCHEMA, np.random.default_rng(7))
    pool = got.roles["role"] == "pool"
    assert got.roles["isolated"].sum() == pool.sum() // 2


def test_an_empty_pool_marks_nobody():
    got = split(table(50), SCHEMA, np.random.default_rng(8), shares=Shares(train=0.9, pool=0, reference=0, test=0.1))
    assert not got.isolated.any()
    assert not got.heads.any()


@pytest.mark.parametrize(("schema", "frame"), [(SCHEMA, table(300)), (VISITS, visits(300))])
def test_saved_roles_give_the_split_back(tmp_path, schema, frame):
    got = split(frame, schema, system_generator())
    write(got.roles, tmp_path / "roles.parquet")
    roles = read(tmp_path / "roles.parquet").frame()
    again = Split.from_roles(frame, schema, roles.sample(frac=1, random_state=0))
    for mask in ("train", "holdout", "reference", "test", "pool", "heads", "isolated"):
        np.testing.assert_array_equal(getattr(again, mask), getattr(got, mask))


def test_roles_of_another_table_are_refused():
    got = split(visits(100), VISITS, np.random.default_rng(0))
    with pytest.raises(TableError, match="10 of 110 units have no role"):
        Split.from_roles(visits(110), VISITS, got.roles)
    with pytest.raises(TableError, match="there are 100 roles"):
        Split.from_roles(visits(90), VISITS, got.roles)


def test_too_few_units_and_rows_without_a_unit_are_refused():
    with pytest.raises(TableError, match="from 40 units on; however: it has 39"):
        split(table(39), SCHEMA, np.random.default_rng(0))
    frame = visits(60)
    frame.loc[[1, 2], "patient"] = None
    with pytest.raises(TableError, match="every row must name its unit in `patient`; however: 2 rows do not"):
        split(frame, VISITS, np.random.default_rng(0))


@pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA names no folder with the public tables")
def test_diabetes130_is_split_by_patient_in_seconds():
    schema = Schema.load(ROOT / "schemas" / "diabetes130.yaml")
    frame = conform(
        pd.read_parquet(Path(os.environ["SYNTHKIT_DATA"]) / "diabetes130" / "diabetic_data.parquet"), schema
    )
    got = split(frame, schema, system_generator())
    assert len(got.roles) == 71_518
    assert set(got.train_frame()["patient_nbr"]).isdisjoint(got.holdout_frame()["patient_nbr"])
