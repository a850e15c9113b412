"""Profiles of units: the shares of values among the rows of each table, as points whose distances can be measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.stats.binning import Binning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synthkit.tables.linked_tables import LinkedTables

PROFILE_LEVELS, PROFILE_BINS, FEWEST_CODES = 60, 20, 5  # codes of a column of levels, of a quantity, and the fewest
MAX_PROFILE_LENGTH = 3_000  # coordinates of all columns together
OWN_COLUMN_WEIGHT = 0.5  # of a column of the unit itself, beside one of a table below it
_HELD_PRODUCTS = 1 << 23  # distances held at a time: 32 MiB of float32


@dataclass(frozen=True)
class UnitProfiles:
    r"""How units become points: of each column of each table the square roots of the shares of its values.

    $d^2(a, b) = \sum_{c} \sum_v (\sqrt{p_{acv}} - \sqrt{p_{bcv}})^2 + w^2 \sum_{o} 2 [a_o \ne b_o]$

    over columns c below the units (Hellinger) and columns o of the units themselves, $w = 1/2$. Quantities are cut into
    20 parts of about equal shares, the 60 commonest levels are told apart, fewer of both where there are many columns.

    Args:
        cuts: of the learned columns, by table.

    References:
        Some Contributions to the Theory of Sampling (Hellinger's distance between laws): Bhattacharyya, 1943.
    """

    cuts: Mapping[str, Binning]

    @classmethod
    def fit(cls, tables: LinkedTables) -> UnitProfiles:
        """Cuts of all columns, fitted on tables of people of whom it is not asked who was trained on."""
        schema = tables.schema
        alone = {name: schema.tables[name].alone(name) for name in schema.graph.records}
        columns = sum(len(each.described) for each in alone.values())
        most = max(FEWEST_CODES, MAX_PROFILE_LENGTH // max(columns, 1))
        bins, levels = min(PROFILE_BINS, most), min(PROFILE_LEVELS, most)
        return cls(
            {
                name: Binning.fit(tables.frames[name], each, bins=bins, levels=levels)
                for name, each in alone.items()
                if each.described
            }
        )

    def points(self, tables: LinkedTables) -> NDArray[np.float32]:
        """Where units lie. **Shape**: m units -> (m, d)."""
        size = len(tables.frames[tables.schema.unit])
        found = [np.zeros((size, 0), dtype=np.float32)]
        for name, cut in self.cuts.items():
            own, units = name == tables.schema.unit, tables.units[name]
            rows = np.maximum(np.bincount(units, minlength=size), 1)[:, None]
            for codes, many in zip(cut.codes(tables.frames[name]), cut.sizes, strict=True):
                counts = np.bincount(units * many + codes, minlength=size * many).reshape(size, many)
                weight = OWN_COLUMN_WEIGHT if own else 1.0
                found.append((weight * np.sqrt(counts / rows)).astype(np.float32))
        return np.concatenate(found, axis=1)


def nearest_points(asking: NDArray[np.float32], points: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Distances to the k nearest points, ascending, exact nought for equal points. **Shape**: (q, d), (p, d) -> (q, k).

    Example:
        >>> nearest_points(np.float32([[0, 0]]), np.float32([[3, 4], [0, 0], [0, 2]]), 2).tolist()
        [[0.0, 2.0]]
    """
    k = min(k, len(points))
    out = np.zeros((len(asking), k), dtype=np.float32)
    norms = np.square(points).sum(axis=1)
    step = max(1, _HELD_PRODUCTS // max(len(points), 1))
    for start in range(0, len(asking), step):
        here = asking[start : start + step]
        squares = norms - 2 * (here @ points.T)
        near = np.argpartition(squares, k - 1, axis=1)[:, :k]
        exact = np.stack([np.square(points[near[:, j]] - here).sum(axis=1) for j in range(k)], axis=1)
        out[start : start + step] = np.sqrt(np.sort(exact, axis=1))
    return out
