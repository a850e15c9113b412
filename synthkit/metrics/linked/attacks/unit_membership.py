"""Membership inference on units: can an attacker tell whose rows were trained on, all tables taken together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from synthkit.metrics.attacks import preconditions
from synthkit.metrics.attacks.membership_inference import judged_membership
from synthkit.metrics.linked.attacks.unit_membership_scores import (
    CHEAP_UNIT_ATTACKS,
    UNIT_MEMBERSHIP_ATTACKS,
    unit_attack_names,
    unit_attack_scores,
)
from synthkit.metrics.linked.attacks.unit_views import UnitViews
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.attacks.attack_targets import AttackTargets
    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.result import Found
    from synthkit.tables.linked_tables import LinkedTables

TAIL_RANKS = (0.9, 0.97, 0.99)  # from which on a score is looked at by itself


def unit_membership(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Found:
    """Attack every unit in the pool by all its rows; the coins say how much of it is chance.

    What is inferential is what `membership_inference.membership` says of one table: the mean rank of all attacks, fixed
    beforehand, and the best way of guessing few coins with its choice made again for every throw. An attacker who knows
    of others whether they were trained on stands beside it, and decides nothing.

    Args:
        comparison: the tables.
        rng: source of chance.

    Raises:
        MetricError: there are too few people to attack.

    References:
        Steinke, Nasr, Jagielski: Privacy auditing with one (1) training run (2023). Ward, Lin, Wang & Cheng: Finding
        Connections: Membership Inference Attacks for the Multi-Table Synthetic Data Setting (2026), whose databases
        the attacks were tried on.
    """
    views = comparison.views
    scores, people = unit_attack_scores(views, rng), views.people
    names = unit_attack_names(views)
    found, panels = judged_membership(scores, people, lambda: unit_checks(views, scores, rng), rng, names=names)
    return [*found, informed_attacker(scores, people, rng)], panels


def unit_checks(
    views: UnitViews, scores: NDArray[np.float64], rng: np.random.Generator
) -> tuple[preconditions.Precondition, ...]:
    """What must hold before an attack that found nothing means anything; see `attacks.preconditions`.

    Args:
        views: of the people attacked.
        scores: of all attacks. **Shape**: (attacks, m).
        rng: source of chance.
    """
    people, data = views.people, views.aggregates
    found = [preconditions.counts(people), preconditions.twins(data.targets, people, data.schema)]
    if people.design == "pairs":
        found.append(preconditions.looks_random(data, people, rng))
    found += [preconditions.uncontaminated(scores, people, rng), _blind(views, rng), _power(views, scores, rng)]
    return tuple(found)


def informed_attacker(scores: NDArray[np.float64], people: AttackTargets, rng: np.random.Generator) -> Score:
    """AUC of an attacker who knows who of one half of the people was trained on, and is asked about the other half.

    A logistic model of the ranks of all attacks' scores, and of whether they are among the highest, is fitted to one
    half and asked about each person of the other; then the halves change places. Nobody's own coin is known to it.

    Args:
        scores: of all attacks. **Shape**: (attacks, m).
        people: the people attacked.
        rng: source of the halves.
    """
    from sklearn.linear_model import LogisticRegression

    among = np.arange(len(people.member)) if people.pair is None else people.pair
    half = (rng.permutation(int(among.max()) + 1) % 2 == 0)[among]
    ranks = stats.rankdata(scores, axis=1).T / scores.shape[1]
    inputs = np.concatenate([ranks, *(ranks >= tail for tail in TAIL_RANKS)], axis=1)
    said = np.zeros(len(half))
    for side in (half, ~half):
        model = LogisticRegression(max_iter=1_000).fit(inputs[side], people.member[side])
        said[~side] = stats.rankdata(model.decision_function(inputs[~side])) / (~side).sum()
    at = intervals.delong(said, people.member)
    return Score(
        metric="membership.informed.auc",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=0.5,
        note="AUC of an attacker who holds the tables of the owner for one half of the people, learns from them how "
        "attacks score members, and is asked about the others one by one. It decides nothing: no bound is built on it. "
        "Interval: DeLong.",
    )


def _blind(views: UnitViews, rng: np.random.Generator) -> preconditions.Precondition:
    """The same attacks with units of the population in place of the synthetic ones, who give nobody away."""
    reference = views.pool.reference
    order = rng.permutation(len(reference.frames[reference.schema.unit]))
    halves = [reference.take(np.sort(part)) for part in np.array_split(order, 2)]
    blinded = UnitViews(pool=replace(views.pool, reference=halves[1], likelihood=None), released=halves[0], seed=0)
    return preconditions.found_nothing(unit_attack_scores(blinded, rng), views.people, rng)


def _power(views: UnitViews, scores: NDArray[np.float64], rng: np.random.Generator) -> preconditions.Precondition:
    """Whether 20 members copied into the synthetic tables with all their rows would be found."""
    after = views.with_copies(some_members(views, preconditions.PLANTED_COPIES, rng))
    with_copies, names = scores.copy(), unit_attack_names(views)
    for name in CHEAP_UNIT_ATTACKS:
        with_copies[names.index(name)] = UNIT_MEMBERSHIP_ATTACKS[name](after, rng)
    return preconditions.copies_found(with_copies, names, views.people, rng)


def some_members(views: UnitViews, many: int, rng: np.random.Generator) -> LinkedTables:
    """So many members with all their rows, at random."""
    return views.pool.tables.take(np.sort(rng.permutation(np.flatnonzero(views.pool.member))[:many]))


UNIT_MEMBERSHIP_SPEC = LinkedMetricSpec(
    name="membership",
    measure=unit_membership,
    of_all_draws=True,
    labels={
        "membership.informed.auc": MetricLabel(
            "Membership, by an attacker who knows of others (AUC)",
            "The same by somebody who knows of half of the people whether they were trained on; 0.5 is guessing.",
        ),
    },
)
