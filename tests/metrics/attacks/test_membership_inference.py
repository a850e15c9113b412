"""Membership disclosure: the words of the verdict, exact probabilities, and what is listed instead of measured."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats as distributions

from synthkit.errors import MetricError
from synthkit.metrics.attacks.attack_data import AttackData
from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.attacks.effect_grade import Grade
from synthkit.metrics.attacks.membership_guesses import Bound
from synthkit.metrics.attacks.membership_inference import (
    MembershipFindings,
    _rates,
    adjusted_p_values,
    attack_names,
    attack_scores,
    membership,
    membership_findings,
)
from synthkit.metrics.attacks.membership_scores import MEMBERSHIP_ATTACKS, mean_rank
from synthkit.metrics.attacks.most_confident import Surest
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.result import Failure, Score
from synthkit.metrics.runner import one_thread
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.multiple_testing import holm
from synthkit.selftest.made_up_people import PEOPLE_SCHEMA, Experiment, jittered, people

RNG = np.random.default_rng
STRATA = ("all", "isolated")


@pytest.fixture(autouse=True)
def _calm():
    with one_thread():
        yield


def run(comparison: EvaluationData, seed: int = 0):
    found, panels = membership(comparison, RNG(seed))
    return {each.metric: each for each in found}, panels["membership"]


@pytest.fixture(scope="module")
def here() -> Experiment:
    return Experiment.of(RNG(1), units=800)


@pytest.fixture(scope="module")
def copies(here):
    with one_thread():
        return run(here.against(here.train))


@pytest.fixture(scope="module")
def fresh(here):
    with one_thread():
        return run(here.against(people(800, RNG(5))))


# Verdicts


def test_copies_fail(copies):
    scores, panel = copies
    assert panel["verdict"] == Grade.ABOVE
    assert panel["p"][panel["because"]] == min(panel["p"].values()) < 0.05
    assert scores["membership.auc"].low > 0.9
    bound = scores["membership.epsilon_lower_bound"]
    assert bound.value > 2
    assert bound.value <= bound.parts["largest it could be"] + 1e-9
    assert bound.high == float("inf")
    assert "adding or removing one person" in bound.note


def test_other_people_of_the_same_law_pass(fresh):
    scores, panel = fresh
    assert panel["verdict"] == Grade.NONE
    assert panel["because"] == ""
    assert all(check["holds"] for check in panel["checks"])
    assert scores["membership.auc"].low < 0.5 < scores["membership.auc"].high
    assert scores["membership.epsilon_lower_bound"].value == 0


def test_too_few_people_are_inconclusive():
    few = Experiment.of(RNG(2), units=120)
    _, panel = run(few.against(people(200, RNG(5))))
    assert panel["verdict"] == Grade.OPEN
    assert "enough people" in panel["because"]


def test_a_leak_is_a_leak_whatever_else_is_wrong():
    few = Experiment.of(RNG(2), units=120)
    _, panel = run(few.against(few.train))
    assert panel["detected"]
    assert panel["verdict"] == Grade.ABOVE
    assert not all(check["holds"] for check in panel["checks"])


def test_pairs_of_two_tables_are_about_exchanging_people():
    train, holdout = people(300, RNG(11)), people(450, RNG(2))
    scores, panel = run(EvaluationData(train=train, holdout=holdout, synthetic=(train,), schema=PEOPLE_SCHEMA))
    assert panel["design"] == "pairs"
    assert panel["verdict"] == Grade.ABOVE
    assert panel["units"] == 600
    assert panel["strata"]["all"]["coins"] == 300
    assert "replacing one person by another" in scores["membership.epsilon_lower_bound"].note
    assert {check["name"] for check in panel["checks"]} >= {"the split looks random"}
    scores, panel = run(
        EvaluationData(train=train, holdout=holdout, synthetic=(people(300, RNG(3)),), schema=PEOPLE_SCHEMA)
    )
    assert scores["membership.epsilon_lower_bound"].value == 0
    assert panel["verdict"] == Grade.NONE


# What is measured


def test_all_that_is_measured_has_a_name_a_reference_and_a_note(copies):
    scores, panel = copies
    wanted = [f"{p}.{name}" for p in ("membership", "membership.isolated") for name in ("auc", "epsilon_lower_bound")]
    assert set(wanted) <= set(scores)
    for name in wanted:
        assert scores[name].reference in (0.5, 0.0)
        assert scores[name].note
        assert {"p", "p, adjusted"} <= set(scores[name].parts)
    assert set(MEMBERSHIP_ATTACKS) <= set(scores["membership.auc"].parts)
    assert set(panel["p"]) == {f"{s}, {test}" for s in STRATA for test in ("all attacks", "few guesses")}
    assert set(panel["strata"]) == set(STRATA)
    assert panel["strata"]["isolated"]["units"] == panel["units"] // 2
    assert panel["strata"]["all"]["units"] == panel["strata"]["all"]["coins"] == panel["units"]


def test_figures_are_those_of_the_attacks(here, copies):
    scores, _ = copies
    rng = RNG(0)
    made = AttackData.of(here.train, here.pool.reference, here.pool.frame, PEOPLE_SCHEMA, rng)
    each = attack_scores(made, here.pool, rng)
    for k, name in enumerate(MEMBERSHIP_ATTACKS):
        pairs = each[k][here.pool.member][:, None] - each[k][~here.pool.member][None, :]
        expected = ((pairs > 0) + (pairs == 0) / 2).mean()
        assert scores["membership.auc"].parts[name] == pytest.approx(expected)
    at = scores["membership.auc"]
    assert (at.value, at.low, at.high) == pytest.approx(intervals.delong(mean_rank(each), here.pool.member))


def test_rates_that_need_more_people_are_listed_with_the_reason(fresh):
    scores, panel = fresh
    for fpr in (0.001, 0.01):
        failure = scores[f"membership.tpr_at_fpr_{fpr:g}"]
        assert isinstance(failure, Failure)
        assert failure.reason.startswith(f"needs {20 / fpr:,.0f} people not trained on to set its threshold; there are")
    at = scores["membership.tpr_at_fpr_0.1"]
    assert isinstance(at, Score)
    assert at.low <= at.reference <= at.high or abs(at.value - at.reference) < 0.15
    assert [rate["fpr"] for rate in panel["rates"]] == [0.001, 0.01, 0.1]
    assert ["not_assessed" in rate for rate in panel["rates"]] == [True, True, False]


def test_at_a_rate_of_false_alarms_copies_are_found_and_others_are_not(copies, fresh):
    found, missed = (scores["membership.tpr_at_fpr_0.1"] for scores, _ in (copies, fresh))
    assert found.value > 0.9
    assert found.parts["false alarms, low"] <= 0.1 <= found.parts["false alarms, high"] + 0.05
    assert found.reference == found.parts["false alarms"] < 0.25
    assert missed.value < 0.25


def test_thresholds_are_read_on_people_they_were_not_set_on():
    """On those they were set on there would never be more false alarms than meant."""
    pool = tiny(np.arange(1_000) % 2 == 0)
    false = [_rates(RNG(k).normal(size=1_000), pool, RNG(k))[2][1].reference for k in range(20)]
    assert max(false) > 0.1 > min(false)


def test_the_likelihood_of_a_released_model_is_one_more_attack(here):
    """A model that knows its training rows, and draws rows of nobody: only its likelihood gives them away."""
    known = here.pool.member[here.pool.unit] + 0.2 * RNG(0).normal(size=len(here.pool.unit))
    pool = replace(here.pool, likelihood=known)
    assert attack_names(pool) == (*MEMBERSHIP_ATTACKS, "likelihood")
    assert attack_names(here.pool) == tuple(MEMBERSHIP_ATTACKS)
    scores, panel = run(replace(here, pool=pool).against(people(800, RNG(5))))
    assert scores["membership.auc"].parts["likelihood"] > 0.99
    assert panel["verdict"] == Grade.ABOVE
    assert panel["strata"]["all"]["way"].startswith("likelihood")
    assert scores["membership.epsilon_lower_bound"].value > 2


# Probabilities


def tiny(member, pair=None) -> AttackTargets:
    n = len(member)
    return AttackTargets(
        frame=pd.DataFrame({"x": np.arange(n)}),
        unit=np.arange(n),
        member=np.array(member, dtype=bool),
        isolated=np.zeros(n, dtype=bool),
        reference=pd.DataFrame({"x": [0]}),
        pair=pair,
    )


def test_the_chance_of_an_auc_is_that_of_all_throws_of_ten_coins():
    scores = np.tile(np.array([0.0, 1, 2, 2, 3, 4, 5, 6, 7, 8]), (6, 1))
    member = np.array([0, 1, 0, 0, 1, 0, 1, 1, 0, 1], dtype=bool)
    seen = intervals.auc(scores[0], member)
    throws = [np.array(bits) for bits in itertools.product([False, True], repeat=10)]
    aucs = [0.5 if each.all() or not each.any() else intervals.auc(scores[0], each) for each in throws]
    exact = np.mean(np.array(aucs) >= seen - 1e-12)
    found = membership_findings(scores, tiny(member), np.ones(10, dtype=bool), RNG(0), times=5_000)
    assert found.auc.value == seen
    assert found.chance_of_auc == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 5_000))


def test_the_chance_of_an_auc_of_pairs_is_that_of_all_swaps():
    scores = np.tile(np.array([3.0, 4, 7, 1, 9, 2, 6, 5, 0, 8]), (6, 1))
    member, pair = np.arange(10) < 5, np.tile(np.arange(5), 2)
    seen = intervals.auc(scores[0], member)
    swaps = [member ^ np.array(bits)[pair] for bits in itertools.product([False, True], repeat=5)]
    exact = np.mean([intervals.auc(scores[0], each) >= seen - 1e-12 for each in swaps])
    found = membership_findings(scores, tiny(member, pair), np.ones(10, dtype=bool), RNG(0), times=5_000)
    assert found.coins == 5
    assert found.chance_of_auc == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 5_000))


def test_where_nothing_leaks_thrown_coins_find_what_chance_allows(here):
    """120 throws: probabilities below 1/2 about half of the time, and below 1/20 no more often than one in twenty."""
    rng = RNG(3)
    data = AttackData.of(people(800, RNG(5)), here.pool.reference, here.pool.frame, PEOPLE_SCHEMA, rng)
    scores, every = attack_scores(data, here.pool, rng), np.ones(len(here.pool.member), dtype=bool)
    p = []
    for _ in range(120):
        found = membership_findings(scores, here.thrown_again(rng).pool, every, rng, times=59)
        p.append((found.chance_of_auc, found.chance_of_guesses))
    for each in np.array(p).T:
        assert (each <= 0.05).sum() <= distributions.binom.isf(0.001, 120, 0.05)
        low, high = distributions.binom.ppf(0.001, 120, 0.4), distributions.binom.isf(0.001, 120, 0.5)
        assert low <= (each <= 0.5).sum() <= high


def test_a_leak_of_noisy_copies_is_no_longer_found_once_the_coins_are_thrown_again():
    here = Experiment.of(RNG(1), units=800)
    rows = jittered(here.train, 0.2, RNG(4), ("age", "height", "pressure", "balance", "glucose"))
    data = AttackData.of(rows, here.pool.reference, here.pool.frame, PEOPLE_SCHEMA, RNG(0))
    scores, every = attack_scores(data, here.pool, RNG(0)), np.ones(len(here.pool.member), dtype=bool)
    assert membership_findings(scores, here.pool, every, RNG(1), times=200).chance_of_auc == 1 / 201
    again = [membership_findings(scores, here.thrown_again(RNG(k)).pool, every, RNG(1), times=50) for k in range(10)]
    assert np.mean([each.chance_of_auc for each in again]) > 0.2
    assert sum(each.bound.epsilon > 0 for each in again) <= 2


def test_probabilities_of_all_tests_are_adjusted_together():
    def stratum(*p):
        return MembershipFindings(
            auc=intervals.Interval(0.5, 0.4, 0.6),
            chance_of_auc=p[0],
            chance_of_guesses=p[1],
            bound=Bound(epsilon=0.0, way="", guesses=1, right=0, most=0.0),
            surest=Surest(guesses=1, right=0, share=intervals.clopper_pearson(0, 1)),
            each={},
            units=2,
            coins=2,
        )

    found = adjusted_p_values({"all": stratum(0.02, 0.5), "isolated": stratum(0.01, 0.2)})
    assert found == pytest.approx(
        {
            "all, all attacks": 0.06,
            "all, few guesses": 0.5,
            "isolated, all attacks": 0.04,
            "isolated, few guesses": 0.4,
        }
    )
    assert list(found.values()) == holm([0.02, 0.5, 0.01, 0.2])


def test_too_few_to_attack_is_an_error():
    comparison = EvaluationData(
        train=people(100, RNG(1)), holdout=people(20, RNG(2)), synthetic=(people(50, RNG(3)),), schema=PEOPLE_SCHEMA
    )
    with pytest.raises(MetricError, match="risks need 20 people on either side"):
        membership(comparison, RNG(0))


def test_the_same_seed_finds_the_same(here, fresh):
    scores, panel = run(here.against(people(800, RNG(5))))
    assert panel == fresh[1]
    assert scores == fresh[0]
