"""Attacks against loops over rows, and against what they must not know: who was trained on."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synthkit.metrics.attacks import attack_data, membership_scores
from synthkit.metrics.attacks.attack_data import AttackData
from synthkit.metrics.attacks.membership_inference import attack_scores
from synthkit.metrics.attacks.membership_scores import MEMBERSHIP_ATTACKS, RARE_VALUE_BINS, mean_rank
from synthkit.metrics.runner import one_thread
from synthkit.metrics.stats.binning import Binning
from synthkit.schema import Schema
from synthkit.selftest.made_up_people import PEOPLE_SCHEMA as PEOPLE
from synthkit.selftest.made_up_people import Experiment, people

RNG = np.random.default_rng
SCHEMA = Schema(
    columns={
        "x": {"kind": "numeric", "nullable": True},
        "y": {"kind": "numeric", "decimals": 0},
        "c": {"kind": "categorical", "levels": ["a", "b", "c"], "nullable": True},
    }
)


@pytest.fixture(autouse=True)
def _calm():
    with one_thread():
        yield


def table(rows: int, seed: int) -> pd.DataFrame:
    rng = RNG(seed)
    return pd.DataFrame(
        {
            "x": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "y": rng.integers(0, 12, rows).astype(float),
            "c": rng.choice(["a", "b", "c", None], rows, p=[0.5, 0.3, 0.1, 0.1]),
        }
    )


@pytest.fixture
def small() -> AttackData:
    """60 synthetic rows, of which ten are copies, 40 of the population, 30 who are attacked."""
    targets = table(30, 3)
    return AttackData.of(pd.concat([table(50, 1), targets[:10]]), table(40, 2), targets, SCHEMA, RNG(0))


def gaps(here: AttackData, others: pd.DataFrame) -> list[list[float]]:
    """Distance of every target to every other row, one cell at a time."""
    known = pd.concat([here.reference, here.targets])

    def rank(name, value):
        present = [v for v in known[name] if not pd.isna(v)]
        return (sum(v < value for v in present) + sum(v <= value for v in present)) / (2 * len(present))

    def square(name, a, b):
        if pd.isna(a) or pd.isna(b):
            if pd.isna(a) and pd.isna(b):
                return 0.0
            present = b if pd.isna(a) else a
            return 1.0 if name == "c" else 1 + (rank(name, present) - 0.5) ** 2
        return float(a != b) if name == "c" else (rank(name, a) - rank(name, b)) ** 2

    return [
        [math.sqrt(sum(square(n, a[n], b[n]) for n in SCHEMA.columns)) for _, b in others.iterrows()]
        for _, a in here.targets.iterrows()
    ]


def test_distance_is_that_to_the_nearest_row(small):
    assert membership_scores.distance(small, RNG(0)) == pytest.approx(
        [-min(row) for row in gaps(small, small.synthetic)], abs=1e-6
    )
    assert (membership_scores.distance(small, RNG(0))[:10] == 0).all()


def test_relative_distance_is_a_log_ratio(small):
    near, known = ([min(row) for row in gaps(small, other)] for other in (small.synthetic, small.reference))
    eta = np.median(known) / 100
    expected = [math.log(r + eta) - math.log(s + eta) for r, s in zip(known, near, strict=True)]
    assert membership_scores.relative_distance(small, RNG(0)) == pytest.approx(expected, abs=1e-3)


def test_density_counts_synthetic_rows_among_the_twenty_nearest():
    """Numbers only, so that no two distances are equal."""
    schema = SCHEMA.model_copy(update={"columns": {"x": SCHEMA.columns["x"]}})
    here = AttackData.of(
        pd.DataFrame({"x": RNG(1).normal(size=60)}),
        pd.DataFrame({"x": RNG(2).normal(size=40)}),
        pd.DataFrame({"x": RNG(3).normal(size=30)}),
        schema,
        RNG(0),
    )
    place = here.space.coordinates(here.targets)[:, 0]
    sides = [here.space.coordinates(frame)[:, 0] for frame in (here.synthetic, here.reference)]
    expected, alike = [], []
    for at in place:
        mixed = sorted([(abs(at - b), side) for side in (0, 1) for b in sides[side]])
        c = sum(side == 0 for _, side in mixed[:20])
        expected.append(math.log((c + 0.5) / (20 - c + 0.5)) - math.log(60 / 40))
        alike.append(mixed[20][0] - mixed[19][0] > 1e-6)
    assert sum(alike) > 8  # the others are equally far from the 20th and the 21st, whose order is chance
    scores = membership_scores.density(here, RNG(0))
    assert scores[alike] == pytest.approx(np.array(expected)[alike])


def test_equal_distances_take_no_side_of_the_density():
    """Everybody is the same: of 20 among 60 synthetic and 60 others about ten are synthetic."""
    one = pd.DataFrame({"x": np.zeros(60), "y": np.zeros(60), "c": ["a"] * 60})
    scores = membership_scores.density(AttackData.of(one, one, pd.concat([one] * 10), SCHEMA, RNG(0)), RNG(0))
    assert len(set(scores)) > 5
    assert abs(scores.mean()) < 0.1


def test_marginals_sum_log_ratios_of_all_cells(small):
    codes = [small.binning.codes(frame) for frame in (small.synthetic, small.reference, small.targets)]
    alpha, expected = 0.5 / 60, np.zeros(30)
    for columns in [c for k in (1, 2) for c in itertools.combinations(range(3), k)]:
        cells = [[tuple(side[list(columns), row]) for row in range(side.shape[1])] for side in codes]
        for row, cell in enumerate(cells[2]):
            shares = [side.count(cell) / len(side) for side in cells[:2]]
            expected[row] += math.log(shares[0] + alpha) - math.log(shares[1] + alpha)
    assert membership_scores.marginals(small, RNG(0)) == pytest.approx(expected)


def test_rare_values_are_those_of_one_or_two_people_that_came_out(small):
    fine = Binning.fit(small.reference, SCHEMA, bins=RARE_VALUE_BINS, levels=10**6)
    frames = small.targets, small.reference, small.synthetic
    views = [[["none" if pd.isna(v) else v for v in frame[n]] for frame in frames] for n in SCHEMA.columns]
    codes = [fine.codes(frame) for frame in frames]
    for columns in [c for k in (2, 3) for c in itertools.combinations(range(3), k)]:
        views.append([[tuple(side[list(columns), row]) for row in range(side.shape[1])] for side in codes])
    expected = np.zeros(30)
    for targets, known, synthetic in views:
        everybody, out = targets + known, set(synthetic)
        for row, value in enumerate(targets):
            if everybody.count(value) <= 2 and value in out:
                expected[row] += math.log(len(everybody) / everybody.count(value))
    assert membership_scores.rare_values(small, RNG(0)) == pytest.approx(expected)
    assert expected[:10].min() > expected[10:].mean()


def test_levels_are_the_same_whatever_they_are_stored_as():
    frame = pd.DataFrame({"v": [0, 1, 2]})
    whole, split = membership_scores._values(frame["v"]), membership_scores._values(frame["v"].astype(float))
    assert (whole == split).all()
    assert (membership_scores._values(frame["v"].astype("Int64")) == whole).all()
    words = pd.Series(["a", "b", "a"])
    assert (membership_scores._values(words) == membership_scores._values(words.astype("category"))).all()
    assert len(set(membership_scores._values(words))) == 2


def test_the_classifier_knows_where_synthetic_rows_are():
    """Real values around 0 and synthetic ones around 2: the log-odds are 2 x - 2."""
    schema = SCHEMA.model_copy(update={"columns": {"x": SCHEMA.columns["x"]}})
    targets = pd.DataFrame({"x": np.linspace(-1.5, 3.5, 200)})
    real, made = (pd.DataFrame({"x": RNG(seed).normal(seed, 1, 1500)}) for seed in (0, 2))
    scores = membership_scores.classifier(AttackData.of(made, real, targets, schema, RNG(0)), RNG(0))
    assert stats.spearmanr(scores, targets["x"])[0] > 0.95
    assert np.corrcoef(scores, 2 * targets["x"] - 2)[0, 1] > 0.9
    assert abs(scores[np.abs(targets["x"] - 1) < 0.2].mean()) < 0.5


def test_the_classifier_looks_at_a_sample_of_many_rows(monkeypatch):
    monkeypatch.setattr(membership_scores, "MAX_CLASSIFIER_ROWS", 150)
    here = AttackData.of(people(400, RNG(1)), people(300, RNG(2)), people(50, RNG(3)), PEOPLE, RNG(0))
    assert not np.allclose(membership_scores.classifier(here, RNG(0)), membership_scores.classifier(here, RNG(1)))
    monkeypatch.setattr(membership_scores, "MAX_CLASSIFIER_ROWS", 400)
    assert np.allclose(membership_scores.classifier(here, RNG(0)), membership_scores.classifier(here, RNG(1)))


def test_more_synthetic_rows_than_can_be_looked_at_are_sampled(monkeypatch):
    monkeypatch.setattr(attack_data, "MAX_ATTACKED_ROWS", 100)
    here = AttackData.of(people(400, RNG(1)), people(300, RNG(2)), people(50, RNG(3)), PEOPLE, RNG(0))
    assert len(here.synthetic) == len(here.synthetic.drop_duplicates()) == 100


@pytest.fixture(scope="module")
def copied():
    with one_thread():
        here = Experiment.of(RNG(4), units=400)
        rows = pd.concat([here.members()] * 3, ignore_index=True)
        return here, AttackData.of(rows, here.pool.reference, here.pool.frame, PEOPLE, RNG(0))


@pytest.mark.parametrize("name", MEMBERSHIP_ATTACKS)
def test_copies_score_higher_with_every_attack(name, copied):
    here, made = copied
    scores = MEMBERSHIP_ATTACKS[name](made, RNG(0))
    assert scores.shape == (len(here.pool.frame),)
    assert np.isfinite(scores).all()
    among = here.pool.member
    assert stats.mannwhitneyu(scores[among], scores[~among], alternative="greater").pvalue < 0.01


def test_attacks_do_not_know_who_was_trained_on(copied):
    here, made = copied
    swapped = replace(here.pool, member=~here.pool.member)
    assert (attack_scores(made, here.pool, RNG(1)) == attack_scores(made, swapped, RNG(1))).all()


def test_copies_that_are_added_are_as_if_they_had_been_there(small):
    more = table(7, 9)
    added = small.with_copies(more)
    again = AttackData.of(pd.concat([small.synthetic, more]), small.reference, small.targets, SCHEMA, RNG(0))
    assert added.near == pytest.approx(again.near)
    for name in ("distance", "relative distance", "marginals", "rare values"):
        assert MEMBERSHIP_ATTACKS[name](added, RNG(0)) == pytest.approx(
            MEMBERSHIP_ATTACKS[name](again, RNG(0)), abs=1e-5
        ), name


def test_all_together_is_the_mean_rank():
    scores = np.array([[1.0, 5.0, 3.0, 3.0], [0.0, -np.inf, 2.0, 1.0]])
    ranks = [[sum(b < a for b in row) + (sum(b == a for b in row) + 1) / 2 for a in row] for row in scores.tolist()]
    assert mean_rank(scores).tolist() == [(a + b) / 2 for a, b in zip(*ranks, strict=True)]
