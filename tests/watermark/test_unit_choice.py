"""Which candidate unit is released: each equally likely over the keys, jointly, whatever rows units have."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from pydantic import SecretStr
from scipy.stats import binom, chi2, chisquare, kstest, norm

from synthkit.errors import SchemaError
from synthkit.schema.linked import LinkedSchema
from synthkit.watermark import UnitWatermarkKey, choose_units
from synthkit.watermark.candidate_choice import WEIGHT_COUNT
from synthkit.watermark.column_subsets import subsets
from synthkit.watermark.row_tokens import row_contents
from synthkit.watermark.unit_choice import normal_scores, unit_coins

KEYS = 600
SCHEMA = LinkedSchema.parse(
    {
        "unit": "people",
        "tables": {
            "people": {
                "key": ["id"],
                "columns": {"id": {"kind": "identifier"}, "a": {"kind": "numeric"}, "b": {"kind": "numeric"}},
            },
            "visits": {
                "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
                "columns": {"id": {"kind": "identifier"}, "x": {"kind": "numeric"}, "y": {"kind": "numeric"}},
            },
        },
    }
)


def of(k, candidates=3):
    key = UnitWatermarkKey.new(SCHEMA, candidates=candidates)
    return key.model_copy(update={"secret": SecretStr(f"{k:064x}")})


def tables(people, visits, units):
    frames = {
        "people": pd.DataFrame(people, columns=["a", "b"], dtype=float),
        "visits": pd.DataFrame(visits, columns=["x", "y"], dtype=float),
    }
    return frames, {"people": np.arange(len(people)), "visits": np.array(units, dtype=np.intp)}


def random_tables(n, candidates, rng, digits=1):
    """Units with none to six visits, some values shared by many; with more digits hardly any is."""
    total = n * candidates
    units = np.repeat(np.arange(total), rng.integers(0, 7, total))
    people = rng.integers(0, 12, (total, 2)) if digits < 3 else rng.normal(size=(total, 2))
    return tables(people, rng.normal(size=(len(units), 2)).round(digits), units)


def test_each_candidate_of_each_unit_is_equally_likely_over_keys_and_units_are_independent():
    """Candidates with many rows, with none, with copies, and without any coin: 3 x 3 choices of two units."""
    people = [[1, 1], [5, 6], [1, 1], [5, 6], [2, 3], [7, 8]]  # unit 0: 0, 2, 4, the first two copies
    visits = [[k, k + 0.5] for k in range(9)] + [[99, 99], [99, 99]]
    frames, units = tables(people, visits, [0] * 6 + [1] * 2 + [5] + [2, 3])
    seen = np.zeros((3, 3))
    for k in range(KEYS):
        first, second = choose_units(frames, units, 6, of(k), np.random.default_rng(k))
        seen[first, second] += 1
    assert chisquare(seen.ravel()).pvalue > 1e-4


def test_many_rows_win_no_more_often_than_few():
    """One candidate with forty rows against two with one each: a third of the releases each."""
    frames, units = tables([[1, 1], [2, 3], [4, 5]], np.random.default_rng(0).normal(size=(42, 2)), [0] * 40 + [1, 2])
    chosen = [choose_units(frames, units, 3, of(k), np.random.default_rng(k))[0] for k in range(KEYS)]
    assert chisquare(np.bincount(chosen, minlength=3)).pvalue > 1e-4


def test_for_one_key_the_choice_follows_from_the_contents():
    """Not from the die alone: with other dice most choices are the same, with another key no more than by chance."""
    frames, units = random_tables(400, 4, np.random.default_rng(1), digits=9)
    one, two = (choose_units(frames, units, 1600, of(5, 4), np.random.default_rng(seed)) for seed in (1, 2))
    assert (one == two).mean() > 0.6
    other = choose_units(frames, units, 1600, of(6, 4), np.random.default_rng(1))
    assert (one == other).mean() < 0.35
    again = choose_units(frames, units, 1600, of(5, 4), np.random.default_rng(1))
    assert one.tolist() == again.tolist()


def test_the_law_of_a_unit_is_the_models_over_keys():
    """A model of units with none to two rows of six values: counts of released units against its law, by chi-square."""
    rng = np.random.default_rng(3)
    kinds = [rows for many in range(3) for rows in itertools.combinations_with_replacement(range(6), many)]
    law = rng.dirichlet(np.ones(len(kinds)))
    counts = np.zeros(len(kinds))
    for k in range(400):
        drawn = rng.choice(len(kinds), size=24, p=law)
        visits = [(value, 0) for i in drawn for value in kinds[i]]
        units = [u for u, i in enumerate(drawn) for _ in kinds[i]]
        frames, where = tables(rng.integers(0, 3, (24, 2)), np.array(visits).reshape(-1, 2), units)
        which = choose_units(frames, where, 24, of(k), rng)
        counts += np.bincount(drawn[which * 8 + np.arange(8)], minlength=len(kinds))
    expected = law * counts.sum()
    common = expected >= 5
    seen, wanted = [*counts[common], counts[~common].sum()], [*expected[common], expected[~common].sum()]
    statistic = sum((a - b) ** 2 / b for a, b in zip(seen, wanted, strict=True) if b > 0)
    assert counts.sum() == 3200
    assert chi2.sf(statistic, len(wanted) - 1) > 1e-4


def test_coins_of_units_are_those_of_their_rows_counted_by_a_loop():
    frames, units = random_tables(8, 4, np.random.default_rng(2))
    key = of(3, 4).of_table("visits")
    coins, heads, sets = unit_coins(frames["visits"], units["visits"], 32, key)
    slow, slow_heads, slow_sets = np.zeros((32, WEIGHT_COUNT), int), np.zeros((32, WEIGHT_COUNT), int), [0] * 4
    for _, said in row_contents(frames["visits"], key, subsets(key)):
        listed = said.tolist()
        alone = [listed.count(word) == 1 for word in listed]
        share = sum(alone) / len(alone)
        k = 3 if share < 2**-5 else 2 if share < 2**-3 else 1 if share < 2**-1 else 0
        slow_sets[k] += any(alone)
        for i, word in enumerate(listed):
            slow[units["visits"][i], k] += alone[i]
            slow_heads[units["visits"][i], k] += alone[i] and word % 2
    assert coins.tolist() == slow.tolist()
    assert heads.tolist() == slow_heads.tolist()
    assert sets.tolist() == slow_sets


@pytest.mark.parametrize("many", [0, 1, 2, 9, 400])
def test_scores_are_normal_whatever_coins_there_are(many):
    rng = np.random.default_rng(1)
    coins = np.full(5000, many)
    assert kstest(normal_scores(coins, rng.binomial(coins, 0.5), rng), "norm").pvalue > 1e-3


def test_scores_lie_between_the_steps_of_the_binomial_law():
    rng = np.random.default_rng(1)
    for heads in range(5):
        found = float(norm.cdf(normal_scores(np.array([4]), np.array([heads]), rng)[0]))
        assert binom.cdf(heads - 1, 4, 0.5) - 1e-12 <= found <= binom.cdf(heads, 4, 0.5) + 1e-12


def test_nothing_is_chosen_of_nothing():
    frames, units = tables(np.zeros((0, 2)), np.zeros((0, 2)), [])
    assert choose_units(frames, units, 0, of(1), np.random.default_rng(0)).tolist() == []


def test_tables_without_the_columns_and_uneven_draws_are_refused():
    frames, units = random_tables(4, 3, np.random.default_rng(2))
    with pytest.raises(SchemaError, match=r"there is no visits\.y"):
        choose_units({**frames, "visits": frames["visits"][["x"]]}, units, 12, of(1), np.random.default_rng(0))
    with pytest.raises(SchemaError, match=r"there is no visits\.x, visits\.y"):
        choose_units({"people": frames["people"]}, units, 12, of(1), np.random.default_rng(0))
    with pytest.raises(SchemaError, match="3 draws of equally many units; however: 11 units"):
        choose_units(frames, units, 11, of(1), np.random.default_rng(0))
