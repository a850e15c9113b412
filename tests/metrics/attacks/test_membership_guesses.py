"""Guesses about coins against loops; chance that is uniform where nothing is known; a bound that holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.attacks.epsilon_lower_bound import ceiling, epsilon_lower_bound
from synthkit.metrics.attacks.membership_guesses import GUESS_COUNTS, MembershipGuesses, bound

RNG = np.random.default_rng


def pool(member, *, pairs: bool = False) -> AttackTargets:
    n = len(member)
    return AttackTargets(
        frame=pd.DataFrame({"x": np.arange(n)}),
        unit=np.arange(n),
        member=np.asarray(member, dtype=bool),
        isolated=np.zeros(n, dtype=bool),
        reference=pd.DataFrame({"x": [0]}),
        pair=np.tile(np.arange(n // 2), 2) if pairs else None,
    )


def everybody(member) -> np.ndarray:
    return np.ones(len(member), dtype=bool)


def guessed(scores, member, *, seed=0, pairs=False, among=None) -> MembershipGuesses:
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    names = [f"way {k}" for k in range(len(scores))]
    among = everybody(member) if among is None else among
    return MembershipGuesses.of(scores, names, pool(member, pairs=pairs), among, RNG(seed))


def coins(n: int, seed: int) -> np.ndarray:
    return RNG(seed).random(n) < 0.5


# What is said


def test_each_attack_guesses_members_or_both_sides():
    """Scores 0 to 6: the highest are members; of both sides the extremes in turn, the middle last."""
    found = guessed([[3, 0, 6, 1, 5, 2, 4]], coins(7, 0))
    by_score = np.array([3, 0, 6, 1, 5, 2, 4])
    assert found.names == ("way 0: members", "way 0: both")
    assert by_score[found.order[0]].tolist() == [6, 5, 4, 3, 2, 1, 0]
    assert found.said[0].all()
    assert by_score[found.order[1]].tolist() == [6, 0, 5, 1, 4, 2, 3]
    assert found.said[1].tolist() == [True, False, True, False, True, False, True]


def test_right_guesses_are_counted_as_by_hand():
    scores, member = RNG(1).normal(size=(3, 40)), coins(40, 2)
    found, sizes = guessed(scores, member), [1, 5, 20, 33]
    table = found.right(sizes)
    for k, each in enumerate(scores):
        ranked = sorted(range(40), key=lambda i, each=each: -each[i])
        turns = [i for pair in zip(ranked, reversed(ranked), strict=True) for i in pair][:40]
        for j, size in enumerate(sizes):
            assert table[k, j] == sum(member[i] for i in ranked[:size])
            said = [(i, turn % 2 == 0) for turn, i in enumerate(turns[:size])]
            assert table[3 + k, j] == sum(member[i] == yes for i, yes in said)


def test_only_those_looked_at_are_guessed():
    scores, member = RNG(1).normal(size=(1, 30)), coins(30, 2)
    among = np.arange(30) % 3 == 0
    found = guessed(scores, member, among=among)
    assert (found.coins == member[among]).all()
    best = np.flatnonzero(among)[scores[0, among].argmax()]
    assert np.flatnonzero(among)[found.order[0, 0]] == best


def test_of_a_pair_the_higher_score_is_said_to_be_the_member():
    """Members first, as pools of two tables have them; the higher rank or the gap of ranks says how sure it is."""
    scores = np.array([9.0, 4, 1, np.inf, 2, 5, 3, -np.inf])  # ranks 7 5 2 8, and of their partners 3 6 4 1
    member = np.arange(8) < 4
    found = guessed(scores, member, pairs=True)
    assert found.names == ("way 0: pairs with the highest", "way 0: widest pairs")
    assert found.order.tolist() == [[3, 0, 1, 2], [3, 0, 2, 1]]
    hits = found.coins[found.order] == found.said
    assert hits.tolist() == [[True, True, False, False]] * 2
    assert found.right([1, 2, 3, 4]).tolist() == [[1, 2, 2, 2]] * 2


def test_copies_stand_out_whoever_their_partners_are():
    """20 of 1,000 pairs; by the gap of ranks they would be anywhere in the order."""
    for seed in range(5):
        scores, member = RNG(seed).normal(size=2_000), np.arange(2_000) < 1_000
        scores[:20] = 10
        found = guessed(scores, member, pairs=True)
        assert found.right([20])[0, 0] == 20 > found.right([20])[1, 0]
        assert bound(found).epsilon > 1


def test_which_of_a_pair_stands_first_is_a_fair_coin():
    """Or to say always `the first` would be right."""
    member = np.arange(4_000) < 2_000
    first = guessed(RNG(0).normal(size=4_000), member, pairs=True).coins.mean()
    assert abs(first - 0.5) < 4 * 0.5 / np.sqrt(2_000)


@pytest.mark.parametrize("pairs", [False, True])
def test_equal_scores_stand_in_random_order(pairs):
    """Members come first in the pool, and must not come first in the order."""
    member = np.arange(200) < 100
    share = [guessed(np.zeros(200), member, seed=s, pairs=pairs).right([20])[0, 0] / 20 for s in range(100)]
    assert abs(np.mean(share) - 0.5) < 4 * 0.5 / np.sqrt(2_000)
    orders = {tuple(guessed(np.zeros(200), member, seed=s, pairs=pairs).order[0, :5]) for s in range(20)}
    assert len(orders) == 20


def test_at_most_half_of_the_coins_are_guessed():
    assert guessed(np.arange(200), coins(200, 0)).sizes() == [k for k in GUESS_COUNTS if k <= 100]
    assert guessed(np.arange(12), coins(12, 0)).sizes() == [6]
    assert guessed(np.arange(3), coins(3, 0)).sizes() == [1]


# How often chance does as well


@pytest.mark.parametrize("pairs", [False, True])
def test_chance_is_uniform_where_nothing_is_known(pairs):
    """Of 300 throws of the coins as many are surprising as should be; ties make it a few less."""
    rng, scores = RNG(3), RNG(4).normal(size=(4, 300))
    p = []
    for _ in range(300):
        member = rng.random(300) < 0.5
        if pairs:
            first = rng.random(150) < 0.5
            member = np.concatenate([first, ~first])
        found = MembershipGuesses.of(scores, list("abcd"), pool(member, pairs=pairs), everybody(member), rng)
        p.append(found.p_value(rng, times=99))
    for level in (0.05, 0.2, 0.5):
        share = np.mean(np.array(p) <= level)
        assert stats.binom.ppf(0.0005, 300, 0.6 * level) / 300 <= share <= stats.binom.isf(0.0005, 300, level) / 300
    assert stats.kstest(p, "uniform", alternative="greater").pvalue > 0.001  # no more small ones than claimed


def test_chance_is_the_share_of_all_throws_that_do_as_well():
    """Eight coins, one score: all 256 throws counted, by loops."""
    scores, member = np.arange(8.0), np.array([0, 0, 1, 0, 1, 1, 1, 1], dtype=bool)
    found = guessed(scores, member)

    def best(fallen):
        ranked = range(7, -1, -1)
        heads = sum(fallen[i] for i in list(ranked)[:4])
        both = sum(fallen[i] == (i > 3) for i in (7, 0, 6, 1))
        return max(heads, both)  # of four guesses each: the more right, the rarer

    throws = [[bool(k >> i & 1) for i in range(8)] for k in range(256)]
    exact = np.mean([best(fallen) >= best(member) for fallen in throws])
    assert found.p_value(RNG(0), times=4_000) == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 4_000))


def test_members_who_are_known_are_no_chance():
    member = coins(400, 0)
    assert guessed(member + 0.1 * RNG(1).random(400), member).p_value(RNG(9), times=400) == 1 / 401
    twenty = np.where(member & (np.cumsum(member) <= 20), 5.0, 0.0)
    assert guessed(twenty, member).p_value(RNG(9), times=400) == 1 / 401


# What was lost at least


def test_the_bound_is_the_largest_that_holds_for_all_at_once():
    member = coins(600, 5)
    scores = np.stack([RNG(1).normal(size=600), member + RNG(2).normal(size=600), -1.0 * member])
    found = guessed(scores, member)
    sizes = [k for k in GUESS_COUNTS if k <= 300]
    sure = 1 - 0.05 / (6 * len(sizes))
    best = max(
        (epsilon_lower_bound(600, k, int(v), confidence=sure), found.names[w], k, int(v))
        for w, row in enumerate(found.right(sizes))
        for k, v in zip(sizes, row, strict=True)
    )
    at = bound(found)
    assert (at.epsilon, at.way, at.guesses, at.right) == best
    assert at.most == ceiling(at.guesses, sure)
    assert 0 < at.epsilon < at.most


def test_all_right_is_the_most_it_could_be():
    member = coins(500, 6)
    at = bound(guessed(member + 0.1 * RNG(1).random(500), member))
    assert at.guesses == at.right == 200
    assert at.epsilon == pytest.approx(at.most)
    assert at.way.startswith("way 0")


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0, 3.0])
def test_a_bound_is_never_above_what_it_could_be(strength):
    for seed in range(10):
        member = coins(200, seed)
        at = bound(guessed(strength * member + RNG(seed).normal(size=(3, 200)), member))
        assert 0 <= at.epsilon <= at.most + 1e-9
        assert at.right <= at.guesses <= 100


def test_a_bound_that_shows_nothing_names_the_most_surprising_guesses():
    member = coins(200, 1)
    at = bound(guessed(RNG(2).normal(size=(2, 200)), member))
    found = guessed(RNG(2).normal(size=(2, 200)), member)
    tails = stats.binom.sf(found.right(found.sizes()) - 1, found.sizes(), 0.5)
    assert at.epsilon == 0
    assert stats.binom.sf(at.right - 1, at.guesses, 0.5) == pytest.approx(tails.min())


@pytest.mark.parametrize("epsilon", [0.0, 1.0])
def test_a_mechanism_that_loses_epsilon_is_not_said_to_lose_more(epsilon):
    """Each coin is told truthfully with probability e^epsilon / (1 + e^epsilon): in 95 % the bound is no more."""
    rng, too_much, shown = RNG(7), 0, []
    for _ in range(200):
        member = rng.random(1_000) < 0.5
        truthful = rng.random((4, 1_000)) < 1 / (1 + np.exp(-epsilon))
        truthful[1:] = truthful[0]  # ways that look at the same answers, each with an order of its own
        scores = np.where(member == truthful, 1.0, -1.0) + rng.random((4, 1_000))
        at = bound(MembershipGuesses.of(scores, list("abcd"), pool(member), everybody(member), rng))
        too_much += at.epsilon > epsilon
        shown.append(at.epsilon)
    assert too_much <= stats.binom.isf(0.001, 200, 0.05)
    assert np.median(shown) >= 0.6 * epsilon


def test_twenty_copies_among_ten_thousand_are_shown():
    for seed in range(10):
        member = coins(10_000, seed)
        scores = RNG(seed).normal(size=(8, 10_000))
        scores[2, np.flatnonzero(member)[:20]] = 10
        assert bound(guessed(scores, member)).epsilon > 0.5


def test_a_promise_that_may_fail_shows_less():
    member = coins(500, 6)
    found = guessed(member + 0.1 * RNG(1).random(500), member)
    assert 0 < bound(found, delta=1e-4).epsilon < bound(found).epsilon
