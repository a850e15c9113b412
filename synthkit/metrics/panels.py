"""The aggregates a report plots, as plain data: distributions, pair errors, worst cells."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.io.json_types import JSON
from synthkit.metrics.stats import paired_difference
from synthkit.metrics.stats.binning import Binning, Cuts, cells, combined, label, numbers
from synthkit.schema.columns import Datetime, Discrete, Numeric, Ordinal, level_key, level_keys
from synthkit.schema.datetimes import iso_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.schema.columns import Column

SHOWN_BINS, SHOWN_LEVELS = 28, 15
SMALLEST_SHOWN = 10  # counts below this are not shown
SHOWN_COLUMNS, SHOWN_CELLS = 40, 20


def distributions(
    comparison: EvaluationData, errors: NDArray[np.float64], reference: NDArray[np.float64]
) -> list[dict[str, JSON]]:
    """Shares of every column side by side, worst one-way error first."""
    names = comparison.schema.described
    order = np.argsort(-np.nan_to_num(errors), kind="stable")
    return [
        {
            **_distribution(comparison, names[k]),
            "error": float(errors[k]),
            "reference": float(reference[k]),
        }
        for k in order
    ]


def _distribution(comparison: EvaluationData, name: str) -> dict[str, JSON]:
    column = comparison.schema.columns[name]
    cuts = _display_cuts(comparison.train[name], column)
    tables = {"train": [comparison.train], "holdout": [comparison.holdout], "synthetic": list(comparison.synthetic)}
    shares = {
        key: np.mean([np.bincount(cuts.codes(f[name]), minlength=cuts.size) / len(f) for f in frames], axis=0)
        for key, frames in tables.items()
    }
    plain = cuts.size - 3
    rows: dict[str, NDArray[np.float64]] = {}
    for key, share in shares.items():  # codes behind the bins: other, missing, novel; novel levels join the others
        rows[key] = np.append(share[:plain], [share[plain] + share[plain + 2], share[plain + 1]])
    labels = np.array([*cuts.labels[:plain], "other", "missing"], dtype=object)
    is_used = np.ones(len(labels), dtype=bool)
    is_used[-2:] = np.max([row[-2:] for row in rows.values()], axis=0) > 0
    return {
        "column": name,
        "kind": column.kind,
        "unit": column.unit if isinstance(column, Numeric) else None,
        "bins": labels[is_used].tolist(),
        **{key: row[is_used].round(6).tolist() for key, row in rows.items()},
    }


def _display_cuts(train: pd.Series, column: Column) -> Cuts:
    if isinstance(column, Discrete):
        counts = pd.Series(level_keys(train.dropna())).value_counts()
        order = sorted(counts.index, key=lambda key: (-counts[key], str(key)))
        kept = order[:SHOWN_LEVELS] if len(order) > SHOWN_LEVELS + 1 else order
        if isinstance(column, Ordinal):
            rank = {level_key(level): k for k, level in enumerate(column.levels)}
            kept = sorted(kept, key=lambda key: rank.get(key, len(rank)))
        codes = {key: kept.index(key) if key in kept else len(kept) for key in order}
        return Cuts(labels=(*map(label, kept), "other", "missing", "novel"), levels=codes)
    x = numbers(train)
    distinct = np.unique(x[~np.isnan(x)])
    is_time = isinstance(column, Datetime)
    if len(distinct) <= SHOWN_BINS:
        edges = (distinct[:-1] + distinct[1:]) / 2
        labels = [bin_edge_text(v, is_time=is_time) for v in distinct] or ["any"]
    else:
        low, high = np.quantile(x[~np.isnan(x)], [0.005, 0.99])
        edges = _edges(distinct, float(low), float(high), column)
        ends = [bin_edge_text(v, is_time=is_time) for v in edges]
        labels = [f"< {ends[0]}", *(f"{a} – {b}" for a, b in itertools.pairwise(ends)), f"≥ {ends[-1]}"]
    return Cuts(labels=(*labels, "other", "missing", "novel"), edges=edges)


def _edges(distinct: NDArray[np.float64], low: float, high: float, column: Column) -> NDArray[np.float64]:
    """Equal widths between two quantiles; whole numbers get whole widths, so that no bar is taller by accident."""
    step = (high - low) / (SHOWN_BINS - 2)
    if isinstance(column, Numeric) and column.decimals == 0 and step > 0:
        step = max(1.0, float(np.ceil(step)))
        low = float(np.floor(low))
    if step <= 0:
        middle = distinct[len(distinct) // 2]
        return np.array([middle])
    edges = low + step * np.arange(1, SHOWN_BINS - 1)
    return np.asarray(edges[edges <= max(high, low + step)])


def pair_errors(
    comparison: EvaluationData, errors: Mapping[tuple[int, ...], float], reference: Mapping[tuple[int, ...], float]
) -> dict[str, JSON]:
    """Matrices of two-way total variation of the columns whose pairs are furthest off, at most 40."""
    names, binning = comparison.schema.described, comparison.binning
    total = np.zeros(len(names))
    for pair, value in errors.items():
        total[list(pair)] += value
    kept = np.sort(np.argsort(-total, kind="stable")[:SHOWN_COLUMNS])
    frames = (comparison.synthetic[0], comparison.train, comparison.holdout)
    absent = any((i, j) not in errors for i in kept for j in kept if i < j)
    coded = [binning.codes(f) for f in frames] if absent else []
    matrices = np.zeros((2, len(kept), len(kept)))
    for a, i in enumerate(kept):
        for b, j in enumerate(kept[a + 1 :], start=a + 1):
            for m, known in enumerate((errors, reference)):
                at = known.get((i, j))
                at = _pair_tv(coded[m], coded[2], binning, (int(i), int(j))) if at is None else at
                matrices[m, a, b] = matrices[m, b, a] = at
    return {
        "columns": [names[k] for k in kept],
        "error": matrices[0].round(5).tolist(),
        "reference": matrices[1].round(5).tolist(),
        "of": len(names),
    }


def _pair_tv(left: NDArray[np.intp], right: NDArray[np.intp], binning: Binning, pair: tuple[int, ...]) -> float:
    codes = [combined(side, binning.sizes, pair) for side in (left, right)]
    return paired_difference.tv(codes[0], codes[1], cells(binning.sizes, pair)).value


def worst_cells(comparison: EvaluationData, errors: Mapping[tuple[int, ...], float]) -> list[dict[str, JSON]]:
    """Cells of two-way tables with the largest difference of shares, one a pair, no column more than four times.

    Counts below ten are written "<10"; the synthetic count is that of the first draw.
    """
    binning, names = comparison.binning, comparison.schema.described
    synthetic, holdout = binning.codes(comparison.synthetic[0]), binning.codes(comparison.holdout)
    found: list[tuple[float, tuple[str, str], dict[str, JSON]]] = []
    for i, j in sorted(errors, key=lambda pair: -errors[pair])[:200]:
        size = cells(binning.sizes, (i, j))
        counts = [np.bincount(combined(t, binning.sizes, (i, j)), minlength=size) for t in (holdout, synthetic)]
        gap = np.abs(counts[0] / counts[0].sum() - counts[1] / counts[1].sum())
        at = int(np.argmax(gap))
        one, two = divmod(at, binning.sizes[j])
        cuts = (binning.cuts[names[i]], binning.cuts[names[j]])
        pair = (names[i], names[j])
        cell: dict[str, JSON] = {
            "columns": list(pair),
            "cell": [cuts[0].labels[one], cuts[1].labels[two]],
            "holdout": shown_count(int(counts[0][at])),
            "synthetic": shown_count(int(counts[1][at])),
            "holdout_rows": int(counts[0].sum()),
            "synthetic_rows": int(counts[1].sum()),
        }
        found.append((float(gap[at]), pair, cell))
    kept: list[dict[str, JSON]] = []
    used: dict[str, int] = {}
    for _, pair, cell in sorted(found, key=lambda each: -each[0]):
        if len(kept) < SHOWN_CELLS and max(used.get(c, 0) for c in pair) < 4:
            kept.append(cell)
            used |= {c: used.get(c, 0) + 1 for c in pair}
    return kept


def bin_edge_text(value: float, *, is_time: bool) -> str:
    """An end of a bin as a person writes it."""
    return iso_day(value) if is_time else f"{value:.4g}"


def shown_count(count: int) -> int | str:
    """A count as it may be shown: small ones are suppressed."""
    return count if count >= SMALLEST_SHOWN else f"<{SMALLEST_SHOWN}"
