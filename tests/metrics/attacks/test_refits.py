"""Several fits attacked together: counts add up, and show what each alone is too small to show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, kstest

from synthkit.metrics.attacks.attack_data import AttackData
from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.attacks.attribute_inference import attribute
from synthkit.metrics.attacks.identity_disclosure import identity, linkability
from synthkit.metrics.attacks.membership_inference import (
    attack_scores,
    comparable_scores,
    membership,
    membership_findings,
)
from synthkit.metrics.runner import one_thread
from synthkit.selftest.made_up_people import Experiment, people

RNG = np.random.default_rng


@pytest.fixture(autouse=True)
def _calm():
    with one_thread():
        yield


def fits(copied: int, many: int = 5, units: int = 60) -> list:
    """Fits of other people each, a few of their members copied into rows that are fresh otherwise."""
    found = []
    for k in range(many):
        here = Experiment.of(RNG(k), units=units)
        members = np.flatnonzero(here.pool.member)[:copied]
        copies = here.pool.frame.loc[np.isin(here.pool.unit, members)]
        rows = pd.concat([people(150, RNG(100 + k)), copies], ignore_index=True)
        found.append(here.against(rows))
    return found


def together(each: list):
    return replace(each[0], refits=tuple(each[1:]))


def scores_of(found) -> dict:
    return {score.metric: score for score in found}


def test_everybody_is_attacked_in_one_of_the_fits():
    each = fits(0, many=3)
    pool = together(each).everybody
    assert pool.member.tolist() == np.concatenate([fit.attacked.member for fit in each]).tolist()
    assert len(np.unique(pool.unit)) == len(pool.member) == sum(len(fit.attacked.member) for fit in each)
    sizes = np.bincount(pool.unit)
    assert sizes.tolist() == np.concatenate([np.bincount(fit.attacked.unit) for fit in each]).tolist()
    assert AttackTargets.joined([each[0].attacked]) is each[0].attacked


def test_pairs_of_several_fits_stay_apart():
    here = Experiment.of(RNG(1), units=120)
    pools = [AttackTargets.of_tables(here.train, here.holdout, here.schema, RNG(k)) for k in range(2)]
    joined = AttackTargets.joined(pools)
    assert np.bincount(joined.pair).tolist() == [2] * (len(joined.member) // 2)
    assert joined.design == "pairs"


def test_scores_are_compared_within_a_fit():
    """However large the scores of a fit are: who is first there is first."""
    a, b = np.array([[1.0, 3.0, 2.0]]), np.array([[1e9, 2e9]])
    assert comparable_scores([a]) is a
    np.testing.assert_allclose(comparable_scores([a, b]), [[1 / 4, 3 / 4, 2 / 4, 1 / 3, 2 / 3]])


def test_exact_matches_add_up():
    """Against a count by hand: of every fit its own rows and its own people."""
    each = fits(4, many=3)
    at = scores_of(identity(together(each), RNG(0))[0])["identity.unique_exact_matches"]
    hits, sizes = np.zeros(2), np.zeros(2)
    for fit in each:
        names = list(fit.schema.learned)
        mine = [tuple(row) for row in fit.attacked.frame[names].astype(str).to_numpy()]
        theirs = {tuple(row) for row in fit.released[names].astype(str).to_numpy()}
        alone = [mine.count(row) == 1 and row in theirs for row in mine]
        for k, side in enumerate((fit.attacked.member, ~fit.attacked.member)):
            inside = side[fit.attacked.unit]
            hits[k] += sum(x for x, y in zip(alone, inside, strict=True) if y)
            sizes[k] += side.sum()
    assert hits[0] == 12
    assert (at.parts["members"], at.parts["non-members"]) == tuple(hits / sizes)


def test_what_each_fit_is_too_small_to_show_all_together_show():
    each = fits(5)
    assert (
        max(panel["p"]["all, few guesses"] for panel in (membership(f, RNG(0))[1]["membership"] for f in each)) > 0.05
    )
    panel = membership(together(each), RNG(0))[1]["membership"]
    assert panel["units"] == sum(len(fit.attacked.member) for fit in each)
    assert panel["p"]["all, few guesses"] < 0.01


def test_chance_alone_is_called_chance():
    """Coins of all fits thrown again: probabilities of the attacks on all of them together are uniform, or larger."""
    each = fits(0)
    pool, rng = together(each).everybody, RNG(7)
    scenes = [AttackData.of(f.released, f.attacked.reference, f.attacked.frame, f.schema, rng) for f in each]
    scores = comparable_scores([attack_scores(data, f.attacked, rng) for data, f in zip(scenes, each, strict=True)])
    everyone = np.ones(len(pool.member), dtype=bool)
    found = [
        membership_findings(scores, replace(pool, member=rng.random(len(pool.member)) < 0.5), everyone, rng, times=200)
        for _ in range(100)
    ]
    assert kstest([each.chance_of_auc for each in found], "uniform").pvalue > 1e-3
    assert kstest([each.chance_of_guesses for each in found], "uniform", alternative="greater").pvalue > 1e-3
    assert binomtest(sum(each.bound.epsilon > 0 for each in found), 100, 0.05, alternative="greater").pvalue > 1e-3


def test_enough_people_are_counted_over_all_fits():
    panel = membership(together(fits(0)), RNG(0))[1]["membership"]
    [check] = [check for check in panel["checks"] if check["name"] == "enough people"]
    members = sum(int(fit.attacked.member.sum()) for fit in fits(0))
    everybody = sum(len(fit.attacked.member) for fit in fits(0))
    assert check["measured"] == min(members, everybody - members)


def test_attributes_and_links_are_of_everybody():
    each = fits(5, many=3, units=80)
    all_ = together(each)
    secret = all_.schema.secrets[0] if all_.schema.secrets else all_.schema.learned[-1]
    panel = attribute(all_, RNG(0), secret=secret, knowledge="all", prefix="attribute")[1]["attribute"][0]
    known = pd.concat([fit.attacked.frame for fit in each])[secret].notna().sum()
    assert sum(panel["people"].values()) == known
    linked = linkability(all_, RNG(0))[0][0]
    shares = [linkability(fit, RNG(0))[0][0].parts["members"] for fit in each]
    weights = [int(fit.attacked.member.sum()) for fit in each]
    assert linked.parts["members"] == pytest.approx(np.average(shares, weights=weights))
