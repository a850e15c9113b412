"""Columns and pairs of columns that give synthetic rows away: AUC of a classifier that sees nothing else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats as distributions

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.fidelity.classifier_two_sample import (
    DETECTION_FOLDS,
    MAX_DETECTED_DRAWS,
    MAX_DETECTION_ROWS,
    unit_folds,
)
from synthkit.metrics.fidelity.distributions import MAX_EXHAUSTIVE_PAIRS
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.binning import Binning
from synthkit.metrics.stats.likelihood_ratio import CellAuc, cell_auc, left_shares, together, variance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData

FINE_CODES, COARSE_CODES = 32, 8  # of a column: where pairs are measured, and where very many are screened
SPARE_CODES = 4  # those for other, missing and unknown cells, and one bin or level more than asked for
SCREENED_PAIRS = 300  # that are measured, of either comparison, where there are too many to measure all
SHOWN_TELLING = 20  # columns, and pairs
TABLES_AT_ONCE = 64  # so many tables of 1,024 cells are held at a time
Pair = tuple[int, int]
Counts = tuple["NDArray[np.float64]", "NDArray[np.float64]"]  # rows of either table by fold and cell


@dataclass(frozen=True)
class CodedRows:
    """Rows as codes, each in a fold. **Shape**: codes (d, n), folds (n,)."""

    codes: NDArray[np.intp]
    folds: NDArray[np.intp]

    def counts(self, cells: Sequence[NDArray[np.intp]], size: int) -> NDArray[np.float64]:
        """Rows by fold and cell, for each way to tell a row's cell. **Shape**: p of (n,) -> (p, folds, size)."""
        first = self.folds * size
        found = [np.bincount(first + cell, minlength=DETECTION_FOLDS * size) for cell in cells]
        return np.array(found, dtype=float).reshape(len(found), DETECTION_FOLDS, size)


@dataclass(frozen=True)
class TwoTables:
    """Synthetic and real rows, all codes below `size`; of the reference, training rows in place of the synthetic."""

    left: CodedRows
    right: CodedRows
    size: int

    def of_columns(self) -> Counts:
        """Counts by code of each column. **Shape**: (d, folds, size) each."""
        left, right = (rows.counts(list(rows.codes), self.size) for rows in (self.left, self.right))
        return left, right

    def of_pairs(self, chosen: Sequence[Pair]) -> Counts:
        """Counts by cell of each pair of columns. **Shape**: (p, folds, size²) each."""
        left, right = (
            rows.counts([rows.codes[i] * self.size + rows.codes[j] for i, j in chosen], self.size**2)
            for rows in (self.left, self.right)
        )
        return left, right


@dataclass(frozen=True)
class ColumnAucs:
    """What single columns tell. **Shape**: se (d,), shares (d, folds, size)."""

    found: CellAuc
    shares: NDArray[np.float64]
    se: NDArray[np.float64]

    @classmethod
    def of(cls, tables: TwoTables) -> ColumnAucs:
        """AUC of the likelihood ratio of each column, with its standard error."""
        counts = tables.of_columns()
        shares = left_shares(*counts)
        found = cell_auc(*counts, shares)
        return cls(found, shares, np.sqrt(variance(*counts, found.above, found.below)))


@dataclass(frozen=True)
class PairGains:
    """What pairs of columns tell beyond the better of the two. **Shape**: (p,) each."""

    auc: NDArray[np.float64]
    single: NDArray[np.float64]
    se: NDArray[np.float64]

    @property
    def gain(self) -> NDArray[np.float64]:
        """AUC of both columns less that of the better one."""
        return self.auc - self.single

    @classmethod
    def of(cls, tables: TwoTables, chosen: Sequence[Pair]) -> PairGains:
        """Gains of some pairs: exact, from one table of counts a pair."""
        alone = ColumnAucs.of(tables)
        parts = [_gains(tables, chosen[k : k + TABLES_AT_ONCE], alone) for k in range(0, len(chosen), TABLES_AT_ONCE)]
        return cls(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _gains(tables: TwoTables, chosen: Sequence[Pair], alone: ColumnAucs) -> tuple[NDArray[np.float64], ...]:
    counts, (first, second) = tables.of_pairs(chosen), np.array(chosen).T
    scores = left_shares(*counts, together(alone.shares[first], alone.shares[second]))
    both, auc = cell_auc(*counts, scores), alone.found.auc
    better = np.where(auc[first] >= auc[second], first, second)
    is_first = (better == first)[:, None, None, None]
    contributions = []
    for ours, theirs in ((both.above, alone.found.above), (both.below, alone.found.below)):
        of_better = np.where(is_first, theirs[better][..., :, None], theirs[better][..., None, :])
        contributions.append(ours - of_better.reshape(ours.shape))
    return both.auc, auc[better], np.sqrt(variance(*counts, contributions[0], contributions[1]))


def telling_pairs(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """How well one column, and two beyond the better of them, tell synthetic rows from holdout rows.

    Columns are cut into at most 32 codes, once for all tables. A classifier sees one code, or two, and scores a row by
    the likelihood ratio of its cell, estimated in two of three folds and judged in the third; few rows of a cell are
    shrunk to what the two columns tell by themselves. What is reported is the largest over columns and over pairs, with
    intervals that hold for all of them at once (Bonferroni), beside the same figures of training rows in place of the
    synthetic ones. All tables are cut to the size of the smallest, at most 20,000 rows.

    Raises:
        MetricError: a fold would have fewer than two rows on a side.

    References:
        On the Problem of the Most Efficient Tests of Statistical Hypotheses (Neyman & Pearson, 1933); Revisiting
        Classifier Two-Sample Tests (Lopez-Paz & Oquab, 2017).
    """
    names = comparison.schema.described
    frames = _equal_rows(comparison, rng)
    folds = [_folded(frame, comparison.schema.unit, rng) for frame in frames]
    draws, like = _coded(comparison, frames, folds, FINE_CODES)
    rows = len(frames[0])
    scores, panels = _of_columns(names, [ColumnAucs.of(draw) for draw in draws], ColumnAucs.of(like), rows)
    every = math.comb(len(names), 2)
    if not every:
        return [scores], panels
    chosen = list(itertools.combinations(range(len(names)), 2))
    if every > MAX_EXHAUSTIVE_PAIRS:
        coarse, coarse_like = _coded(comparison, frames, folds, COARSE_CODES)
        chosen = _screened(chosen, [*coarse, coarse_like])
    gains = [PairGains.of(tables, chosen) for tables in (*draws, like)]
    score, panel = _of_pairs([(names[i], names[j]) for i, j in chosen], gains[:-1], gains[-1], rows, every)
    return [scores, score], {**panels, **panel}


def _equal_rows(comparison: EvaluationData, rng: np.random.Generator) -> list[pd.DataFrame]:
    """Draws, then training rows, then the holdout, equally many of each."""
    frames = [*comparison.synthetic[:MAX_DETECTED_DRAWS], comparison.train, comparison.holdout]
    size = min(MAX_DETECTION_ROWS, *map(len, frames))
    return [f.iloc[np.sort(rng.choice(len(f), size, replace=False))] if len(f) > size else f for f in frames]


def _folded(frame: pd.DataFrame, unit: str | None, rng: np.random.Generator) -> NDArray[np.intp]:
    folds = unit_folds(frame, unit, rng)
    smallest = int(np.bincount(folds, minlength=DETECTION_FOLDS).min())
    if smallest < 2:
        msg = f"columns need two rows in each of {DETECTION_FOLDS} folds of every table to be judged; however: a fold "
        raise MetricError(f"{msg}has {smallest}. Bring more rows")
    return folds


def _coded(
    comparison: EvaluationData, frames: Sequence[pd.DataFrame], folds: Sequence[NDArray[np.intp]], codes: int
) -> tuple[list[TwoTables], TwoTables]:
    """Each draw, and the training rows, beside the holdout, in cuts that favour no table."""
    names = list(comparison.schema.described)
    everything = pd.concat([frame[names] for frame in frames], ignore_index=True)
    binning = Binning.fit(everything, comparison.schema, bins=codes - SPARE_CODES, levels=codes - SPARE_CODES)
    parts = np.split(binning.codes(everything), np.cumsum([len(frame) for frame in frames])[:-1], axis=1)
    *left, right = (CodedRows(*each) for each in zip(parts, folds, strict=True))
    *draws, like = (TwoTables(each, right, max(binning.sizes)) for each in left)
    return draws, like


def _screened(pairs: Sequence[Pair], comparisons: Sequence[TwoTables]) -> list[Pair]:
    """Pairs that tell most in any comparison where columns are cut coarsely."""
    kept: set[Pair] = set()
    for tables in comparisons:
        most = np.argsort(-PairGains.of(tables, pairs).gain, kind="stable")[:SCREENED_PAIRS]
        kept |= {pairs[k] for k in most}
    return sorted(kept)


def _largest(
    values: NDArray[np.float64], se: NDArray[np.float64], among: int, rows: int, floor: float
) -> tuple[intervals.Interval, NDArray[np.float64], NDArray[np.float64]]:
    """The largest value with its interval, and the ends of all; they hold for all `among` at once (Bonferroni)."""
    reach = distributions.norm.isf(0.025 / among) * se
    low, high = np.maximum(values - reach, floor), np.minimum(values + reach, 1.0)
    at = intervals.Interval(float(values.max()), float(low.max()), float(high.max()))
    return intervals.widened_if_flat(at, rows, floor=floor, ceiling=1.0), low, high


def _of_columns(
    names: Sequence[str], draws: Sequence[ColumnAucs], like: ColumnAucs, rows: int
) -> tuple[Score, dict[str, JSON]]:
    auc, real = np.mean([each.found.auc for each in draws], axis=0), like.found.auc
    # the holdout rows are the same in every draw, so the widths are averaged, not divided
    at, low, high = _largest(auc, np.mean([each.se for each in draws], axis=0), len(names), rows, 0.0)
    score = Score(
        metric="fidelity.c2st_one_column",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=float(real.max()),
        parts=dict(zip(names, auc.tolist(), strict=True)),
        note="AUC of telling synthetic from holdout rows by one column alone, the column that tells most; the "
        f"reference is as many training rows in place of the synthetic ones. {_HOW} Interval: DeLong, for all "
        f"{len(names)} columns at once.",
    )
    shown = np.argsort(-auc, kind="stable")[:SHOWN_TELLING]
    panel: list[JSON] = [
        {"column": names[k], **_rounded(auc=auc[k], low=low[k], high=high[k], reference=real[k])} for k in shown
    ]
    return score, {"telling_columns": {"columns": panel, "of": len(names)}}


def _of_pairs(
    names: Sequence[tuple[str, str]], draws: Sequence[PairGains], like: PairGains, rows: int, every: int
) -> tuple[Score, dict[str, JSON]]:
    gain, auc, single = (np.mean([getattr(each, of) for each in draws], axis=0) for of in ("gain", "auc", "single"))
    at, low, high = _largest(gain, np.mean([each.se for each in draws], axis=0), every, rows, -1.0)
    shown = np.argsort(-gain, kind="stable")[:SHOWN_TELLING]
    screened = "" if every == len(names) else f" Of {every:,} pairs, those {len(names)} that tell most in coarse cuts."
    score = Score(
        metric="fidelity.two_column_gain",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=float(like.gain.max()),
        parts={" × ".join(names[k]): float(gain[k]) for k in shown},
        note="AUC of telling synthetic from holdout rows by two columns, less that of the better of them alone, the "
        f"pair that gains most; the reference is as many training rows in place of the synthetic ones. {_HOW} "
        f"Interval: DeLong on the difference, for all {every:,} pairs at once.{screened}",
    )
    panel: list[JSON] = [
        {
            "columns": list(names[k]),
            **_rounded(auc=auc[k], single=single[k], gain=gain[k], low=low[k], high=high[k], reference=like.gain[k]),
        }
        for k in shown
    ]
    return score, {"telling_pairs": {"pairs": panel, "of": every}}


def _rounded(**values: float) -> dict[str, JSON]:
    return {name: round(float(value), 5) for name, value in values.items()}


_HOW = f"Likelihood ratio of at most {FINE_CODES} codes a column, cross-fitted in {DETECTION_FOLDS} folds."

TELLING_PAIRS_SPEC = MetricSpec(
    name="fidelity.telling_pairs",
    measure=telling_pairs,
    labels={
        "fidelity.c2st_one_column": MetricLabel(
            "Real or synthetic, by one column?",
            "AUC of the single column that tells the two apart best; 0.5 is a coin toss.",
        ),
        "fidelity.two_column_gain": MetricLabel(
            "Told by a pair of columns alone",
            "What the most telling pair of columns adds to the better of the two (AUC); 0 is nothing.",
        ),
    },
)
