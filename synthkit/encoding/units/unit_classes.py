"""Latent classes of units: groups of units whose rows are alike on the whole, found in their aggregates.

A class is drawn with the root, before any row: a person's own level need not be guessed anew from every row. The
aggregates are, for each table, how many rows there are, mean and spread of every number by its rank, and shares of the
commonest levels; they are scaled, turned to their main directions, and grouped by k-means.

References:
    Lloyd: Least squares quantization in PCM (1982).
    Arthur, Vassilvitskii: k-means++: the advantages of careful seeding (2007).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.schema import Numeric
from synthkit.schema.columns import Discrete, level_keys

RANK_KNOTS, COMMON_LEVELS, DIRECTIONS, ROUNDS = 64, 8, 16, 30


@dataclass(frozen=True, kw_only=True)
class UnitClasses:
    """How units are put into classes.

    Args:
        numbers: by table and column, knots of the ranks. **Shape**: (k,) each.
        levels: by table and column, the commonest levels.
        mean, scale: of each aggregate. **Shape**: (a,).
        directions: main directions. **Shape**: (a, p).
        centres: of the classes. **Shape**: (classes, p).
    """

    numbers: Mapping[str, Mapping[str, Floats]]
    levels: Mapping[str, Mapping[str, list[Any]]]
    mean: Floats
    scale: Floats
    directions: Floats
    centres: Floats

    @classmethod
    def fit(cls, frames: UnitFrames, classes: int, rng: np.random.Generator) -> UnitClasses:
        """The classes that the aggregates of units suggest."""
        numbers, levels = dict[str, dict[str, Floats]](), dict[str, dict[str, list[Any]]]()
        for name, each in frames.learned.items():
            if each.owner is None:
                continue
            frame = frames.frames[name]
            numbers[name], levels[name] = {}, {}
            for column, kind in each.schema.columns.items():
                if column.startswith("("):
                    continue
                if isinstance(kind, Numeric):
                    x = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
                    x = x[~np.isnan(x)]
                    if len(x):
                        numbers[name][column] = np.unique(np.quantile(x, np.linspace(0, 1, RANK_KNOTS)))
                elif isinstance(kind, Discrete):
                    counts = pd.Series(level_keys(frame[column])).value_counts()
                    levels[name][column] = counts.index[:COMMON_LEVELS].tolist()
        empty = np.zeros(0)
        draft = cls(numbers=numbers, levels=levels, mean=empty, scale=empty, directions=empty, centres=empty)
        raw = draft.aggregates(frames)
        mean, scale = raw.mean(axis=0), raw.std(axis=0)
        scaled = (raw - mean) / np.where(scale > 1e-9, scale, 1.0)
        _, _, turn = np.linalg.svd(scaled[rng.permutation(len(scaled))[:5000]], full_matrices=False)
        directions = turn[:DIRECTIONS].T
        centres = _centres(scaled @ directions, classes, rng)
        return cls(
            numbers=numbers,
            levels=levels,
            mean=mean,
            scale=np.where(scale > 1e-9, scale, 1.0),
            directions=directions,
            centres=centres,
        )

    def of(self, frames: UnitFrames) -> Ints:
        """Class of each unit. **Shape**: (units,)."""
        turned = ((self.aggregates(frames) - self.mean) / self.scale) @ self.directions
        return np.asarray(pairwise_distances_argmin(turned, self.centres), dtype=np.int64)

    def aggregates(self, frames: UnitFrames) -> Floats:
        """Aggregates of each unit. **Shape**: (units, a)."""
        order, out = frames.order, list[Floats]()
        units = len(order.offsets) - 1
        for name in self.numbers:
            unit = np.searchsorted(order.offsets, order.step[name], side="right") - 1
            many = np.bincount(unit, minlength=units).astype(np.float64)
            out.append(np.log1p(many))
            frame = frames.frames[name]
            for column, knots in self.numbers[name].items():
                x = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
                there = ~np.isnan(x)
                rank = np.interp(np.nan_to_num(x), knots, np.linspace(0, 1, len(knots))) if len(knots) > 1 else 0 * x
                n = np.maximum(np.bincount(unit[there], minlength=units), 1)
                mean = np.bincount(unit, weights=np.where(there, rank, 0), minlength=units) / n
                square = np.bincount(unit, weights=np.where(there, rank**2, 0), minlength=units) / n
                out += [
                    mean,
                    np.sqrt(np.maximum(square - mean**2, 0)),
                    np.bincount(unit, weights=~there, minlength=units) / np.maximum(many, 1),
                ]
            for column, common in self.levels[name].items():
                keys = pd.Series(level_keys(frame[column]))
                out += [
                    np.bincount(unit, weights=(keys == level).to_numpy(), minlength=units) / np.maximum(many, 1)
                    for level in common
                ]
        return np.stack(out, axis=1) if out else np.zeros((units, 1))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        arrays = {k: getattr(self, k).tolist() for k in ("mean", "scale", "directions", "centres")}
        numbers = {name: {c: x.tolist() for c, x in each.items()} for name, each in self.numbers.items()}
        return arrays | {"numbers": numbers, "levels": {n: dict(each) for n, each in self.levels.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> UnitClasses:
        """Read what `to_dict` gave."""
        arrays = {k: np.array(data[k], dtype=np.float64) for k in ("mean", "scale", "directions", "centres")}
        numbers = {
            n: {c: np.array(x, dtype=np.float64) for c, x in each.items()} for n, each in data["numbers"].items()
        }
        return cls(numbers=numbers, levels=data["levels"], **arrays)


def _centres(x: Floats, classes: int, rng: np.random.Generator) -> Floats:
    """Centres of k-means; fewer if fewer units differ. **Shape**: (n, p) -> (classes, p)."""
    most = min(classes, len(np.unique(x.round(6), axis=0)))
    # threads add up their sums in the order in which they end: the same seed would give other classes
    with threadpool_limits(1, user_api="openmp"):
        found = KMeans(most, n_init=1, max_iter=ROUNDS, random_state=int(rng.integers(2**32))).fit(x)
    return np.asarray(found.cluster_centers_)
