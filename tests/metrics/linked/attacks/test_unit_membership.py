"""Membership of units: copies are found, fresh people give nobody away, and nothing is known of a coin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from synthkit.errors import MetricError
from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.attacks.membership_inference import adjusted_p_values, membership_findings
from synthkit.metrics.linked.attacks.unit_membership import informed_attacker, unit_checks, unit_membership
from synthkit.metrics.linked.attacks.unit_membership_scores import (
    UNIT_MEMBERSHIP_ATTACKS,
    own_codes,
    own_row_equal_values,
    unit_attack_names,
    unit_attack_scores,
)
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_runner import evaluate_linked
from synthkit.metrics.stats import intervals
from synthkit.tables.stacked_tables import stacked

RNG = np.random.default_rng


@pytest.fixture
def compared(pool, clinic):
    """A comparison in which so many members are copied into the last of two draws."""

    def build(copied, units=240):
        people = pool(units)
        draws = [clinic(100, 13), clinic(100, 14)]
        if copied:
            draws[1] = stacked([draws[1], people.tables.take(np.flatnonzero(people.member)[:copied])])
        return LinkedEvaluationData(
            train=people.tables.take(np.flatnonzero(people.member)),
            holdout=people.tables.take(np.flatnonzero(~people.member)),
            synthetic=draws[0],
            further=(draws[1],),
            pool=people,
        )

    return build


def test_copies_in_any_draw_are_found_and_graded(compared):
    scores, panels = unit_membership(compared(copied=60), RNG(1))
    found = {s.metric: s for s in scores}
    panel = panels["membership"]
    assert panel["detected"]
    assert panel["design"] == "coins"
    assert min(panel["p"].values()) < 0.01
    assert found["membership.epsilon_lower_bound"].value > 0.5
    assert found["membership.auc"].low > 0.5
    assert set(panel["strata"]["all"]["attacks"]) == set(UNIT_MEMBERSHIP_ATTACKS)
    assert {check["name"] for check in panel["checks"] if not check["holds"]} <= {"enough people"}


def test_fresh_people_give_nobody_away(compared):
    scores, panels = unit_membership(compared(copied=0), RNG(1))
    found = {s.metric: s for s in scores}
    assert not panels["membership"]["detected"]
    assert found["membership.epsilon_lower_bound"].value == 0
    assert found["membership.auc"].low < 0.5 < found["membership.auc"].high
    assert found["membership.informed.auc"].low < 0.5 < found["membership.informed.auc"].high


def test_scores_know_nothing_of_coins(views):
    here = views(copied=10)
    swapped = replace(here, pool=replace(here.pool, member=~here.pool.member))
    assert (unit_attack_scores(here, RNG(1)) == unit_attack_scores(swapped, RNG(1))).all()


def test_false_alarms_are_as_rare_as_they_are_said_to_be(views):
    """Coins thrown again 200 times after one attack: alarms at 5 % in at most 5 %, and a little for chance."""
    here = views(copied=20)
    scores, people, names = unit_attack_scores(here, RNG(0)), here.people, unit_attack_names(here)
    alarms, rng = 0, RNG(5)
    for _ in range(200):
        again = replace(people, member=rng.random(len(people.member)) < 0.5)
        found = {
            name: membership_findings(scores, again, among, rng, times=199, names=names)
            for name, among in again.strata.items()
        }
        alarms += min(adjusted_p_values(found).values()) < 0.05
    assert alarms <= stats.binom.ppf(0.999, 200, 0.05)


def test_a_released_model_is_one_more_attack(views):
    here = views()
    known = replace(here, pool=replace(here.pool, likelihood=here.pool.member.astype(float)))
    assert unit_attack_names(known) == (*UNIT_MEMBERSHIP_ATTACKS, "likelihood")
    assert (unit_attack_scores(known, RNG(0))[-1] == here.pool.member).all()
    assert len(unit_attack_scores(here, RNG(0))) == len(unit_attack_names(here)) == len(UNIT_MEMBERSHIP_ATTACKS)


def test_equal_values_are_counted_column_by_column(hospital, pool, views):
    here = views(copied=10)
    codes = [np.stack(each, axis=1) for each in zip(*own_codes(here), strict=True)]
    fewest = [
        np.sort((codes[0][:, None, :] != other[None]).mean(axis=2), axis=1)[:, :3].mean(axis=1) for other in codes[1:]
    ]
    eta = max(np.median(fewest[1]) / 100, 1e-6)
    np.testing.assert_allclose(own_row_equal_values(here, RNG(0)), np.log((fewest[1] + eta) / (fewest[0] + eta)))


def of_nobody(member, pair=None):
    return AttackTargets(
        frame=None, unit=np.arange(len(member)), member=member, isolated=member, reference=None, pair=pair
    )


def test_an_informed_attacker_learns_what_scores_mean_and_cheats_with_no_coin():
    member = RNG(0).random(2_000) < 0.5
    told = np.where(member, -1.0, 1.0) + RNG(1).normal(size=2_000)  # members score low: only labels say so
    noise = RNG(2).normal(size=(3, 2_000))
    found = informed_attacker(np.stack([told, *noise]), of_nobody(member), RNG(3))
    assert found.value == pytest.approx(intervals.auc(-told, member), abs=0.01)
    blind = [informed_attacker(noise, of_nobody(RNG(k).random(2_000) < 0.5), RNG(k)).value for k in range(20)]
    assert np.mean(blind) == pytest.approx(0.5, abs=0.01)


def test_what_it_rests_on_is_checked(views):
    here = views(units=240)
    scores = unit_attack_scores(here, RNG(0))
    found = {check.name: check for check in unit_checks(here, scores, RNG(1))}
    assert set(found) == {
        "enough people",
        "no twins across the coin",
        "the holdout was held out",
        "a blind attack finds nothing",
        "copies would be found",
    }
    assert all(check.holds for check in found.values()), found
    few = views(units=60)
    assert not unit_checks(few, unit_attack_scores(few, RNG(0)), RNG(1))[0].holds


def test_pairs_are_asked_whether_their_split_looks_random(clinic):
    data = LinkedEvaluationData(train=clinic(150, 1), holdout=clinic(170, 2), synthetic=clinic(130, 3))
    _, panels = unit_membership(data, RNG(1))
    assert "the split looks random" in {check["name"] for check in panels["membership"]["checks"]}
    assert panels["membership"]["design"] == "pairs"


def test_too_few_people_are_listed_as_not_measured(clinic, compare):
    few = compare(clinic(40, 3), train=clinic(15, 1), holdout=clinic(50, 2))
    with pytest.raises(MetricError, match="risks need 20 people on either side"):
        unit_membership(few, RNG(0))
    found = evaluate_linked(few, quick=True)
    said = {failure.metric: failure.reason for failure in found.failures}
    assert "risks need 20 people on either side" in said["membership"]
    assert not [score for score in found.scores if score.metric.startswith("membership.")]
