"""Meaningful identity disclosure: people matched in a population of known counts, of whom something new is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthkit.errors import MetricError
from synthkit.metrics.attacks.population import PEOPLE_COLUMN, Population
from synthkit.metrics.attacks.value_combinations import combinations, times
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats.binning import numbers
from synthkit.metrics.stats.intervals import Interval, normal_interval
from synthkit.schema.columns import Discrete, level_keys

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from synthkit.schema import Schema

COMMON_LEVEL_SHARE = 0.5  # a level held by more than this share of the people is no news
NEAR_DEVIATIONS = 1.48  # median absolute deviations within which a quantity counts as told
MIN_LEARNED_SHARE = 0.05  # share of the secrets that must be told
HEALTH_DATA_THRESHOLD = 0.09  # that health data are commonly held to


class Matched(NamedTuple):
    """What each person adds: n / (f N) for a match in the sample, 1 / F for one in the population, 0 without one."""

    sample: NDArray[np.float64]
    population: NDArray[np.float64]

    @property
    def at(self) -> Interval:
        """The larger of the two means with its normal 95 % interval."""
        worst = max(self, key=lambda each: float(each.mean()))
        return normal_interval(float(worst.mean()), float(worst.std()) / len(worst) ** 0.5, floor=0.0)


def learns_something(
    comparison: EvaluationData, people: pd.DataFrame, rows: pd.DataFrame, matched: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Whether the synthetic row each person is matched to tells something of them that is not so of most people.

    A level must be equal and held by at most half of the people, a quantity within 1.48 median absolute deviations;
    a twentieth of the secrets is enough, of all other columns where the schema declares none.

    **Shape**: n people, s rows, (n,) row of each person -> (n,).
    """
    schema = comparison.schema
    names = [name for name in schema.secrets if name in schema.described] or list(schema.described)
    names = [name for name in names if name not in schema.quasi_identifiers]
    count = np.zeros(len(people))
    for name in names:
        if isinstance(schema.columns[name], Discrete):
            mine, synthetic = (np.asarray(level_keys(frame[name]), dtype=object) for frame in (people, rows))
            level, code = np.unique(mine.astype(str), return_inverse=True)
            common = np.bincount(code, minlength=len(level))[code] / len(mine)
            count += (mine == synthetic[matched]) & (common <= COMMON_LEVEL_SHARE)
        else:
            x, y = numbers(people[name]), numbers(rows[name])[matched]
            spread = np.nanmedian(np.abs(x - np.nanmedian(x))) if (~np.isnan(x)).any() else np.nan
            count += np.abs(x - y) <= NEAR_DEVIATIONS * spread
    return np.asarray(count >= max(1.0, MIN_LEARNED_SHARE * len(names)) if names else np.zeros(len(people), dtype=bool))


def population_matches(
    comparison: EvaluationData, people: pd.DataFrame, population: Population, rng: np.random.Generator
) -> Matched:
    """What each of the people adds to the mean risk; one of the rows with their quasi-identifiers at random.

    Raises:
        MetricError: people of the sample are not among the population, or are more than it has.
    """
    schema, rows = comparison.schema, comparison.released
    rows = rows.iloc[rng.permutation(len(rows))]
    keys = [name for name in schema.described if name in schema.quasi_identifiers]
    frames = [people, rows, population.frame]
    ours, theirs, everybody = combinations(frames, schema, keys, comparison.attacked.reference)
    held = np.bincount(everybody, weights=population.frame[PEOPLE_COLUMN], minlength=int(ours.max()) + 1)[ours]
    alike = times(ours, ours)
    lacking = int((held < alike).sum())
    if lacking:
        msg = f"a population must hold the sample; however: {lacking:,} of {len(ours):,} people share their "
        raise MetricError(msg + "quasi-identifiers with more people of the sample than of the population. Check counts")
    first = np.full(max(int(theirs.max()), int(ours.max())) + 1, -1)
    first[theirs[::-1]] = np.arange(len(theirs))[::-1]
    found = first[ours]
    counted = (found >= 0) & learns_something(comparison, people, rows, np.maximum(found, 0))
    return Matched(counted * len(ours) / (alike * population.size), counted / np.maximum(held, 1))


def one_row_each(frame: pd.DataFrame, schema: Schema, rng: np.random.Generator) -> pd.DataFrame:
    """One random row of each unit; all rows where a row is one. **Shape**: rows -> units."""
    if schema.unit is None:
        return frame
    return frame.iloc[rng.permutation(len(frame))].drop_duplicates(schema.unit)


def meaningful(comparison: EvaluationData, population: Population, rng: np.random.Generator) -> Scored:
    r"""Mean chance that a person is matched to the population and something new is learned of them.

    $\max(\frac{1}{N} \sum_s \frac{1}{f_s} I_s R_s, \; \frac{1}{n} \sum_s \frac{1}{F_s} I_s R_s)$ over n people trained
    on: f people of the sample and F of the population N who share the quasi-identifiers of s, I whether a synthetic row
    has them, R whether it tells a secret. All matches are taken for right. The reference is the second mean of the
    people of the holdout, who were not trained on. One random row stands for a unit.

    Raises:
        MetricError: the population does not hold the sample.

    References:
        Evaluating Identity Disclosure Risk in Fully Synthetic Health Data (El Emam, Mosquera & Bass, 2020).
    """
    schema = comparison.schema
    inside, outside = (
        population_matches(comparison, one_row_each(frame, schema, rng), population, rng)
        for frame in (comparison.train, comparison.holdout)
    )
    at, reference = inside.at, float(outside.population.mean())
    note = f"Mean chance that a person trained on is matched in a population of {population.size:,.0f} and a secret "
    note += f"is told; {HEALTH_DATA_THRESHOLD} is a common limit for health data. The reference is of people not "
    note += "trained on."
    score = Score(
        metric="identity.meaningful",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=reference,
        parts={"population": population.size},
        note=note,
    )
    return [score], {**at._asdict(), "reference": reference, "population": population.size}


MEANINGFUL_LABELS = {
    "identity.meaningful": MetricLabel(
        "Meaningful identity disclosure",
        "Chance that a person is matched in the population and a secret is told.",
        "share",
    ),
}
