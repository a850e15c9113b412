"""Which candidate is released: each equally likely over the keys, jointly, whatever they say; the law of a model."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, chi2, chisquare, kstest

from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.watermark import choose_candidates
from synthkit.watermark.candidate_choice import WEIGHT_COUNT, count_coins, occurs_once, uniforms
from synthkit.watermark.column_subsets import subsets
from synthkit.watermark.row_tokens import row_contents

KEYS = 600


def small() -> Schema:
    return Schema(columns={c: {"kind": "numeric"} for c in "abc"})


def test_each_candidate_of_each_row_is_equally_likely_over_keys_and_rows_are_independent(keyed):
    """Candidates that share contents in part, that are copies, and that stand alone: 3 x 3 choices of two rows."""
    frame = pd.DataFrame(
        {"a": [1, 7, 1, 8, 2, 7], "b": [1, 5, 1, 6, 3, 5], "c": [1, 4, 2, 9, 4, 4]}
    )  # row 0: positions 0, 2, 4; row 1: positions 1, 3, 5, of which 1 and 5 are copies
    seen = np.zeros((3, 3))
    for k in range(KEYS):
        first, second = choose_candidates(frame, keyed(k, small(), 3), np.random.default_rng(k))
        assert first in {0, 2, 4}
        assert second in {1, 3, 5}
        seen[first // 2, second // 2] += 1
    assert chisquare(seen.ravel()).pvalue > 1e-4


def test_for_one_key_the_choice_follows_from_the_contents(keyed):
    """Not from the die: with other dice nearly all choices are the same where there are many coins."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 6)), columns=list("abcdef"))
    key = keyed(5, Schema(columns={c: {"kind": "numeric"} for c in "abcdef"}))
    one, two = (choose_candidates(frame, key, np.random.default_rng(seed)) for seed in (1, 2))
    assert (one == two).mean() > 0.85
    other = choose_candidates(
        frame, keyed(6, Schema(columns={c: {"kind": "numeric"} for c in "abcdef"})), np.random.default_rng(1)
    )
    assert (one == other).mean() < 0.4


def test_the_law_of_a_row_is_the_models_over_keys(keyed):
    """A model of 2 x 3 x 4 levels with dependence: counts of released rows against its own law, by chi-square."""
    rng = np.random.default_rng(3)
    cells = list(itertools.product(range(2), range(3), range(4)))
    law = rng.dirichlet(np.ones(len(cells)) / 2)
    schema = Schema(columns={c: {"kind": "numeric"} for c in "abc"})
    counts = np.zeros(len(cells))
    for k in range(400):
        drawn = rng.choice(len(cells), size=12, p=law)
        frame = pd.DataFrame([cells[i] for i in drawn], columns=list("abc"))
        kept = choose_candidates(frame, keyed(k, schema), rng)
        counts += np.bincount(drawn[kept], minlength=len(cells))
    n, expected = counts.sum(), law * counts.sum()
    common = expected >= 5
    seen = [*counts[common], counts[~common].sum()]
    wanted = [*expected[common], expected[~common].sum()]
    statistic = sum((a - b) ** 2 / b for a, b in zip(seen, wanted, strict=True) if b > 0)
    assert n == 1200
    assert chi2.sf(statistic, len(wanted) - 1) > 1e-4


def test_a_rare_row_is_as_likely_as_a_common_one(keyed):
    """A candidate without a coin against three that have many: the share of releases is a quarter for each."""
    others = pd.DataFrame(np.random.default_rng(4).normal(size=(6, 3)), columns=list("abc"))
    common = pd.DataFrame([[0.0, 0.0, 0.0]] * 2, columns=list("abc"))
    frame = pd.concat([common, others], ignore_index=True)  # candidates of row 0 are 0, 2, 4, 6
    chosen = [choose_candidates(frame, keyed(k, small()), np.random.default_rng(k)) for k in range(KEYS)]
    for row in (0, 1):
        assert chisquare(np.bincount([c[row] // 2 for c in chosen], minlength=4)).pvalue > 1e-4


def test_only_contents_that_stand_once_have_coins(keyed, table, schema):
    """Coins and heads by a loop over rows and sets; the fewer coins a set has, the more each of them weighs."""
    frame, key = pd.concat([table(20, 1), table(20, 1).head(5)]).reset_index(drop=True), keyed(2)
    coins, heads = count_coins(frame, key, subsets(key))
    slow, slow_heads = np.zeros((len(frame), WEIGHT_COUNT), int), np.zeros((len(frame), WEIGHT_COUNT), int)
    for _, said in row_contents(frame, key, subsets(key)):
        listed = said.tolist()
        share = sum(listed.count(word) == 1 for word in listed) / len(listed)
        k = 3 if share < 2**-5 else 2 if share < 2**-3 else 1 if share < 2**-1 else 0
        for i, word in enumerate(listed):
            if listed.count(word) == 1:
                slow[i, k] += 1
                slow_heads[i, k] += word % 2
    assert coins.tolist() == slow.tolist()
    assert heads.tolist() == slow_heads.tolist()
    assert (coins[:5] == 0).all()
    assert (coins[5:20].sum(axis=1) > 0).all()


@pytest.mark.parametrize("kind", [(0, 0, 0), (1, 0, 0), (0, 2, 0), (7, 0, 1), (0, 3, 9), (64, 0, 0)])
def test_scores_are_uniform_whatever_coins_a_row_has(kind):
    rng = np.random.default_rng(1)
    coins = np.tile(kind, (5000, 1))
    assert kstest(uniforms(coins, rng.binomial(coins, 0.5), rng), "uniform").pvalue > 1e-3


def test_rows_with_other_coins_beside_them_are_scored_by_their_own():
    rng = np.random.default_rng(3)
    coins = rng.integers(0, 5, (8000, 3))
    scores = uniforms(coins, rng.binomial(coins, 0.5), rng)
    for some in (coins.sum(axis=1) < 4, coins[:, 0] > 2, coins[:, 2] == 0):
        assert kstest(scores[some], "uniform").pvalue > 1e-3


def test_scores_lie_between_the_steps_of_the_law_of_weighted_heads():
    """The law by all outcomes of four coins of weights 1, 1, 2 and 8."""
    weights, coins = np.array([1, 1, 2, 8]), np.array([2, 1, 0, 1])
    sums = np.array([weights @ each for each in itertools.product((0, 1), repeat=4)])
    for heads in itertools.product((0, 1, 2), (0, 1), (0,), (0, 1)):
        (found,) = uniforms(coins[None], np.array([heads]), np.random.default_rng(1))
        s = int(np.array(heads) @ [1, 2, 4, 8])
        assert (sums < s).mean() <= found <= (sums <= s).mean()


def test_one_weight_is_the_binomial_law():
    found = uniforms(np.array([[3], [3]]), np.array([[0], [3]]), np.random.default_rng(1))
    assert found[0] <= binom.cdf(0, 3, 0.5)
    assert found[1] >= binom.cdf(2, 3, 0.5)


def test_nothing_is_chosen_of_nothing(keyed, table):
    assert choose_candidates(table(0, 0), keyed(1), np.random.default_rng(0)).tolist() == []
    assert occurs_once(np.array([], dtype=np.uint64)).tolist() == []


def test_same_key_and_die_same_rows(keyed, table):
    one, two = (choose_candidates(table(80, 3), keyed(1), np.random.default_rng(7)) for _ in range(2))
    assert one.tolist() == two.tolist()


def test_a_table_without_the_columns_is_refused(keyed, table):
    with pytest.raises(SchemaError, match="the table has no cost, sex"):
        choose_candidates(table(8, 0).drop(columns=["sex", "cost"]), keyed(1), np.random.default_rng(0))


def test_candidates_in_uneven_numbers_are_refused(keyed, table):
    with pytest.raises(SchemaError, match="4 equally long tables; however: 9 rows"):
        choose_candidates(table(9, 0), keyed(1), np.random.default_rng(0))
