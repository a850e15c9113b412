"""Copied people: training units of whom a synthetic row is a copy, compared with held-out units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats as distributions

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.attacks.value_combinations import column_codes
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals
from synthkit.schema.columns import Discrete

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.schema import Schema

COPY_TEST_LEVEL = 0.05
MIN_COMPARED_PEOPLE, FEW_CHANCE_HITS = (
    2,
    10,
)  # people a side; hits by chance below which real people are controls of each other too
WHOLE_ROWS, SIMILAR_ROWS = "whole_rows", "alike_rows"
COLUMN_SETS = {
    WHOLE_ROWS: "all columns",
    SIMILAR_ROWS: "all columns, quantities in twentieths",
    "levels": "all columns of levels",
    "quantities": "all quantities",
    "keys": "the quasi-identifiers",
    "first_half": "the first half of the columns",
    "second_half": "the second half of the columns",
}
FIRST_TEST = (WHOLE_ROWS, "alone")
DISTINCT_PEOPLE = {
    "alone": "who have values nobody else has",
    "apart": "of whom nobody else shares all values but one",
    "all but one": "who share all values but one with nobody else, by those",
}
NO_PROOF_OF_PRIVACY = "What is found is a leak; what is not found is no evidence of privacy"


@dataclass(frozen=True, kw_only=True)
class Hits:
    """People whose values one of the synthetic rows has, among those who could be told by them.

    Args:
        trained: hits among people trained on, and how many of those could be told.
        held: the same of people held out.
        twins: pairs of real people who have the same values and share them with nobody else.
        people: everybody trained on and everybody held out, told or not.
    """

    trained: tuple[int, int]
    held: tuple[int, int]
    twins: int
    people: tuple[int, int]

    @classmethod
    def of(cls, hit: NDArray[np.bool_], distinct: NDArray[np.bool_], trained: NDArray[np.bool_], twins: int) -> Hits:
        """Count. **Shape**: three arrays (m,), one entry a person."""
        sides = [(int((hit & distinct & side).sum()), int((distinct & side).sum())) for side in (trained, ~trained)]
        people = int(trained.sum())
        return cls(trained=sides[0], held=sides[1], twins=twins, people=(people, len(trained) - people))

    def copied(self, level: float, pairs: float) -> intervals.Interval:
        r"""Number of people trained on who are copied, beyond what as many held-out people show.

        Where twins are so seldom that fewer than ten hits are expected by chance, real people are controls of each
        other too: of two who are twins, one would be alone and hit if the other were a synthetic row. Their pairs are
        worth `pairs` people held out, of whom `twins` were hit.

        Args:
            level: chance that the interval misses.
            pairs: R N / 2 s with N people, their R rows, and s synthetic rows.

        References:
            The Population Frequencies of Species and the Estimation of Population Parameters (Good, 1953).
        """
        trained, held = self.people
        if trained * self.twins < FEW_CHANCE_HITS * pairs:
            return copied_people_interval(
                self.trained[0], trained, self.held[0] + self.twins, held + int(pairs), level=level
            )
        return copied_people_interval(*self.trained, *self.held, level=level)


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """Rows of real people and synthetic rows, every cell a random number of 64 bits that stands for its value.

    A set of columns is then one sum a row, and leaving a column out one subtraction.

    Args:
        real: numbers of the real rows by column. **Shape**: each (n,).
        synthetic: numbers of the synthetic rows by column. **Shape**: each (s,).
        unit: (n,) number of each real row's person, 0 to m - 1.
    """

    real: Mapping[str, NDArray[np.uint64]]
    synthetic: Mapping[str, NDArray[np.uint64]]
    unit: NDArray[np.int64]

    def hits(self, names: Sequence[str], trained: NDArray[np.bool_]) -> dict[str, Hits]:
        """Hits by the columns `names`, of three kinds of people: see `DISTINCT_PEOPLE`.

        Who can be told depends on everybody's rows alike, never on who was trained on.
        """
        real, synthetic = (np.sum([side[n] for n in names], axis=0) for side in (self.real, self.synthetic))
        alone, found, twins = self._own(real, synthetic)
        apart, near, by_rest, nearly = alone.copy(), np.zeros_like(alone), np.zeros_like(alone), 0
        for name in names if len(names) > 1 else ():
            own, seen, pairs = self._own(real - self.real[name], synthetic - self.synthetic[name])
            apart &= own
            near |= own & seen
            by_rest |= own
            nearly += pairs
        rows = {"alone": (alone & found, alone), "apart": (apart & found, apart), "all but one": (near, by_rest)}
        people = {
            look: [np.bincount(self.unit[each], minlength=len(trained)) > 0 for each in pair]
            for look, pair in rows.items()
        }
        return {
            look: Hits.of(hit, distinct, trained, nearly if look == "all but one" else twins)
            for look, (hit, distinct) in people.items()
        }

    def _own(
        self, real: NDArray[np.uint64], synthetic: NDArray[np.uint64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], int]:
        """Rows whose values no other person has, rows whose values a synthetic row has, and the number of twins."""
        values, place, rows = np.unique(real, return_inverse=True, return_counts=True)
        first = np.zeros(len(values), dtype=np.int64)
        first[place] = self.unit
        shared = np.zeros(len(values), dtype=bool)
        shared[place[self.unit != first[place]]] = True
        return ~shared[place], np.isin(values, synthetic)[place], int((shared & (rows == 2)).sum())


def count_copied_people(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """People trained on of whom a synthetic row is a copy, beyond what people held out show: all of them, none drawn.

    Looked at are seven sets of columns, and by each the people `DISTINCT_PEOPLE` names: who differs from everybody else
    in it. A hit is a synthetic row with their values. If nobody was copied the hits are spread over people trained on
    and people held out as a random split of all people spreads them; the interval holds what there is against that,
    exactly: see `copied_people_interval`. The intervals hold for all sets and kinds of people together (Bonferroni;
    half of the level goes to whole rows of people who are alone). Most is seen of those who are far from others; copies
    of people whom others share all values with show nowhere, and tell little.

    Raises:
        MetricError: there are fewer than two people on a side.
    """
    frames, trained, unit = _people(comparison)
    sets = _sets(comparison.schema)
    numbered = {alike: _numbered(frames, comparison.schema, unit, alike=alike) for alike in (False, True)}
    found = {name: numbered[name == SIMILAR_ROWS].hits(columns, trained) for name, columns in sets.items()}
    pairs = len(unit) * len(trained) / (2 * len(frames[2]))
    each = _intervals(found, pairs)
    scored = [_score(name, sets[name], found[name], each[name], int(trained.sum())) for name in sets]
    panel = [entry for _, entry in scored]
    return [score for score, _ in scored], {"copying": {"excess": panel}, "people": _people_counts(comparison)}


def copied_people_interval(
    trained_hits: int, trained: int, held_hits: int, held: int, *, level: float = COPY_TEST_LEVEL
) -> intervals.Interval:
    r"""Number c of people trained on who were copied, beyond what chance gives: the inverse of a randomisation test.

    If c of the n people trained on were copied, of the k + h - c other hits among n - c + m people those trained on
    have a hypergeometric number, for who was trained on is chance. The interval holds every c of which both tails are
    above level / 2. The value solves (k - c) / (n - c) = h / m. The upper end is at least what k = 0 leaves open of
    another draw.

    Args:
        trained_hits: k, people trained on of whom a copy is there.
        trained: n, people trained on.
        held_hits: h, people held out of whom a copy is there.
        held: m, people held out.
        level: chance that the interval misses, in (0, 1).

    Raises:
        ValueError: there are more hits than people.

    References:
        On the Interpretation of Chi-Squared from Contingency Tables (Fisher, 1922).

    Example:
        >>> [round(x, 1) for x in copied_people_interval(8, 960, 0, 1_440)]
        [8.0, 4.0, 8.0]
    """
    if not (0 <= trained_hits <= trained and 0 <= held_hits <= held):
        msg = "there must be no more hits than people; however: there are. Count people, not rows"
        raise ValueError(msg)
    c = np.arange(trained_hits + 1)
    law = distributions.hypergeom(trained + held - c, trained_hits + held_hits - c, trained - c)
    possible = c[(law.sf(trained_hits - c - 1) > level / 2) & (law.cdf(trained_hits - c) > level / 2)]
    low, high = (float(possible[0]), float(possible[-1])) if len(possible) else (0.0, 0.0)
    open_still = trained * intervals.clopper_pearson(0, trained, level=1 - level).high
    expected = held_hits / held if held else 1.0
    value = (trained_hits - trained * expected) / (1 - expected) if expected < 1 else 0.0
    high = max(high, open_still)
    return intervals.Interval(min(max(value, low), high), low, high)


def _intervals(found: Mapping[str, Mapping[str, Hits]], pairs: float) -> dict[str, dict[str, intervals.Interval]]:
    """Copied people by set of columns and look; whole rows come first, the others share what is left of the level."""
    others = sum(map(len, found.values())) - 1
    return {
        name: {
            look: hits.copied(
                COPY_TEST_LEVEL / 2 if (name, look) == FIRST_TEST else COPY_TEST_LEVEL / 2 / others, pairs
            )
            for look, hits in looks.items()
        }
        for name, looks in found.items()
    }


def _score(
    name: str, columns: Sequence[str], found: Mapping[str, Hits], each: Mapping[str, intervals.Interval], people: int
) -> tuple[Score, dict[str, JSON]]:
    """The kind of people of whom most copies are proven, as a share of all people trained on."""
    look = max(each, key=lambda k: (each[k].low, each[k].value))
    at, hits = intervals.Interval(*(x / people for x in each[look])), found[look]
    at = intervals.widened_if_flat(at, people, floor=0.0, ceiling=1.0)
    score = Score(
        metric=f"copying.excess.{name}",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=0.0,
        parts={f"{k}, people": interval.value for k, interval in each.items()},
        note=f"Share of the {people:,} people trained on of whom a synthetic row is a copy by {COLUMN_SETS[name]}, "
        "beyond "
        f"what people held out show. Of people {DISTINCT_PEOPLE[look]}, {hits.trained[0]:,} of {hits.trained[1]:,} "
        "trained on "
        f"have one, {hits.held[0]:,} of {hits.held[1]:,} held out. Interval: exact, by throwing again who was trained "
        f"on, for all looks together. {NO_PROOF_OF_PRIVACY}.",
    )
    entry = {"set": name, "columns": list(columns), "look": look, **at._asdict()}
    return score, {**entry, "trained": list(hits.trained), "held": list(hits.held), "people": people}


def _sets(schema: Schema) -> dict[str, tuple[str, ...]]:
    """Columns looked at by name; a set of one column, or of all of them, is none of its own."""
    names = schema.described
    levels = tuple(n for n in names if isinstance(schema.columns[n], Discrete))
    sets = {
        WHOLE_ROWS: names,
        SIMILAR_ROWS: names if len(levels) < len(names) else (),
        "levels": levels,
        "quantities": tuple(n for n in names if n not in levels),
        "keys": tuple(n for n in names if n in schema.quasi_identifiers),
        "first_half": names[: len(names) // 2],
        "second_half": names[len(names) // 2 :],
    }
    whole = {WHOLE_ROWS, SIMILAR_ROWS}
    return {k: v for k, v in sets.items() if k == WHOLE_ROWS or (k in whole and v) or 1 < len(v) < len(names)}


def _people(comparison: EvaluationData) -> tuple[list[pd.DataFrame], NDArray[np.bool_], NDArray[np.int64]]:
    """Training rows, rows of everybody held out, and synthetic rows; who was trained on; the person of every row."""
    held = [comparison.holdout]
    if comparison.pool is not None and comparison.pool.pair is None:  # of pairs the reference is part of the holdout
        held.append(comparison.pool.reference)
    frames = [comparison.train, pd.concat(held, ignore_index=True), comparison.released]
    unit = comparison.schema.unit
    if unit is None or any(unit not in frame for frame in frames[:2]):
        people = np.arange(len(frames[0]) + len(frames[1]))
    else:
        people = pd.factorize(pd.concat([frame[unit] for frame in frames[:2]]), use_na_sentinel=False)[0]
    trained = np.zeros(int(people.max()) + 1, dtype=bool)
    trained[people[: len(frames[0])]] = True
    if min(trained.sum(), (~trained).sum()) < MIN_COMPARED_PEOPLE:
        msg = f"copies are counted beside people held out, {MIN_COMPARED_PEOPLE} a side at least; however: there "
        msg += "are fewer"
        raise MetricError(msg)
    return frames, trained, people.astype(np.int64)


def _numbered(frames: Sequence[pd.DataFrame], schema: Schema, unit: NDArray[np.int64], *, alike: bool) -> Numbered:
    """Cells as random numbers of 64 bits; `alike`: quantities in parts with about equal shares of all real rows."""
    cut_on = pd.concat(frames[:2], ignore_index=True) if alike else None
    real, synthetic = {}, {}
    for k, name in enumerate(schema.described):
        parts = column_codes(frames, schema, name, cut_on)
        one, two, synthetic[name] = (_mixed(part, k) for part in parts)
        real[name] = np.concatenate([one, two])
    return Numbered(real=real, synthetic=synthetic, unit=unit)


def _mixed(codes: NDArray[np.int64], column: int) -> NDArray[np.uint64]:
    """Codes of a column as numbers that look random, of which sums meet by chance once in 2^64.

    References:
        Fast Splittable Pseudorandom Number Generators (Steele, Lea & Flood, 2014), the finaliser.
    """
    z = (codes.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z += np.uint64((column + 1) * 0xD1B54A32D192ED03 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def _people_counts(comparison: EvaluationData) -> dict[str, int]:
    """Number of people by what was done with them."""
    schema, pool = comparison.schema, comparison.pool

    def count(frame: pd.DataFrame) -> int:
        return len(frame) if schema.unit is None or schema.unit not in frame else int(frame[schema.unit].nunique())

    attacked = (0, 0) if pool is None else (int(pool.member.sum()), int((~pool.member).sum()))
    reference = 0 if pool is None else count(pool.reference)
    return {
        "trained_on": count(comparison.train),
        "attacked_trained_on": attacked[0],
        "attacked_held_out": attacked[1],
        "reference": reference,
        "held_out": count(comparison.holdout) + (0 if pool is None or pool.pair is not None else reference),
    }


COPIED_PEOPLE_SPEC = MetricSpec(
    name="copying.excess",
    measure=count_copied_people,
    labels={
        "copying.excess": MetricLabel(
            "People copied",
            "Share of the people trained on of whom a synthetic row is a copy, beyond what people held out show.",
            "share",
        ),
    },
)
