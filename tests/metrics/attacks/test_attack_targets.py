"""Who is attacked: units and not rows, pairs that are fair, strata that do not know who was trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import MetricError
from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.pipeline.split import split
from synthkit.schema import Schema

SCHEMA = Schema(columns={"who": {"kind": "identifier"}, "x": {"kind": "numeric"}, "y": {"kind": "numeric"}}, unit="who")


def visits(units, seed, name="p"):
    """One to three rows a person."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(units), rng.integers(1, 4, units))
    keys = np.array([f"{name}{k}" for k in range(units)], dtype=object)
    return pd.DataFrame({"who": keys[who], "x": rng.normal(size=len(who)), "y": rng.normal(size=len(who))})


def pairs(seed=0, train=400, holdout=300):
    return AttackTargets.of_tables(visits(train, 1, "t"), visits(holdout, 2, "h"), SCHEMA, np.random.default_rng(seed))


def test_pairs_hold_one_member_and_one_non_member_with_all_their_rows():
    pool = pairs()
    assert pool.design == "pairs"
    for k in range(int(pool.pair.max()) + 1):
        assert sorted(pool.member[pool.pair == k]) == [False, True]
        assert len(set(pool.isolated[pool.pair == k])) == 1
    assert len(pool.member) == 400  # two thirds of 300 people are attacked, the others are the reference
    assert set(pool.frame["who"].str[0][pool.member[pool.unit]]) == {"t"}
    assert set(pool.frame["who"].str[0][~pool.member[pool.unit]]) == {"h"}
    owner = pool.frame.groupby("who").size()
    everybody = pd.concat([visits(400, 1, "t"), visits(300, 2, "h")]).groupby("who").size()
    assert (owner == everybody[owner.index]).all()
    assert len(pool.frame.assign(unit=pool.unit)[["who", "unit"]].drop_duplicates()) == 400


def test_the_reference_is_nobody_who_is_attacked_or_was_trained_on():
    pool = pairs()
    assert len(set(pool.reference["who"])) == 100
    assert not set(pool.reference["who"]) & set(pool.frame["who"])
    assert set(pool.reference["who"].str[0]) == {"h"}


def test_who_is_attacked_is_chance():
    one, other = pairs(0), pairs(5)
    assert set(one.frame["who"]) != set(other.frame["who"])
    assert pairs(0).frame.equals(one.frame)


def test_half_is_isolated_and_lies_farther_out():
    pool = pairs()
    assert pool.isolated.sum() == 200
    far = np.hypot(pool.frame["x"], pool.frame["y"]).groupby(pool.unit).max()
    assert far[pool.isolated].mean() > far[~pool.isolated].mean()
    assert set(pool.strata) == {"all", "isolated"}


def test_too_few_people_are_not_attacked():
    with pytest.raises(MetricError, match=r"risks need 20 people on either side.*400 in the training rows and 25"):
        pairs(holdout=25)


def test_a_row_each_is_drawn_from_all_rows_of_a_person():
    pool, rng = pairs(), np.random.default_rng(3)
    seen = [pool.one_row_each(rng)["x"].to_numpy() for _ in range(60)]
    many = pool.frame.groupby(pool.unit)["x"].agg(["size", "min", "max"])
    for draw in seen:
        assert ((draw >= many["min"]) & (draw <= many["max"])).all()
    drawn = np.array([len(set(column)) for column in np.array(seen).T])
    assert (drawn == many["size"].to_numpy()).all()


def test_a_person_scores_as_the_worst_of_their_rows():
    pool = pairs()
    scores = np.arange(len(pool.frame), dtype=float)
    assert (pool.of_units(scores) == pd.Series(scores).groupby(pool.unit).max().to_numpy()).all()


def test_the_pool_of_a_split_has_its_coins():
    table = visits(600, 4)
    parts = split(table, SCHEMA, np.random.default_rng(0))
    pool = parts.attacked()
    assert pool.design == "coins"
    owner = pool.frame.groupby(pool.unit)["who"].first()
    roles = parts.roles.set_index("unit").loc[owner]
    assert (roles["role"] == "pool").all()
    assert (roles["coin"].to_numpy(dtype=bool) == pool.member).all()
    assert (roles["isolated"].to_numpy(dtype=bool) == pool.isolated).all()
    assert set(parts.train_frame()["who"]) & set(owner) == set(owner[pool.member])
    assert not set(pool.reference["who"]) & set(owner)


@pytest.mark.parametrize("design", ["pairs", "coins"])
def test_a_thinner_pool_keeps_whole_people_and_whole_pairs(design):
    pool = pairs() if design == "pairs" else split(visits(900, 4), SCHEMA, np.random.default_rng(0)).attacked()
    pool = replace(pool, likelihood=pool.frame["x"].to_numpy())
    thin = pool.sampled(100, np.random.default_rng(1))
    assert len(thin.member) == 100
    before = pool.frame.groupby("who").size()
    assert (thin.frame.groupby("who").size() == before[thin.frame["who"].unique()].sort_index()).all()
    owner = dict(zip(pool.frame["who"], pool.member[pool.unit], strict=True))
    assert [owner[who] for who in thin.frame["who"]] == thin.member[thin.unit].tolist()
    assert (thin.likelihood == thin.frame["x"]).all()
    assert len(thin.reference) == min(100, len(pool.reference))
    if design == "pairs":
        assert all(sorted(thin.member[thin.pair == k]) == [False, True] for k in range(50))
    assert pool.sampled(10**6, np.random.default_rng(1)) is pool
