"""The verdict on membership, what it rests on, and that it is wrong as seldom as it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synthkit.evaluate.result import Comparison, Failure, MetricError, Score
from synthkit.evaluate.risk import preconditions
from synthkit.evaluate.risk.membership import TOGETHER, attacked, chances, findings, membership
from synthkit.evaluate.risk.pool import Pool
from synthkit.evaluate.risk.scene import Scene
from synthkit.selftest.people import SCHEMA, Experiment, people


@pytest.fixture(scope="module")
def here():
    rng = np.random.default_rng(1)
    return Experiment.of(rng, units=1200), people(1200, rng)


def scene_of(experiment, rows, seed=2):
    pool = experiment.pool
    return Scene.of(rows, pool.reference, pool.frame, experiment.schema, np.random.default_rng(seed))


def test_every_score_stands_beside_people_not_in_the_data(here):
    experiment, rows = here
    scores, panels = membership(experiment.against(rows), np.random.default_rng(0))
    found = {s.metric: s for s in scores if isinstance(s, Score)}
    assert all(s.reference is not None for s in found.values())
    assert {"membership.auc", "membership.isolated.epsilon_lower_bound", "membership.tpr_at_fpr_0.1"} <= set(found)
    panel = panels["membership"]
    assert panel["verdict"] in ("PASS", "FAIL", "INCONCLUSIVE")
    assert len(panel["p"]) == 4
    assert found["membership.auc"].parts["p, adjusted"] == panel["p"]["all, all attacks"]
    assert panel["strata"]["isolated"]["units"] == experiment.pool.isolated.sum()


def test_rates_too_small_for_the_people_there_are_listed_with_the_reason(here):
    experiment, rows = here
    scores, panels = membership(experiment.against(rows), np.random.default_rng(0))
    absent = {s.metric: s.reason for s in scores if isinstance(s, Failure)}
    assert set(absent) == {"membership.tpr_at_fpr_0.001", "membership.tpr_at_fpr_0.01"}
    assert absent["membership.tpr_at_fpr_0.01"].startswith("needs 2,000 people not trained on")
    assert [rate["fpr"] for rate in panels["membership"]["rates"] if "not_assessed" in rate] == [0.001, 0.01]


def test_pairs_are_attacked_where_somebody_else_split():
    rng = np.random.default_rng(3)
    train, holdout = people(900, rng), people(900, rng)
    copied = Comparison(train=train, holdout=holdout, synthetic=(train,), schema=SCHEMA)
    scores, panels = membership(copied, rng)
    assert panels["membership"]["design"] == "pairs"
    assert panels["membership"]["verdict"] == "FAIL"
    bound = next(s for s in scores if s.metric == "membership.epsilon_lower_bound")
    assert bound.value > 3
    assert "replacing one person by another" in bound.note
    names = [check["name"] for check in panels["membership"]["checks"]]
    assert "the split looks random" in names


def test_coins_thrown_again_fail_one_time_in_twenty_at_most(here):
    """Scores know no coins, so that they are computed once: what is judged is the test, not the attack."""
    experiment, rows = here
    rng = np.random.default_rng(4)
    scores = attacked(scene_of(experiment, rows), experiment.pool, rng)
    failed = 0
    for _ in range(60):
        pool = experiment.thrown_again(rng).pool
        found = {name: findings(scores, pool, among, rng, times=200) for name, among in pool.strata.items()}
        failed += min(chances(found).values()) < 0.05
    assert stats.binomtest(failed, 60, 0.05, alternative="greater").pvalue > 1e-4


def test_all_attacks_together_are_the_first_way(here):
    experiment, rows = here
    scores = attacked(scene_of(experiment, rows), experiment.pool, np.random.default_rng(0))
    found = findings(scores, experiment.pool, experiment.pool.strata["all"], np.random.default_rng(0), times=50)
    assert TOGETHER not in found.each
    assert set(found.each) == {"distance", "relative distance", "density", "classifier", "marginals", "rare values"}
    assert found.units == found.coins == len(experiment.pool.member)


def test_few_people_are_few():
    rng = np.random.default_rng(0)
    few = Experiment.of(rng, units=120)
    check = preconditions.counts(few.pool)
    assert (check.holds, check.measured < 100) == (False, True)
    assert preconditions.counts(Experiment.of(rng, units=900).pool).holds


def test_twins_across_the_coin_are_counted(here):
    experiment, _ = here
    pool = experiment.pool
    assert preconditions.twins(pool.frame, pool, SCHEMA).measured == 0.0
    frame = pool.frame.copy()
    inside, outside = np.flatnonzero(pool.member)[:60], np.flatnonzero(~pool.member)[:60]
    frame.iloc[inside] = frame.iloc[outside].to_numpy()
    check = preconditions.twins(frame, pool, SCHEMA)
    assert check.measured == pytest.approx(60 / pool.member.sum())
    assert not check.holds


def test_a_split_by_time_is_told_from_the_rows():
    rng = np.random.default_rng(0)
    early, late = people(500, rng), people(800, rng)
    late["pressure"] += 8
    for holdout, holds in ((people(800, rng), True), (late, False)):
        pool = Pool.of_tables(early, holdout, SCHEMA, rng)
        scene = Scene.of(people(500, rng), pool.reference, pool.frame, SCHEMA, rng)
        assert preconditions.looks_random(scene, pool, rng).holds == holds


def test_copies_would_be_found_among_people_and_not_among_twins(here):
    experiment, rows = here
    pool, rng = experiment.pool, np.random.default_rng(5)
    scene = scene_of(experiment, rows)
    assert preconditions.power(scene, attacked(scene, pool, rng), pool, rng).holds
    same = replace(pool, frame=pd.concat([pool.frame.iloc[:1]] * len(pool.frame), ignore_index=True))
    alike = Scene.of(rows, pool.reference, same.frame, SCHEMA, rng)
    assert not preconditions.power(alike, attacked(alike, same, rng), same, rng).holds


def test_a_holdout_that_was_trained_on_is_noticed(here):
    experiment, rows = here
    pool, rng = experiment.pool, np.random.default_rng(6)
    for synthetic, holds in ((rows, True), (experiment.holdout, False)):
        scores = attacked(scene_of(experiment, synthetic), pool, rng)
        assert preconditions.uncontaminated(scores, pool, rng).holds == holds


def test_real_people_in_place_of_synthetic_rows_give_nobody_away(here):
    experiment, rows = here
    assert preconditions.blind(scene_of(experiment, rows), experiment.pool, np.random.default_rng(7)).holds
    moved = experiment.pool.frame.copy()
    inside = experiment.pool.member[experiment.pool.unit]
    moved.loc[inside, "age"] = experiment.pool.reference["age"].iloc[0]  # members differ by more than their coin
    moved.loc[~inside, "age"] = 18.0
    pool = replace(experiment.pool, frame=moved)
    scene = Scene.of(rows, pool.reference, moved, SCHEMA, np.random.default_rng(8))
    assert not preconditions.blind(scene, pool, np.random.default_rng(9)).holds


def test_nobody_is_attacked_where_there_are_too_few():
    rng = np.random.default_rng(0)
    few = Comparison(train=people(30, rng), holdout=people(25, rng), synthetic=(people(30, rng),), schema=SCHEMA)
    with pytest.raises(MetricError, match="risks need 20 people on either side"):
        membership(few, rng)
