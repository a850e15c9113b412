"""Units that are attacked: pairs that keep their partner, samples that keep their rows, too few people refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthkit.errors import MetricError
from synthkit.metrics.linked.attacks.unit_targets import UnitTargets, unit_rows
from synthkit.tables.stacked_tables import stacked


def names(tables):
    return tables.frames["people"]["id"].tolist()


def test_pairs_are_of_a_member_and_a_stranger_and_nobody_is_there_twice(clinic):
    train, holdout = clinic(90, 1), clinic(100, 2)
    found = UnitTargets.of_tables(train, holdout, np.random.default_rng(1))
    assert found.member.sum() == (~found.member).sum() == min(90, 100 - round(100 / 3))
    assert (np.bincount(found.pair, weights=found.member) == 1).all()
    assert (np.bincount(found.pair) == 2).all()
    costs = [float(t.frames["visits"]["cost"].sum()) for t in (found.tables, found.reference)]
    assert costs[1] <= float(holdout.frames["visits"]["cost"].sum())
    rows, _ = unit_rows(stacked([train, holdout]))
    assert len(rows) == 190
    assert len(found.reference.frames["people"]) == round(100 / 3)
    assert (found.isolated[: len(found.pair) // 2] == found.isolated[len(found.pair) // 2 :]).all()


def test_a_sample_keeps_pairs_and_rows(clinic):
    whole = UnitTargets.of_tables(clinic(90, 1), clinic(100, 2), np.random.default_rng(1))
    some = whole.sampled(20, np.random.default_rng(2))
    assert len(some.member) == 20
    assert (np.bincount(some.pair) == 2).all()
    assert some.member.sum() == 10
    assert len(some.reference.frames["people"]) == 20
    assert whole.sampled(1_000, np.random.default_rng(2)).member is whole.member
    known = [sorted(whole.tables.frames["visits"]["cost"][whole.tables.units["visits"] == k]) for k in range(134)]
    assert all(
        sorted(some.tables.frames["visits"]["cost"][some.tables.units["visits"] == k]) in known for k in range(20)
    )


def test_a_sample_of_coins_keeps_likelihoods(pool):
    people = replace(pool(), likelihood=np.arange(120.0))
    some = people.sampled(30, np.random.default_rng(1))
    kept = some.likelihood.astype(int)
    assert names(some.tables) == [names(people.tables)[k] for k in kept]
    assert (some.member == people.member[kept]).all()
    assert (some.isolated == people.isolated[kept]).all()


def test_too_few_people_are_refused(pool):
    few = pool(30)
    with pytest.raises(MetricError, match="risks need 20 people on either side of the coin, and two for reference"):
        few.checked()
    lonely = replace(pool(), reference=few.reference.take(np.array([0])))
    with pytest.raises(MetricError, match=r"and 1\. Bring more people"):
        lonely.checked()
    assert pool().checked().member.sum() == 60
