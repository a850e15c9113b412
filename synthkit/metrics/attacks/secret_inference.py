"""Attacks of attribute inference: a model of the synthetic rows, the most similar row, and a look-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.attacks.value_combinations import combinations
from synthkit.metrics.utility.learners import GRADIENT_BOOSTING, LEARNERS, Learner, LearnerPlan, predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.attacks.secrets import Knowledge, Secret

MAX_SIMILAR_ROWS = 100_000  # rows among which the most similar is sought, all draws together
MAX_FITTED_ROWS = 20_000  # rows a model is fitted to
MAX_POPULATION_ROWS = 5_000  # reference rows the models of the population are fitted to
MAX_SECRET_LEVELS = 12  # levels a model tells apart; it never guesses a rarer one
MAX_TIED_POINTS = 8  # equally similar points that vote
LOOK_UP_BINS = 10
DISTANCE_TOLERANCE = 1e-5  # distances that differ by less are equal


@dataclass(frozen=True)
class SecretGuesses:
    """What is guessed about each person, nan where nothing is, and how sure the guess is. **Shape**: (m,), (m,)."""

    value: NDArray[np.float64]
    sure: NDArray[np.float64]


Attack = Callable[["Knowledge", "Secret", Sequence[pd.DataFrame], np.random.Generator], SecretGuesses]


def predicted_by_model(
    knowledge: Knowledge,
    secret: Secret,
    draws: Sequence[pd.DataFrame],
    rng: np.random.Generator,
    *,
    learner: Learner | None = None,
    most: int = MAX_FITTED_ROWS,
) -> SecretGuesses:
    """What a model fitted to the given rows predicts; gradient boosting unless told otherwise.

    It tells at most 12 levels apart, the most frequent ones. A quantity is fitted with both signs, because boosting
    with levels as inputs takes sides; of it the model is equally sure everywhere.
    """
    rows, people = _known(pd.concat(draws, ignore_index=True), secret), len(knowledge.targets)
    rows = rows.iloc[np.sort(rng.choice(len(rows), most, replace=False))] if len(rows) > most else rows
    y = secret.values(rows)
    kept = _frequent(y, secret.classes) if secret.classes else np.empty(0)
    if secret.classes:
        rows, y = rows.loc[np.isin(y, kept)], np.searchsorted(kept, y[np.isin(y, kept)]).astype(float)
    if len(np.unique(y)) < 2:
        return SecretGuesses(np.full(people, kept[0] if secret.classes else y[0]), np.zeros(people))
    kinds = LEARNERS["classification" if secret.classes else "regression"]
    fitted = learner or next(kind for kind in kinds if kind.name == GRADIENT_BOOSTING)
    seed = int(rng.integers(2**31))

    def fit(target: NDArray[np.float64]) -> NDArray[np.float64]:
        tests, again = [knowledge.targets], np.random.default_rng(seed)
        return predictions(fitted, rows, target, tests, knowledge.schema, knowledge.names, len(kept), again)[0]

    if secret.classes:
        out = fit(y)
        return SecretGuesses(kept[out.argmax(axis=1)], out.max(axis=1))
    return SecretGuesses((fit(y)[:, 0] - fit(-y)[:, 0]) / 2, np.zeros(people))


def most_similar(
    knowledge: Knowledge, secret: Secret, draws: Sequence[pd.DataFrame], rng: np.random.Generator
) -> SecretGuesses:
    """The secret of the most similar row of each draw; equally similar rows and draws vote, the closest is surest.

    Of a quantity the vote is the median. The frequency of a level decides an equal vote.
    """
    most = MAX_SIMILAR_ROWS // len(draws)
    values, weights, near = [], [], []
    for draw in draws:
        rows = _known(draw, secret)
        rows = rows.iloc[np.sort(rng.choice(len(rows), most, replace=False))] if len(rows) > most else rows
        if not len(rows):
            continue
        y = secret.values(rows)
        points, place = distinct_points(knowledge.space.coordinates(rows))
        typical, weight, size = _of_points(y, place, len(points), secret)
        distance, who = knowledge.space.nearest(knowledge.at, points, min(MAX_TIED_POINTS, len(points)))
        tied = distance <= distance[:, :1] + DISTANCE_TOLERANCE
        votes, everybody = (np.where(tied, each[who], 0.0) for each in (weight, size))
        values.append(np.where(tied, typical[who], np.nan))
        weights.append(votes / everybody.sum(axis=1, keepdims=True))
        near.append(distance[:, 0].astype(float))
    value, weight = np.concatenate(values, axis=1), np.concatenate(weights, axis=1)
    distance = np.stack(near).mean(axis=0)
    if secret.classes:
        people = np.repeat(np.arange(len(value)), value.shape[1])
        here = ~np.isnan(value.ravel())
        chosen, won = _elect(people[here], value.ravel()[here], weight.ravel()[here], len(value), secret.classes)
    else:
        chosen, won = np.nanmedian(value, axis=1), np.zeros(len(value))
    return SecretGuesses(chosen, _ranked(-np.round(distance, 5), np.round(won / len(near), 5)))


def look_up(
    knowledge: Knowledge, secret: Secret, draws: Sequence[pd.DataFrame], rng: np.random.Generator
) -> SecretGuesses:
    """The secret all rows with a person's values agree on, quantities cut into tenths; no guess where they do not.

    Quantities agree if they lie no further apart than a guess may be off. More rows are surer.
    """
    rows = _known(pd.concat(draws, ignore_index=True), secret)
    frames = [rows[list(knowledge.names)], knowledge.targets]
    cut_on = pd.concat([knowledge.reference, knowledge.targets], ignore_index=True)
    theirs, ours = combinations(frames, knowledge.schema, knowledge.names, cut_on, LOOK_UP_BINS)
    seen = pd.Series(secret.values(rows)).groupby(theirs).agg(["min", "max", "size"])
    found = seen.reindex(ours)
    low, high, size = (found[c].to_numpy(dtype=float) for c in ("min", "max", "size"))
    with np.errstate(invalid="ignore"):
        agreed = high - low <= secret.tolerance
    return SecretGuesses(np.where(agreed, (low + high) / 2, np.nan), np.where(agreed, size, -np.inf))


SECRET_ATTACKS: Mapping[str, Attack] = {
    "gradient boosting": predicted_by_model,
    "most similar row": most_similar,
    "look-up": look_up,
}


def population_guesses(knowledge: Knowledge, secret: Secret, rng: np.random.Generator) -> dict[str, SecretGuesses]:
    """What models of people who were neither trained on nor attacked guess: knowledge of the world, and no disclosure.

    Linear model, random forest and gradient boosting, and the most similar person, so that whatever makes a
    guess sure there makes it sure here.
    """
    rows = knowledge.reference
    kinds = LEARNERS["classification" if secret.classes else "regression"]
    learners = [k for k in kinds if k.name in (GRADIENT_BOOSTING, "logistic regression", "ridge regression")]
    learners.append(Learner(name="random forest", make=_forest(bool(secret.classes)), is_probabilistic=True))
    found = {
        each.name: predicted_by_model(knowledge, secret, [rows], rng, learner=each, most=MAX_POPULATION_ROWS)
        for each in learners
    }
    return {**found, "most similar row": most_similar(knowledge, secret, [rows], rng)}


def most_frequent_value(knowledge: Knowledge, secret: Secret) -> float:
    """The guess of somebody who knows nothing of a person: most frequent level, or median, of the reference."""
    y = secret.values(_known(knowledge.reference, secret))
    return float(np.bincount(y.astype(int)).argmax()) if secret.classes else float(np.median(y))


def _forest(is_level: bool) -> Callable[[LearnerPlan], object]:
    def make(plan: LearnerPlan) -> object:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestClassifier if is_level else RandomForestRegressor
        return kind(n_estimators=50, min_samples_leaf=2, max_features="sqrt", random_state=plan.seed)

    return make


def _known(frame: pd.DataFrame, secret: Secret) -> pd.DataFrame:
    return frame.loc[frame[secret.name].notna().to_numpy()]


def _frequent(y: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    counts = np.bincount(y.astype(int), minlength=classes)
    kept = np.argsort(-counts, kind="stable")[:MAX_SECRET_LEVELS]
    return np.sort(kept[counts[kept] > 0]).astype(float)


def distinct_points(at: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Different points, and the place of each row among them. **Shape**: (n, d) -> (p, d), (n,)."""
    whole = np.ascontiguousarray(at + np.float32(0))
    _, first, place = np.unique(
        whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel(),
        return_index=True,
        return_inverse=True,
    )
    return at[first], place.astype(np.int64)


def _of_points(
    y: NDArray[np.float64], place: NDArray[np.int64], points: int, secret: Secret
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Secret most rows at a point have, or their median; rows that have it; all rows. **Shape**: (n,) -> (p,) each."""
    size = np.bincount(place, minlength=points).astype(float)
    if not secret.classes:
        return np.asarray(pd.Series(y).groupby(place).median(), dtype=np.float64), size, size
    chosen, votes = _elect(place, y, np.ones(len(y)), points, secret.classes)
    return chosen, votes, size


def _elect(
    voter: NDArray[np.int64], choice: NDArray[np.float64], weight: NDArray[np.float64], voters: int, classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Choice with the largest weight for each of `voters`, and that weight; of equal ones the more frequent.

    **Shape**: three of (n,) -> (voters,), (voters,).
    """
    ballots, place = np.unique(voter * classes + choice.astype(np.int64), return_inverse=True)
    sums = np.bincount(place, weights=weight).astype(float)
    common = np.bincount(choice.astype(np.int64), minlength=classes)
    who, what = np.divmod(ballots, classes)
    order = np.lexsort((common[what], np.round(sums, 9), who))
    last = np.append(who[order][1:] != who[order][:-1], True)
    winner, won = np.full(voters, np.nan), np.zeros(voters)
    winner[who[order][last]] = what[order][last].astype(float)
    won[who[order][last]] = sums[order][last]
    return winner, won


def _ranked(first: NDArray[np.float64], then: NDArray[np.float64]) -> NDArray[np.float64]:
    """One number that orders by `first`, and by `then` where those are equal; equal ones stay equal."""
    pairs = np.stack([first, then], axis=1)
    return np.unique(pairs, axis=0, return_inverse=True)[1].ravel().astype(float)
