"""What must hold before nothing found means anything: each condition where it holds, and where it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synthkit.metrics.attacks import preconditions
from synthkit.metrics.attacks.attack_data import AttackData
from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.attacks.membership_inference import attack_scores
from synthkit.metrics.runner import one_thread
from synthkit.schema import Schema
from synthkit.selftest.made_up_people import PEOPLE_SCHEMA, Experiment, people

RNG = np.random.default_rng
KINDS = Schema(columns={c: {"kind": "categorical", "levels": [0, 1]} for c in "ab"})


@pytest.fixture(autouse=True)
def _calm():
    with one_thread():
        yield


def scene_of(pool: AttackTargets, synthetic: pd.DataFrame, schema: Schema = PEOPLE_SCHEMA) -> AttackData:
    return AttackData.of(synthetic, pool.reference, pool.frame, schema, RNG(0))


def split(train: pd.DataFrame, holdout: pd.DataFrame, seed: int = 0) -> AttackTargets:
    return AttackTargets.of_tables(train, holdout, PEOPLE_SCHEMA, RNG(seed))


def by_time(rows: int = 1_000) -> AttackTargets:
    """The first half of the years is trained on, and people were younger and lighter then."""
    table = people(rows, RNG(1)).sort_values("age", kind="stable")
    order = np.argsort(table["age"].to_numpy() + RNG(2).normal(0, 10, rows), kind="stable")
    return split(table.iloc[order[: rows // 2]], table.iloc[order[rows // 2 :]])


def by_chance(seed: int = 1, rows: int = 1_000) -> AttackTargets:
    rng = RNG(seed)
    return split(people(rows // 2, rng), people(rows // 2, rng))


@pytest.fixture(scope="module")
def usual():
    """People with a coin each, fresh synthetic rows, and what the attacks say."""
    with one_thread():
        here = Experiment.of(RNG(1), units=800)
        data = scene_of(here.pool, people(800, RNG(5)))
        return here.pool, data, attack_scores(data, here.pool, RNG(0))


def test_a_hundred_people_on_either_side_are_enough(usual):
    pool = usual[0]
    for members, holds in ((100, True), (99, False), (len(pool.member) - 99, False)):
        found = preconditions.counts(replace(pool, member=np.arange(len(pool.member)) < members))
        assert found.holds is holds
        assert found.measured == min(members, len(pool.member) - members)
        assert found.limit == 100


def test_twins_across_the_coin_hide_each_other():
    """200 people of two rows each; so many members share one of theirs with somebody who was not trained on."""
    unit, member = np.repeat(np.arange(200), 2), np.arange(200) < 100
    for twins, holds in ((0, True), (5, True), (6, False), (60, False)):
        frame = people(400, RNG(1))
        frame.iloc[1 : 2 * twins : 2] = frame.iloc[200 : 200 + 2 * twins : 2].to_numpy()
        pool = AttackTargets(frame=frame, unit=unit, member=member, isolated=~member, reference=frame[:5])
        found = preconditions.twins(frame, pool, PEOPLE_SCHEMA)
        assert found.measured == pytest.approx(twins / 100)
        assert found.holds is holds


def test_twins_on_the_same_side_hide_nobody():
    frame = people(200, RNG(1))
    frame.iloc[50:100] = frame.iloc[:50].to_numpy()
    unit = np.arange(200)
    pool = AttackTargets(frame=frame, unit=unit, member=unit < 100, isolated=unit < 0, reference=frame[:5])
    assert preconditions.twins(frame, pool, PEOPLE_SCHEMA).measured == 0


def test_a_split_by_chance_looks_random():
    """Of 12 random splits none or one is called into question."""
    found = [preconditions.looks_random(scene_of(p, p.reference), p, RNG(0)) for p in map(by_chance, range(12))]
    assert sum(not each.holds for each in found) <= 1
    assert np.median([each.measured for each in found]) > 0.1


def test_a_split_by_time_does_not():
    pool = by_time()
    found = preconditions.looks_random(scene_of(pool, pool.reference), pool, RNG(0))
    assert not found.holds
    assert found.measured == pytest.approx(2 / 501)


def test_a_split_by_household_is_told_by_the_neighbours():
    """Every column alike on both sides, but whoever is nearest was put on the same side."""
    schema = Schema(columns={"x": {"kind": "numeric"}, "y": {"kind": "numeric"}})

    def households(many: int, rng: np.random.Generator) -> pd.DataFrame:
        centres = rng.random((many, 2))
        return pd.DataFrame(np.repeat(centres, 4, axis=0) + rng.normal(0, 1e-3, (4 * many, 2)), columns=["x", "y"])

    pool = AttackTargets.of_tables(households(100, RNG(1)), households(100, RNG(2)), schema, RNG(0))
    assert not preconditions.looks_random(scene_of(pool, pool.reference, schema), pool, RNG(0)).holds


def test_a_holdout_that_was_in_the_data_is_told(usual):
    pool, _, fresh = usual
    assert preconditions.uncontaminated(fresh, pool, RNG(1)).holds
    outside = pool.frame.loc[~pool.member[pool.unit]]
    scores = attack_scores(scene_of(pool, outside), pool, RNG(0))
    found = preconditions.uncontaminated(scores, pool, RNG(1))
    assert not found.holds
    assert found.measured == pytest.approx(1 / 501)
    assert preconditions.uncontaminated(-scores, pool, RNG(1)).holds


def test_a_blind_attack_finds_nothing_where_coins_were_thrown(usual):
    pool, data, _ = usual
    assert preconditions.blind(data, pool, RNG(1)).holds
    p = [
        preconditions.blind(data, replace(pool, member=RNG(k).random(len(pool.member)) < 0.5), RNG(9)).measured
        for k in range(8)
    ]
    assert np.median(p) > 0.1
    assert sum(each < 0.01 for each in p) <= 1


def test_a_blind_attack_tells_members_of_another_time():
    """The reference is of the later years too, so that non-members look like it."""
    pool = by_time()
    found = preconditions.blind(scene_of(pool, people(200, RNG(3))), pool, RNG(1))
    assert not found.holds
    assert found.measured < 0.01


def test_twenty_copies_would_be_found(usual):
    pool, data, scores = usual
    found = preconditions.power(data, scores, pool, RNG(1))
    assert found.holds
    assert found.measured == pytest.approx(1 / 501)


def test_twenty_copies_among_four_kinds_of_people_would_not():
    rng = RNG(1)
    frame, rows, known = (pd.DataFrame(rng.integers(0, 2, (n, 2)), columns=["a", "b"]) for n in (600, 600, 300))
    unit = np.arange(600)
    pool = AttackTargets(frame=frame, unit=unit, member=rng.random(600) < 0.5, isolated=unit < 0, reference=known)
    data = scene_of(pool, rows, KINDS)
    found = preconditions.power(data, attack_scores(data, pool, rng), pool, rng)
    assert not found.holds
    assert found.measured > 0.01


def test_power_keeps_what_it_cannot_compute_anew(usual):
    """The classifier's scores and a model's likelihood stay, and the scores of others are not changed in place."""
    pool, data, scores = usual
    known = replace(pool, likelihood=np.where(pool.member[pool.unit], 1.0, 0.0))
    seven = np.concatenate([scores, known.of_units(known.likelihood)[None]])
    before = seven.copy()
    assert preconditions.power(data, seven, known, RNG(1)).holds
    assert (seven == before).all()


def test_all_that_is_checked_is_told(usual):
    pool, data, scores = usual
    found = preconditions.check(data, scores, pool, RNG(1))
    wanted = [
        "enough people",
        "no twins across the coin",
        "the holdout was held out",
        "a blind attack finds nothing",
        "copies would be found",
    ]
    assert [each.name for each in found] == wanted
    assert all(each.holds for each in found)
    for each in found:
        assert each.plain() == {name: getattr(each, name) for name in ("name", "holds", "measured", "limit", "words")}
        assert each.words
    pairs = by_chance(rows=400)
    made = scene_of(pairs, people(200, RNG(3)))
    names = [each.name for each in preconditions.check(made, attack_scores(made, pairs, RNG(0)), pairs, RNG(1))]
    assert names == [*wanted[:2], "the split looks random", *wanted[2:]]


def test_pairs_are_swapped_and_coins_are_thrown():
    pool = by_chance(rows=400)
    again = preconditions._thrown(pool, RNG(0))
    assert all(again[pool.pair == k].sum() == 1 for k in range(int(pool.pair.max()) + 1))
    assert 0.3 < (again == pool.member).mean() < 0.7
    alone = replace(pool, pair=None)
    counts = [preconditions._thrown(alone, RNG(k)).sum() for k in range(50)]
    assert len(set(counts)) > 5
    assert stats.binomtest(int(sum(counts)), 50 * len(pool.member)).pvalue > 0.001
