"""Membership attacks on units: scores of people from views of all their rows, everybody treated alike.

Each gives a score a unit, higher for members. None is trained on labels of membership.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.attacks import membership_scores as of_rows
from synthkit.metrics.attacks.value_combinations import column_codes, joint, times
from synthkit.metrics.linked.attacks.known_events import known_event_scores
from synthkit.metrics.linked.attacks.longest_runs import longest_run_scores
from synthkit.metrics.linked.attacks.rare_events import rare_event_scores
from synthkit.metrics.stats.binning import tuples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.attacks.unit_views import UnitViews

UnitAttack = Callable[["UnitViews", np.random.Generator], "NDArray[np.float64]"]
FOREST_TREES = 300
MAX_RARE_COMBINATIONS = 600  # pairs, and triples, of columns looked at
_HELD_DIFFERENCES = 1 << 24


def profile_distance(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """How near the nearest synthetic unit is by the shares of values in all tables."""
    return of_rows.distance(views.profiles, rng)


def relative_profile_distance(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """The same against what the population explains; see `membership_scores.relative_distance`."""
    return of_rows.relative_distance(views.profiles, rng)


def profile_density(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """Log-odds of synthetic among the 20 units nearest by profiles; see `membership_scores.density`."""
    return of_rows.density(views.profiles, rng)


def relative_aggregate_distance(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """How near the nearest synthetic unit is by the ranks of all aggregates, against what the population explains."""
    return of_rows.relative_distance(views.aggregates, rng)


def aggregate_classifier(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """Log-odds of being synthetic rather than of the population, by boosted trees that see all aggregates."""
    return of_rows.classifier(views.aggregates, rng)


def own_row_distance(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """How near the nearest synthetic unit is by its own row; of units without one to speak of, by all aggregates."""
    return of_rows.distance(views.own, rng)


def relative_own_row_distance(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """The same against what the population explains."""
    return of_rows.relative_distance(views.own, rng)


def own_row_forest(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """Share of trees, grown to the last leaf, that say synthetic rather than of the population, by a unit's own row.

    Leaves hold single rows, so that a copied row is recognised, where boosted trees smooth it away.

    References:
        Extremely Randomized Trees (Geurts, Ernst & Wehenkel, 2006).
    """
    from sklearn.ensemble import ExtraTreesClassifier

    data = views.own
    x = [data.space.coordinates(frame) for frame in (data.reference, data.synthetic, data.targets)]
    forest = ExtraTreesClassifier(FOREST_TREES, random_state=int(rng.integers(2**31)))
    forest.fit(np.concatenate(x[:2]), np.repeat([0, 1], [len(each) for each in x[:2]]))
    return np.asarray(forest.predict_proba(x[2])[:, 1])


def own_row_equal_values(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """Columns of a unit's own row in which the three nearest synthetic units differ, against the population."""
    codes = [np.stack(each, axis=1) for each in zip(*own_codes(views), strict=True)]
    drawn, known = (_fewest_differences(codes[0], each).mean(axis=1) for each in codes[1:])
    eta = max(float(np.median(known)) / 100, 1e-6)
    return np.asarray(np.log(known + eta) - np.log(drawn + eta))


def own_row_rare_values(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    r"""How much of what is rare about a unit's own row occurs, exactly, among synthetic units.

    Over values, pairs and triples of columns the sum of $\log (N / c)$ of those combinations that $c \le 2$ of all $N$
    people attacked and of the reference have, and at least one synthetic unit. Of more than 600 triples as many.
    """
    codes = own_codes(views)
    score = np.zeros(len(codes[0][0]))
    for size in (1, 2, 3):
        for chosen in tuples(len(codes), size, MAX_RARE_COMBINATIONS, rng, drawn=MAX_RARE_COMBINATIONS):
            targets, drawn, known = joint([codes[c] for c in chosen])
            people = np.concatenate([targets, known])
            count, shown = times(targets, people), times(targets, drawn) > 0
            score += np.where(shown & (count <= of_rows.RARE_COMBINATION_COUNT), np.log(len(people) / count), 0.0)
    return score


def own_codes(views: UnitViews) -> list[list[NDArray[np.int64]]]:
    """Exact values of each own column as numbers, of the people attacked, synthetic units and the reference."""
    data = views.own
    frames = [data.targets, data.synthetic, data.reference]
    return [column_codes(frames, data.schema, name) for name in data.schema.described]


def _fewest_differences(targets: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of columns that differ of the three others that differ least. **Shape**: (m, d), (s, d) -> (m, 3 or s)."""
    near = np.zeros((len(targets), min(3, len(others))), dtype=np.float64)
    step = max(1, _HELD_DIFFERENCES // max(len(others), 1))
    for start in range(0, len(targets), step):
        differ = np.zeros((len(targets[start : start + step]), len(others)), dtype=np.float32)
        for mine, theirs in zip(targets[start : start + step].T, others.T, strict=True):
            differ += mine[:, None] != theirs[None, :]
        near[start : start + step] = np.partition(differ, near.shape[1] - 1, axis=1)[:, : near.shape[1]]
    return np.asarray(near / max(targets.shape[1], 1), dtype=np.float64)


def known_events(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """How many of five known events of a person one synthetic unit has; see `known_event_scores`."""
    side = views.sides
    return known_event_scores(side["targets"], side["synthetic"], side["reference"], rng)


def longest_run(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """How long a run of equal events a person shares with a synthetic unit; see `longest_run_scores`."""
    side = views.sides
    return longest_run_scores(side["targets"], side["synthetic"], side["reference"], rng)


def rare_events(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """What of a person's rows hardly anybody has and one synthetic unit has too; see `rare_event_scores`."""
    side = views.sides
    return rare_event_scores(side["targets"], side["synthetic"], side["reference"])


UNIT_MEMBERSHIP_ATTACKS: Mapping[str, UnitAttack] = {
    "profile distance": profile_distance,
    "relative profile distance": relative_profile_distance,
    "profile density": profile_density,
    "relative aggregate distance": relative_aggregate_distance,
    "aggregate classifier": aggregate_classifier,
    "own row, distance": own_row_distance,
    "own row, relative distance": relative_own_row_distance,
    "own row, forest": own_row_forest,
    "own row, equal values": own_row_equal_values,
    "own row, rare values": own_row_rare_values,
    "known events": known_events,
    "longest run": longest_run,
    "rare events": rare_events,
}
FITTED_UNIT_ATTACKS = ("aggregate classifier", "own row, forest")
CHEAP_UNIT_ATTACKS = tuple(name for name in UNIT_MEMBERSHIP_ATTACKS if name not in FITTED_UNIT_ATTACKS)


def unit_attack_scores(views: UnitViews, rng: np.random.Generator) -> NDArray[np.float64]:
    """Scores of every attack, that by the model's likelihood among them if it is released. **Shape**: (attacks, m)."""
    scores = [attack(views, rng) for attack in UNIT_MEMBERSHIP_ATTACKS.values()]
    if views.pool.likelihood is not None:
        scores.append(views.pool.likelihood)
    return np.array(scores)


def unit_attack_names(views: UnitViews) -> tuple[str, ...]:
    """Names of those attacks, in their order."""
    last = () if views.pool.likelihood is None else ("likelihood",)
    return (*UNIT_MEMBERSHIP_ATTACKS, *last)
