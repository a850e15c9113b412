"""The generalisation gap: by hand and by brute force, nought where nothing was copied, and off it where rows were."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import MetricError
from synthkit.metrics.attacks import generalisation_gap as module
from synthkit.metrics.attacks.generalisation_gap import EXCHANGED_GROUPS, EqualParts, LikenessGap, generalisation_gap
from synthkit.schema import Schema

RNG = np.random.default_rng
TWO, THREE = "membership.generalisation_gap_tv2", "membership.generalisation_gap_tv3"
LEVELS = Schema(columns={name: {"kind": "categorical", "levels": list("pqrs")} for name in ("a", "b", "c")})


def measured(comparison, seed=0):
    scores, panels = generalisation_gap(comparison, RNG(seed))
    return {score.metric: score for score in scores}, panels["generalisation"]


def levels(rows, seed):
    rng = RNG(seed)
    return pd.DataFrame({name: rng.choice(list("pqrs"), rows, p=[0.4, 0.3, 0.2, 0.1]) for name in "abc"})


def likeness(left, right, ways):
    """1 - mean total variation, with pandas."""
    found = []
    for names in itertools.combinations("abc", ways):
        shares = [frame.value_counts(list(names), normalize=True) for frame in (left, right)]
        found.append(1 - shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)
    return float(np.mean(found))


@pytest.mark.parametrize("ways", [2, 3])
def test_all_likenesses_as_pandas_counts_them(compare, ways):
    train, holdout, made = (levels(400, k) for k in (1, 2, 3))
    found, panel = measured(compare(made, train=train, holdout=holdout, schema=LEVELS))
    score = found[f"membership.generalisation_gap_tv{ways}"]
    near, far, floor = likeness(made, train, ways), likeness(made, holdout, ways), likeness(train, holdout, ways)
    assert score.parts["synthetic to training"] == pytest.approx(near)
    assert score.parts["synthetic to holdout"] == pytest.approx(far)
    assert score.parts["training to holdout"] == pytest.approx(floor)
    assert score.value == pytest.approx((near - floor) - (far - floor))
    assert panel["gaps"][ways - 2]["holdout"] == pytest.approx(far)
    assert (panel["rows"], score.reference) == (400, 0.0)


def test_an_exchange_is_that_of_the_rows(compare):
    """Groups dealt to other sides by hand, and everything counted anew."""
    train, holdout, made = (levels(200, k) for k in (1, 2, 3))
    parts = EqualParts.of(compare(made, train=train, holdout=holdout, schema=LEVELS), RNG(0))
    ways = module._dealt(RNG(4))[:6]
    gap = module._gap(parts, list(itertools.combinations(range(3), 2)), ways)
    both = pd.concat([train, holdout], ignore_index=True)
    for k, way in enumerate(ways[1:]):
        first = way[parts.groups].astype(bool)
        expected = likeness(made, both[first], 2) - likeness(made, both[~first], 2)
        assert gap.exchanged[k] == pytest.approx(expected)


def test_half_of_all_groups_is_dealt_to_either_side():
    ways = module._dealt(RNG(0))
    assert ways.shape == (1 + module.EXCHANGES, 2 * EXCHANGED_GROUPS)
    assert (ways.sum(axis=1) == EXCHANGED_GROUPS).all()
    assert ways[0, :EXCHANGED_GROUPS].all()


def test_the_interval_and_the_probability_by_hand():
    """Of 19 exchanges and what was found, 95 % reach 0.09 at most: the second largest of twenty."""
    exchanged = np.append(np.linspace(-0.09, 0.09, 18), 0.2)
    gap = LikenessGap(train=0.9, holdout=0.85, floor=0.88, exchanged=exchanged)
    assert gap.value == pytest.approx(0.05)
    assert gap.interval.low == pytest.approx(-0.04)
    assert gap.interval.high == pytest.approx(0.14)
    assert gap.p == (1 + (np.abs(exchanged) >= 0.05).sum()) / 20


def test_rows_drawn_from_the_training_rows_are_found(law, compare):
    """A bootstrap repeats the sample: both gaps lie off nought with their whole intervals."""
    train = law(1500, 1)
    found, _ = measured(compare(train.sample(1500, replace=True, random_state=0), train=train))
    assert found[TWO].low > 0
    assert found[THREE].low > 0
    assert found[THREE].value > found[TWO].value
    assert found[THREE].parts["p"] < 0.01


def test_a_copy_of_the_training_rows_has_the_largest_gap_there_is(law, compare):
    """Likeness to the training rows is 1, so that the gap is what real rows lack of each other."""
    train = law(1500, 1)
    score = measured(compare(train.copy(), train=train))[0][THREE]
    assert score.parts["synthetic to training"] == pytest.approx(1.0)
    assert score.value == pytest.approx(1 - score.parts["training to holdout"])


def test_fresh_rows_of_the_law_show_nothing(law, compare):
    found, _ = measured(compare(law(1500, 3)))
    assert all(score.low <= 0 <= score.high for score in found.values())


def test_chance_alone_leaves_nought_outside_as_seldom_as_it_should(law, compare):
    """Sixty tables of one law, quantities among their columns, and on the mean no gap.

    Of a binomial number of 60 with chance 0.05 more than 9 come once in a thousand times. The seeds are fixed.
    """
    kinds = {"age": {"kind": "numeric"}, "cost": {"kind": "numeric"}}
    schema = Schema(columns={**kinds, "ward": {"kind": "categorical", "levels": list("ABCD")}})
    found = []
    for k in range(60):
        tables = [law(150, 1000 + 3 * k + j) for j in range(3)]
        comparison = compare(tables[0], train=tables[1], holdout=tables[2], schema=schema)
        found.append(measured(comparison, seed=k)[0][TWO])
    assert sum(not score.low <= 0 <= score.high for score in found) <= 9
    values = np.array([score.value for score in found])
    assert abs(values.mean()) < 3.5 * values.std(ddof=1) / np.sqrt(60)


def test_rows_held_out_that_are_repeated_have_a_gap_below_nought(law, compare):
    holdout = law(1500, 2)
    score = measured(compare(holdout.sample(1500, replace=True, random_state=0), holdout=holdout))[0][THREE]
    assert score.high < 0


def test_all_parts_have_the_size_of_the_smallest(law, compare):
    _, panel = measured(compare(law(700, 3), train=law(900, 1), holdout=law(300, 2)))
    assert panel["rows"] == 300


def test_several_draws_are_averaged(law, compare):
    train = law(900, 1)
    copies = tuple(train.sample(900, replace=True, random_state=k) for k in range(2))
    both = measured(compare(copies, train=train))[0][THREE]
    one = measured(compare(copies[0], train=train))[0][THREE]
    assert both.value == pytest.approx(one.value, abs=0.02)
    assert both.low > 0


def test_people_are_exchanged_whole(compare):
    """Fifty people with twenty equal rows each: rows would seem to prove what so few people cannot."""
    schema = Schema(columns={"who": {"kind": "identifier"}, **LEVELS.columns}, unit="who")

    def people(start):
        rows = levels(50, start).loc[np.repeat(np.arange(50), 20)].reset_index(drop=True)
        return rows.assign(who=np.repeat(np.arange(start, start + 50), 20).astype(str))

    comparison = compare(people(300), train=people(100), holdout=people(200), schema=schema)
    parts = EqualParts.of(comparison, RNG(0))
    owner = np.concatenate([comparison.train["who"], comparison.holdout["who"]])
    assert pd.Series(parts.groups).groupby(owner).nunique().max() == 1
    whole = measured(comparison)[0][TWO]
    rows = measured(compare(people(300), train=people(100), holdout=people(200), schema=LEVELS))[0][TWO]
    assert whole.high - whole.low > 2 * (rows.high - rows.low)


def test_units_are_cut_whole_and_no_more_rows_than_asked():
    frame = pd.DataFrame({"who": np.repeat(list("abcdefghij"), 7), "x": range(70)})
    kept, units = module._cut(frame, "who", 30, RNG(1))
    assert len(kept) == 28
    assert kept["who"].value_counts().eq(7).all()
    assert sorted(set(units)) == [0, 1, 2, 3]


def test_rows_apart_from_all_real_ones_are_as_far_from_both(compare):
    """No likeness to either side: no gap, and an interval that is not taken for certainty."""
    made = pd.DataFrame({name: ["s"] * 300 for name in "abc"})
    real = {"train": levels(300, 1).replace("s", "p"), "holdout": levels(300, 2).replace("s", "p")}
    score = measured(compare(made, **real, schema=LEVELS))[0][TWO]
    assert score.value == 0
    assert score.low < 0 < score.high


def test_one_column_has_no_table_and_two_have_no_three(law, compare):
    one = Schema(columns={"age": {"kind": "numeric"}})
    two = Schema(columns={"age": {"kind": "numeric"}, "cost": {"kind": "numeric"}})
    assert generalisation_gap(compare(law(300, 3), schema=one), RNG(0)) == ([], {})
    assert list(measured(compare(law(300, 3), schema=two))[0]) == [TWO]


def test_too_few_people_are_refused(law, compare):
    message = "needs 20 people trained on and as many held out; however: the smaller side has 19. Hold more out"
    with pytest.raises(MetricError, match=message):
        generalisation_gap(compare(law(100, 3), holdout=law(19, 2)), RNG(0))
