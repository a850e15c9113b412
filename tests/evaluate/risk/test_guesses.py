"""Guesses about coins: counted by loops, chosen on one half, and as good as chance where there is nothing to know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synthkit.evaluate.risk.guesses import Guesses, bound
from synthkit.evaluate.risk.one_run import ceiling
from synthkit.evaluate.risk.pool import Pool


def pool(units, seed=0, *, pairs=False):
    rng = np.random.default_rng(seed)
    member = np.arange(units) < units // 2 if pairs else rng.random(units) < 0.5
    return Pool(
        frame=pd.DataFrame({"x": np.zeros(units)}),
        unit=np.arange(units),
        member=member,
        isolated=np.zeros(units, dtype=bool),
        reference=pd.DataFrame({"x": [0.0]}),
        pair=np.tile(np.arange(units // 2), 2) if pairs else None,
    )


def every(p):
    return np.ones(len(p.member), dtype=bool)


def test_right_guesses_are_counted_as_by_loops():
    p, rng = pool(60), np.random.default_rng(1)
    scores = rng.normal(size=(2, 60))
    guesses = Guesses.of(scores, ["a", "b"], p, every(p), rng)
    right = guesses.right([10, 30])
    assert guesses.names == ("a: members", "b: members", "a: both", "b: both")
    for k, row in enumerate(scores):
        ranked = sorted(range(60), key=lambda i: -row[i])
        for size, found in zip((10, 30), right[k], strict=True):
            assert found == sum(p.member[i] for i in ranked[:size])
        ends = [*((i, True) for i in ranked[:15]), *((i, False) for i in ranked[-15:])]
        assert right[2 + k, 1] == sum(p.member[i] == said for i, said in ends)


def test_of_a_pair_the_higher_score_is_called_the_members():
    p, rng = pool(40, pairs=True), np.random.default_rng(1)
    scores = rng.normal(size=(1, 40))
    guesses = Guesses.of(scores, ["a"], p, every(p), rng)
    ranks = stats.rankdata(scores[0])
    gaps = ranks[:20] - ranks[20:]
    widest = np.argsort(-np.abs(gaps), kind="stable")
    assert len(guesses.coins) == 20
    for size in (1, 5, 20):
        assert guesses.right([size])[0, 0] == (gaps[widest[:size]] > 0).sum()


def test_halves_hold_every_coin_once_in_the_same_order():
    p, rng = pool(101), np.random.default_rng(1)
    guesses = Guesses.of(rng.normal(size=(3, 101)), list("abc"), p, every(p), rng)
    first, second = guesses.halves(rng)
    assert (len(first.coins), len(second.coins)) == (50, 51)
    assert first.coins.sum() + second.coins.sum() == guesses.coins.sum()
    for half in (first, second):
        assert (np.sort(half.order, axis=1) == np.arange(len(half.coins))).all()


@pytest.mark.parametrize("pairs", [False, True])
def test_perfect_scores_reach_the_ceiling(pairs):
    p, rng = pool(2000, pairs=pairs), np.random.default_rng(2)
    guesses = Guesses.of(p.member[None].astype(float) + rng.random(2000) / 9, ["a"], p, every(p), rng)
    found = bound(guesses, rng)
    assert found.right == found.guesses >= 200
    assert found.epsilon == pytest.approx(ceiling(found.guesses))
    assert guesses.chance(rng, times=200) == pytest.approx(1 / 201)


def test_bounds_are_above_nought_in_at_most_one_in_twenty_cases_of_nothing():
    above = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        p = pool(400, seed)
        above += bound(Guesses.of(rng.normal(size=(6, 400)), list("abcdef"), p, every(p), rng), rng).epsilon > 0
    assert stats.binomtest(above, 200, 0.05, alternative="greater").pvalue > 1e-4


def test_probabilities_of_nothing_are_spread_evenly():
    p, rng = pool(300), np.random.default_rng(3)
    scores = rng.normal(size=(3, 300))
    found = []
    for _ in range(150):
        thrown = replace(p, member=rng.random(300) < 0.5)
        found.append(Guesses.of(scores, list("abc"), thrown, every(p), rng).chance(rng, times=60))
    # coarse, as whole numbers of right guesses are: never smaller than it should be
    assert stats.kstest(found, "uniform", alternative="greater").pvalue > 1e-4
    assert 0.35 < np.mean(found) < 0.75


def test_equal_scores_stand_in_random_order():
    p, rng = pool(200), np.random.default_rng(4)
    first = {int(Guesses.of(np.zeros((1, 200)), ["a"], p, every(p), rng).order[0, 0]) for _ in range(60)}
    assert len(first) > 30


def test_few_coins_are_guessed_in_part():
    p, rng = pool(12), np.random.default_rng(5)
    guesses = Guesses.of(rng.normal(size=(1, 12)), ["a"], p, every(p), rng)
    assert guesses.sizes() == [6]
    assert bound(guesses, rng).guesses == 3
