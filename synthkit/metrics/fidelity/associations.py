"""Associations of columns: Pearson, correlation ratio and Cramér's V, all from one cross-product matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.fidelity.distributions import both_sides, unit_codes
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.binning import Binning, numbers, quantities

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.schema import Schema

JACKKNIFE_GROUPS = 20  # of rows, for the jackknife
SHOWN_ASSOCIATIONS = 40


@dataclass(frozen=True)
class Features:
    """Where each column sits in the cross-product matrix.

    Args:
        numeric: (present, value, square) positions of a quantity.
        levels: positions of a discrete column's indicators.
        scale: centre and spread of each quantity in the training rows, so that squares stay small.
    """

    numeric: Mapping[str, tuple[int, int, int]]
    levels: Mapping[str, slice]
    scale: Mapping[str, tuple[float, float]]
    binning: Binning
    names: tuple[str, ...]
    width: int

    @classmethod
    def of(cls, train: pd.DataFrame, schema: Schema, binning: Binning) -> Features:
        """Positions for the learned columns; levels as the binning pools them, missing cells left out."""
        numeric: dict[str, tuple[int, int, int]] = {}
        levels: dict[str, slice] = {}
        scale: dict[str, tuple[float, float]] = {}
        at, quantity = 0, set(quantities(schema))
        for name in schema.described:
            if name in quantity:
                x = numbers(train[name])
                x = x[~np.isnan(x)]
                numeric[name] = (at, at + 1, at + 2)
                scale[name] = (float(x.mean()), float(x.std()) or 1.0) if len(x) else (0.0, 1.0)
                at += 3
            else:
                levels[name] = slice(at, at + binning.cuts[name].size)
                at += binning.cuts[name].size
        return cls(numeric, levels, scale, binning, schema.described, at)

    def matrix(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Feature matrix of a table. **Shape**: n rows -> (n, width)."""
        z = np.zeros((len(frame), self.width))
        for name, (present, value, square) in self.numeric.items():
            centre, spread = self.scale[name]
            x = (numbers(frame[name]) - centre) / spread
            seen = ~np.isnan(x)
            z[:, present], z[seen, value], z[seen, square] = seen, x[seen], x[seen] ** 2
        for name, where in self.levels.items():
            cuts = self.binning.cuts[name]
            codes = cuts.codes(frame[name])
            z[np.arange(len(frame)), where.start + codes] = 1
            z[:, where.start + cuts.size - 2] = 0  # a missing cell is no level here
        return z

    def associations(self, product: NDArray[np.float64]) -> NDArray[np.float64]:
        """Association of every pair of columns from Z'Z; nan where it is not defined.

        Pearson's r for two quantities, the correlation ratio eta for a quantity and levels, Cramér's V for two
        columns of levels; each over the rows in which both cells are present.

        **Shape**: (width, width) -> (d, d).
        """
        d = len(self.names)
        out = np.full((d, d), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            self._pearson(product, out)
            rank = {name: k for k, name in enumerate(self.names)}
            for name, where in self.levels.items():
                for quantity, (present, value, square) in self.numeric.items():
                    eta = _eta(product[where, present], product[where, value], product[where, square])
                    out[rank[name], rank[quantity]] = out[rank[quantity], rank[name]] = eta
                for other, there in self.levels.items():
                    if rank[other] > rank[name]:
                        v = _cramer(product[where, there])
                        out[rank[name], rank[other]] = out[rank[other], rank[name]] = v
        np.fill_diagonal(out, 1.0)
        return out

    def _pearson(self, product: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        if not self.numeric:
            return
        at = np.array([self.names.index(name) for name in self.numeric])
        present, value, square = (np.array(column) for column in zip(*self.numeric.values(), strict=True))
        n = product[np.ix_(present, present)]
        x, xx = product[np.ix_(value, present)] / n, product[np.ix_(square, present)] / n
        variance = np.where(xx - x**2 > 1e-12, xx - x**2, np.nan)
        covariance = product[np.ix_(value, value)] / n - x * x.T
        out[np.ix_(at, at)] = np.clip(covariance / np.sqrt(variance * variance.T), -1, 1)


def associations(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Mean absolute difference between the association matrices of the synthetic rows and of the holdout.

    The interval comes from a jackknife over 20 groups of units of both tables, which costs one matrix product.
    """
    features = Features.of(comparison.train, comparison.schema, comparison.binning)
    if len(features.names) < 2:
        return [], {}
    sides, unit = both_sides(comparison, rng)[0], comparison.schema.unit
    real = _group_products(features, comparison.holdout, unit, rng)
    other = features.associations(_group_products(features, sides.other, unit, rng).sum(axis=0))
    draws = [_group_products(features, draw, unit, rng) for draw in comparison.synthetic]
    truth = features.associations(real.sum(axis=0))
    each = [features.associations(draw.sum(axis=0)) for draw in draws]
    value = float(np.mean([_gap(matrix, truth) for matrix in each]))
    variance = _jackknife([float(np.mean([_gap(m, t) for m in each])) for t in _leave_out(features, real)])
    for draw in draws:
        variance += _jackknife([_gap(m, truth) for m in _leave_out(features, draw)]) / len(draws) ** 2
    at = intervals.normal_interval(value, float(np.sqrt(variance)), floor=0.0, ceiling=2.0)
    gaps = np.mean([np.abs(matrix - truth) for matrix in each], axis=0)
    score = Score(
        metric="fidelity.correlation_difference",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=_gap(other, truth),
        parts=_by_column(gaps, features.names),
        note="Mean absolute difference of Pearson (two quantities), correlation ratio (quantity and levels) and "
        "Cramér's V (levels) against the holdout; the reference is as many training rows. Interval: jackknife over "
        f"{JACKKNIFE_GROUPS} groups of rows of both tables.",
    )
    kept = np.sort(np.argsort(-np.nan_to_num(gaps).sum(axis=0), kind="stable")[:SHOWN_ASSOCIATIONS])
    panel = {
        "columns": [features.names[k] for k in kept],
        "real": np.round(truth[np.ix_(kept, kept)], 4).tolist(),
        "synthetic": np.round(np.mean(each, axis=0)[np.ix_(kept, kept)], 4).tolist(),
        "of": len(features.names),
    }
    return [score], {"correlation": panel}


def _group_products(
    features: Features, frame: pd.DataFrame, unit: str | None, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Z'Z of each group of units. **Shape**: n rows -> (GROUPS, width, width)."""
    units = unit_codes(frame, unit)
    units = np.arange(len(frame)) if units is None else units
    groups = rng.permutation(np.arange(units.max() + 1) % JACKKNIFE_GROUPS)[units]
    z = features.matrix(frame)
    return np.stack([z[groups == g].T @ z[groups == g] for g in range(JACKKNIFE_GROUPS)])


def _leave_out(features: Features, products: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    total = products.sum(axis=0)
    return [features.associations(total - product) for product in products]


def _jackknife(values: list[float]) -> float:
    g = len(values)
    return float((g - 1) / g * ((np.array(values) - np.mean(values)) ** 2).sum())


def _gap(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Mean absolute difference above the diagonal; a pair undefined on one side counts as no association there."""
    upper = np.triu_indices(len(left), 1)
    a, b = left[upper], right[upper]
    known = ~(np.isnan(a) & np.isnan(b))
    return float(np.abs(np.nan_to_num(a[known]) - np.nan_to_num(b[known])).mean()) if known.any() else 0.0


def _by_column(gaps: NDArray[np.float64], names: tuple[str, ...]) -> dict[str, float]:
    others = ~np.eye(len(names), dtype=bool) & ~np.isnan(gaps)
    return {name: float(gaps[k][others[k]].mean()) for k, name in enumerate(names) if others[k].any()}


def _eta(n: NDArray[np.float64], x: NDArray[np.float64], xx: NDArray[np.float64]) -> float:
    """Correlation ratio from counts, sums and sums of squares by level."""
    total = n.sum()
    if total < 2:
        return float("nan")
    mean = x.sum() / total
    within = xx.sum() / total - mean**2
    seen = n > 0
    between = (x[seen] ** 2 / n[seen]).sum() / total - mean**2
    return float(np.sqrt(np.clip(between / within, 0, 1))) if within > 1e-12 else float("nan")


def _cramer(table: NDArray[np.float64]) -> float:
    """Cramér's V of a contingency table, empty rows and columns left out."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return float("nan")
    n = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    chi2 = ((table - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi2 / (n * (min(table.shape) - 1))))


ASSOCIATIONS_SPEC = MetricSpec(
    name="fidelity.associations",
    measure=associations,
    labels={
        "fidelity.correlation_difference": MetricLabel(
            "Correlation difference",
            "Mean difference between real and synthetic correlations of pairs of columns; 0 is identical.",
        ),
    },
)
