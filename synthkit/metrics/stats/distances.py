"""Mixed-type distance between rows and exact nearest neighbours, in blocks of bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.metrics.stats.binning import ordered
from synthkit.schema.columns import Datetime, Numeric, level_index, level_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema import Schema

_ONE_HOT = 32  # columns with more levels are compared by number instead
_HELD_DISTANCES = 1 << 24  # distances held at a time: 64 MiB of float32
_BLOCK = 16  # distances of which the smallest is found at once
_SPARE = 3  # candidates beyond k whose distance is computed again without cancellation


@dataclass(frozen=True)
class DistanceSpace:
    """A space in which rows have distances.

    d²(a, b) = sum over numeric and datetime columns of (rank(a) - rank(b))² + number of other columns that differ,

    where rank is the mid-rank among the rows the space was fitted on, in [0, 1]. Missing is a level of its own; a
    missing number has rank 1/2 and differs from a present one by 1 more. Identifiers and the unit take no part.

    Args:
        ranks: sorted values by numeric column.
        levels: level keys by other column.
        left_out: columns that take no part.

    Example:
        >>> from synthkit.schema import Schema
        >>> schema = Schema(columns={"age": {"kind": "numeric"}, "sex": {"kind": "categorical", "levels": ["F", "M"]}})
        >>> frame = pd.DataFrame({"age": [30.0, 40.0, 50.0, 60.0], "sex": ["F", "F", "M", "M"]})
        >>> space = DistanceSpace.fit(frame, schema)
        >>> at = space.coordinates(frame)
        >>> distances, indices = space.nearest(at[:1], at[1:], k=1)
        >>> float(distances[0, 0]), int(indices[0, 0])
        (0.25, 0)
    """

    ranks: dict[str, NDArray[Any]]
    levels: dict[str, pd.Index]
    left_out: tuple[str, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame, schema: Schema) -> DistanceSpace:
        """The space of a schema, with ranks and undeclared levels taken from `frame` (canonical dtypes)."""
        ranks, levels = {}, {}
        for name in schema.described:
            column = schema.columns[name]
            if isinstance(column, Numeric | Datetime):
                ranks[name] = np.sort(ordered(frame[name].dropna()))
            elif declared := getattr(column, "levels", None):
                levels[name] = level_index(declared)
            else:
                levels[name] = level_keys(frame[name].dropna()).unique()
        return cls(ranks, levels, tuple(c for c in schema.columns if c not in schema.described))

    @property
    def dense(self) -> int:
        """Number of leading coordinates that are lengths; those after them number a level."""
        return 2 * len(self.ranks) + sum(len(keys) + 2 for keys in self.levels.values() if len(keys) <= _ONE_HOT)

    def coordinates(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """Where rows lie, for `nearest` and `distances` of the same space.

        **Shape**: n rows -> (n, d) float32: ranks and missing marks, one-hot levels / sqrt(2), then (columns from
        `dense` on) the numbers of levels of columns with more than 32 levels, which only compare as equal or not.
        """
        lengths, numbers = [], []
        for name, known in self.ranks.items():
            x, absent = ordered(frame[name]), frame[name].isna().to_numpy()
            rank = (np.searchsorted(known, x, "left") + np.searchsorted(known, x, "right")) / (2 * max(len(known), 1))
            lengths += [np.where(absent, 0.5, rank)[:, None], absent[:, None]]
        for name, keys in self.levels.items():
            number = keys.get_indexer(level_keys(frame[name]))
            number = np.where(number < 0, len(keys) + 1, number)  # a level the space does not know
            number = np.where(frame[name].isna(), len(keys), number)
            if len(keys) <= _ONE_HOT:
                lengths.append((number[:, None] == np.arange(len(keys) + 2)) * np.sqrt(0.5))
            else:
                numbers.append(number[:, None])
        parts = [np.asarray(part, dtype=np.float32) for part in lengths + numbers]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(frame), 0), dtype=np.float32)

    def distances(self, a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distance between rows of equal position. **Shape**: two arrays that broadcast to (..., d) -> (...)."""
        length = a[..., : self.dense] - b[..., : self.dense]
        differ = a[..., self.dense :] != b[..., self.dense :]
        return np.asarray(np.sqrt(np.square(length).sum(-1) + differ.sum(-1)), dtype=np.float32)

    def nearest(
        self,
        queries: NDArray[np.float32],
        points: NDArray[np.float32],
        k: int,
        *,
        query_groups: NDArray[np.int64] | None = None,
        point_groups: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k points closest to each query, closest first; among equals the earlier point.

        **Shape**: (q, d), (p, d) -> distances (q, k) and indices into `points` (q, k). If fewer than k points are
        allowed, the rest has distance inf.

        Args:
            queries: coordinates of the rows that ask.
            points: coordinates of the rows among which neighbours are sought.
            k: number of neighbours, 1 to p.
            query_groups: (q,) group of each query; points of the same group are no neighbours.
            point_groups: (p,) group of each point.

        Raises:
            ValueError: k is out of range, or only one of the two groups is given.
        """
        if not 1 <= k <= len(points):
            msg = f"k must lie between 1 and the number of points {len(points)}; however: {k}"
            raise ValueError(msg)
        if (query_groups is None) != (point_groups is None):
            msg = "groups must be given for queries and points; however: only one of them is given"
            raise ValueError(msg)
        distances = np.empty((len(queries), k), dtype=np.float32)
        indices = np.empty((len(queries), k), dtype=np.int64)
        prepared = _Points(points, self.dense)
        step = max(1, _HELD_DISTANCES // len(points))
        for start in range(0, len(queries), step):
            block = slice(start, start + step)
            square = prepared.squares(queries[block])
            if query_groups is not None and point_groups is not None:
                square[query_groups[block, None] == point_groups[None, :]] = np.inf
            distances[block], indices[block] = self._closest(queries[block], points, square, k)
        return distances, indices

    def _closest(
        self, queries: NDArray[np.float32], points: NDArray[np.float32], square: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        wide = min(k + _SPARE, len(points))
        found = np.sort(smallest(square, wide), axis=1)
        exact = self.distances(queries[:, None, :], points[found])
        exact = np.where(np.isinf(np.take_along_axis(square, found, axis=1)), np.float32(np.inf), exact)
        order = np.argsort(exact, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(exact, order, axis=1), np.take_along_axis(found, order, axis=1)


def smallest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Where the k smallest numbers of each row are, in any order.

    The smallest number of each block of 16 is found first: the k smallest lie in the k blocks that have the smallest.

    **Shape**: (n, m) -> (n, k), k from 1 to m.

    Example:
        >>> np.sort(smallest(np.array([[3.0, 1.0, 2.0]], dtype=np.float32), 2)).tolist()
        [[1, 2]]
    """
    n, m = values.shape
    blocks = m // _BLOCK
    if blocks <= k:
        return np.argpartition(values, k - 1, axis=1)[:, :k] if k < m else np.tile(np.arange(m), (n, 1))
    # a block is every so manieth number of a row, so that minima are taken of whole stretches of it
    least = values[:, : blocks * _BLOCK].reshape(n, _BLOCK, blocks).min(axis=1)
    chosen = np.argpartition(least, k - 1, axis=1)[:, :k, None] + np.arange(_BLOCK) * blocks
    rest = np.broadcast_to(np.arange(blocks * _BLOCK, m), (n, m - blocks * _BLOCK))
    candidates = np.concatenate([chosen.reshape(n, -1), rest], axis=1)
    among = np.take_along_axis(values, candidates, axis=1)
    return np.take_along_axis(candidates, np.argpartition(among, k - 1, axis=1)[:, :k], axis=1)


class _Points:
    """Points made ready for squared distances to many blocks of queries: one matrix product a block."""

    def __init__(self, points: NDArray[np.float32], dense: int) -> None:
        self.dense = dense
        self.lengths = np.ascontiguousarray(points[:, :dense].T)
        self.norms = np.square(points[:, :dense]).sum(1)
        self.numbers = np.ascontiguousarray(points[:, dense:].T)

    def squares(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        lengths = queries[:, : self.dense]
        square = lengths @ self.lengths
        square *= -2
        square += self.norms
        square += np.square(lengths).sum(1)[:, None]
        for j, numbers in enumerate(self.numbers):
            square += queries[:, self.dense + j, None] != numbers
        return square
