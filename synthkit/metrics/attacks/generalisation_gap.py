"""Generalisation gap: how much nearer synthetic rows lie to the rows that were trained on than to rows held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.fidelity.distributions import unit_codes
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.binning import Binning, cells, combined, tuples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData

EXCHANGED_GROUPS = 20  # of people a side, which are exchanged whole
EXCHANGES = 400  # ways of dealing the groups to two sides that are looked at
MAX_GAP_ROWS, MAX_GAP_DRAWS, MAX_GAP_TABLES = 20_000, 3, 300  # rows of each part, draws, and tables of k columns
WAYS = {2: "two-way", 3: "three-way"}


@dataclass(frozen=True, kw_only=True)
class EqualParts:
    """Synthetic, training and holdout rows, equally many of each, as codes in cuts that favour none of the real sides.

    **Shape**: draws (d, n) each; real (d, m), the training rows first; groups (m,), those of the training rows below
    `EXCHANGED_GROUPS`, those of the holdout from there on.
    """

    draws: tuple[NDArray[np.intp], ...]
    real: NDArray[np.intp]
    groups: NDArray[np.intp]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, comparison: EvaluationData, rng: np.random.Generator) -> EqualParts:
        """Random rows of each part, whole units where units are declared.

        The cuts are those of training and holdout rows together: where cuts follow one side, the two sides cannot be
        exchanged.

        Raises:
            MetricError: there are fewer people on a side than groups.
        """
        unit, tested = comparison.schema.unit, comparison.synthetic[:MAX_GAP_DRAWS]
        rows = min(MAX_GAP_ROWS, *map(len, (comparison.train, comparison.holdout, *tested)))
        sides = [_cut(frame, unit, rows, rng) for frame in (comparison.train, comparison.holdout)]
        people = min(int(units.max()) + 1 for _, units in sides)
        if people < EXCHANGED_GROUPS:
            msg = f"a generalisation gap needs {EXCHANGED_GROUPS} people trained on and as many held out; however: "
            raise MetricError(f"{msg}the smaller side has {people}. Hold more out")
        groups = [_grouped(units, rng) + k * EXCHANGED_GROUPS for k, (_, units) in enumerate(sides)]
        real = pd.concat([frame[list(comparison.schema.described)] for frame, _ in sides], ignore_index=True)
        binning = Binning.fit(real, comparison.schema)
        return cls(
            draws=tuple(binning.codes(_cut(draw, unit, rows, rng)[0]) for draw in tested),
            real=binning.codes(real),
            groups=np.concatenate(groups),
            sizes=binning.sizes,
        )


@dataclass(frozen=True, kw_only=True)
class LikenessGap:
    """Mean similarities over tables, and the gaps when people are exchanged between both real sides.

    **Shape**: exchanged (exchanges,).
    """

    train: float
    holdout: float
    floor: float
    exchanged: NDArray[np.float64]

    @property
    def value(self) -> float:
        """(s~t - t~h) - (s~h - t~h): what the training rows are nearer than the holdout is, beyond what real rows are.

        At equal sizes the floor cancels.
        """
        return (self.train - self.floor) - (self.holdout - self.floor)

    @property
    def interval(self) -> intervals.Interval:
        """The gap less and plus what 95 % of the exchanges reach, so that it holds nought unless chance is unlikely."""
        reach = float(np.quantile(np.abs([self.value, *self.exchanged]), 0.95, method="inverted_cdf"))
        return intervals.Interval(self.value, self.value - reach, self.value + reach)

    @property
    def p(self) -> float:
        """Probability of a gap as large, either way, if it did not matter who was trained on."""
        as_large = np.abs(self.exchanged) >= abs(self.value) - 1e-12
        return float((1 + as_large.sum()) / (1 + len(self.exchanged)))


def generalisation_gap(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """How much nearer the synthetic rows' tables are to the training rows' than to the holdout's, all of one size.

    Rows that were learned from and rows that were not are equally near to a model that has learned the law and not its
    sample. With similarity 1 - mean total variation over tables of k columns, s~t of synthetic to training rows, s~h of
    synthetic to holdout rows and t~h of training to holdout rows:

    G_k = (s~t - t~h) - (s~h - t~h), k = 2, 3

    If nothing was copied, people trained on and people held out can be exchanged: twenty random groups of either side
    are dealt to two sides 400 times, and the gap between these says what chance alone shows.

    Raises:
        MetricError: there are fewer than 20 people on a side.

    References:
        Holdout-Based Empirical Assessment of Mixed-Type Synthetic Data (Platzer & Reutterer, 2021); Significance Tests
        which May Be Applied to Samples from Any Populations (Pitman, 1937), exchanges.
    """
    columns = len(comparison.schema.described)
    ways = [k for k in WAYS if k <= columns]
    if not ways:
        return [], {}
    parts = EqualParts.of(comparison, rng)
    dealt = _dealt(rng)
    chosen = {k: tuples(columns, k, MAX_GAP_TABLES, rng, drawn=MAX_GAP_TABLES) for k in ways}
    found = {k: _gap(parts, chosen[k], dealt) for k in ways}
    rows = parts.real.shape[1] // 2
    scores = [_score(k, gap, rows, len(chosen[k])) for k, gap in found.items()]
    lines: list[JSON] = [
        {
            "ways": k,
            "train": gap.train,
            "holdout": gap.holdout,
            "floor": gap.floor,
            "gap": score.value,
            "low": score.low,
            "high": score.high,
            "p": gap.p,
        }
        for score, (k, gap) in zip(scores, found.items(), strict=True)
    ]
    return scores, {"generalisation": {"rows": rows, "gaps": lines}}


def _score(k: int, gap: LikenessGap, rows: int, tables: int) -> Score:
    at = intervals.widened_if_flat(gap.interval, rows, floor=-1.0, ceiling=1.0)
    return Score(
        metric=f"membership.generalisation_gap_tv{k}",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=0.0,
        parts={
            "synthetic to training": gap.train,
            "synthetic to holdout": gap.holdout,
            "training to holdout": gap.floor,
            "p": gap.p,
            "rows": rows,
        },
        note=f"Similarity of {tables:,} {WAYS[k]} tables (1 - mean TV) to the training rows less that to the holdout, "
        f"about {rows:,} rows of each; real rows that nobody learned from show 0. Interval: exchange of people between "
        f"training rows and holdout, {EXCHANGES} times in {EXCHANGED_GROUPS} groups a side.",
    )


def _gap(parts: EqualParts, chosen: Sequence[tuple[int, ...]], dealt: NDArray[np.float64]) -> LikenessGap:
    """The gap over some tables, mean over the draws; the first way of dealing is the one that was."""
    gaps, similar = np.zeros(len(dealt)), np.zeros(3)
    for table in chosen:
        size = cells(parts.sizes, table)
        made = [np.bincount(combined(draw, parts.sizes, table), minlength=size) / draw.shape[1] for draw in parts.draws]
        cell = parts.groups * size + combined(parts.real, parts.sizes, table)
        every = np.bincount(cell, minlength=dealt.shape[1] * size).reshape(-1, size)
        seen = np.flatnonzero(every.any(axis=0))
        counts = every[:, seen].astype(float)
        train, rest = _shares(dealt, counts), _shares(1 - dealt, counts)
        similar[2] += 1 - np.abs(train[0] - rest[0]).sum() / 2
        for shares in made:
            unseen = 1 - shares[seen].sum()  # rows where no real row is are as far from both sides
            near, far = (1 - (np.abs(shares[seen] - side).sum(axis=1) + unseen) / 2 for side in (train, rest))
            gaps += (near - far) / len(made)
            similar[:2] += np.array([near[0], far[0]]) / len(made)
    gaps, similar = gaps / len(chosen), similar / len(chosen)
    return LikenessGap(
        train=float(similar[0]), holdout=float(similar[1]), floor=float(similar[2]), exchanged=np.asarray(gaps[1:])
    )


def _shares(dealt: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of cells on one side, for each way of dealing. **Shape**: (ways, groups), (groups, cells)."""
    sums = dealt @ counts
    return np.asarray(sums / sums.sum(axis=1, keepdims=True))


def _dealt(rng: np.random.Generator) -> NDArray[np.float64]:
    """Who is on the first side: as it was, then half of all groups at random. **Shape**: (1 + EXCHANGES, groups)."""
    groups = 2 * EXCHANGED_GROUPS
    order = rng.random((EXCHANGES, groups)).argsort(axis=1)
    return np.concatenate([[np.arange(groups) < EXCHANGED_GROUPS], order < EXCHANGED_GROUPS]).astype(float)


def _cut(
    frame: pd.DataFrame, unit: str | None, rows: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Random units of a table with about so many rows, no more; and the unit of each row, numbered without gaps."""
    units = unit_codes(frame, unit)
    units = np.arange(len(frame)) if units is None else units
    if len(frame) > rows:
        held = np.bincount(units)
        order = rng.permutation(len(held))
        kept = order[: max(1, int(np.searchsorted(np.cumsum(held[order]), rows, side="right")))]
        among = np.flatnonzero(np.isin(units, kept))
        frame, units = frame.iloc[among], np.unique(units[among], return_inverse=True)[1]
    return frame, units


def _grouped(units: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """A group for each row, units at random and whole."""
    return np.asarray(rng.permutation(np.arange(units.max() + 1) % EXCHANGED_GROUPS)[units])


GENERALISATION_GAP_SPEC = MetricSpec(
    name="membership.generalisation_gap",
    measure=generalisation_gap,
    labels={
        "membership.generalisation_gap_tv2": MetricLabel(
            "Generalisation gap, two-way tables",
            "How much nearer two-way tables are to rows trained on than to rows held out; 0 is no copying.",
        ),
        "membership.generalisation_gap_tv3": MetricLabel(
            "Generalisation gap, three-way tables",
            "How much nearer three-way tables are to rows trained on than to rows held out; 0 is no copying.",
        ),
    },
)
