"""One- and two-way tables of grouped columns that drawn rows are to match, with what is rare in them pooled."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthkit.encoding.column_groups import Codes, ColumnGroups
from synthkit.encoding.layout import Layout
from synthkit.errors import ArtefactError

FORMAT = "synthkit-targets/1"
MOST_PAIRS_OF_COLUMNS = 2_000  # with more pairs of columns than this, so many random ones stand for all
LEAST_ROWS_OF_A_CELL = 5  # rows a cell must hold to be told apart
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RakingMargins:
    """Tables that rows should match; they may be noisy and need not agree with each other.

    In each table the cells with fewer than five rows share one pooled cell, and if that held fewer than five rows
    itself the smallest cells beside it join it: no number in here is that of fewer than five rows.

    Args:
        groupings: the columns, as groups.
        tables: which one or two groupings each table is of.
        shares: cells of all tables, one table after the other, last column fastest; nan for a pooled cell, whose
            share is what the others leave. **Shape**: (total cells,).
        sigma: standard deviation of the noise in the counts of each table, rows. **Shape**: (number of tables,).
        rows: rows the tables were counted on.
    """

    groupings: tuple[ColumnGroups, ...]
    tables: tuple[tuple[int, ...], ...]
    shares: Floats
    sigma: Floats
    rows: float

    @classmethod
    def of(
        cls,
        groupings: tuple[ColumnGroups, ...],
        tables: Sequence[tuple[int, ...]],
        counts: Sequence[NDArray[Any]],
        sigma: Sequence[float] | None = None,
    ) -> RakingMargins:
        """Targets from counts, rare cells pooled.

        Args:
            groupings: the columns, as groups.
            tables: which one or two groupings each table is of.
            counts: rows in each cell, a table each; with noise if sigma says so.
            sigma: standard deviation of that noise, rows; none if not given.
        """
        rows = float(np.mean([np.sum(table) for table in counts])) if len(counts) else 0.0
        shares = [_pooled(np.asarray(table, dtype=np.float64).ravel()) for table in counts]
        return cls(
            groupings=groupings,
            tables=tuple(tables),
            shares=np.concatenate(shares) if shares else np.empty(0),
            sigma=np.zeros(len(counts)) if sigma is None else np.asarray(sigma, dtype=np.float64),
            rows=rows,
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Cells of each table."""
        return tuple(int(np.prod([self.groupings[k].size for k in table])) for table in self.tables)

    def to_dict(self) -> dict[str, Any]:
        """What is not a tensor, as plain data for JSON."""
        return {
            "format": FORMAT,
            "rows": self.rows,
            "columns": [grouping.column for grouping in self.groupings],
            "slots": [list(grouping.slots) for grouping in self.groupings],
            "tables": [list(table) for table in self.tables],
        }

    def tensors(self) -> dict[str, Tensor]:
        """The numbers, by name."""
        groups = {f"groups.{k}": torch.from_numpy(g.groups.copy()) for k, g in enumerate(self.groupings)}
        return {"shares": torch.from_numpy(self.shares), "sigma": torch.from_numpy(self.sigma), **groups}

    @classmethod
    def from_saved(cls, data: dict[str, Any], tensors: dict[str, Tensor], layout: Layout) -> RakingMargins:
        """Read what `to_dict` and `tensors` gave.

        Raises:
            ArtefactError: the format is another, or the tables are not of rows in this layout.
        """
        if data.get("format") != FORMAT:
            msg = f"targets must have format {FORMAT}; however: {data.get('format')!r}. Fit again"
            raise ArtefactError(msg)
        out = cls(
            groupings=tuple(
                ColumnGroups(column=name, slots=tuple(slots), groups=tensors[f"groups.{k}"].numpy())
                for k, (name, slots) in enumerate(zip(data["columns"], data["slots"], strict=True))
            ),
            tables=tuple(tuple(table) for table in data["tables"]),
            shares=tensors["shares"].numpy(),
            sigma=tensors["sigma"].numpy(),
            rows=data["rows"],
        )
        fits = all(g.groups.shape == tuple(layout.sizes[s] for s in g.slots) for g in out.groupings)
        if not fits or sum(out.sizes) != len(out.shares) or len(out.tables) != len(out.sigma):
            msg = "targets must be tables of the model's own rows; however: their shapes differ. Fit again"
            raise ArtefactError(msg)
        return out


def tables_of(columns: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """All single columns and all pairs, or 2,000 random pairs if there are more. **Shape**: -> tuples of 1 or 2."""
    pairs = list(itertools.combinations(range(columns), 2))
    if len(pairs) > MOST_PAIRS_OF_COLUMNS:
        pairs = [pairs[k] for k in np.sort(rng.choice(len(pairs), MOST_PAIRS_OF_COLUMNS, replace=False))]
    return [*((k,) for k in range(columns)), *pairs]


def tabulate(
    codes: Codes, groupings: tuple[ColumnGroups, ...], tables: Sequence[tuple[int, ...]]
) -> list[NDArray[np.int64]]:
    """Exact tables. **Shape**: (number of groupings, n) -> a table (cells,) each."""
    out = []
    for first, *rest in tables:
        size, flat = groupings[first].size, codes[first].astype(np.intp)
        for k in rest:
            size, flat = size * groupings[k].size, flat * groupings[k].size + codes[k]
        out.append(np.bincount(flat, minlength=size))
    return out


def _pooled(counts: Floats) -> Floats:
    """Shares of a table, nan where rare. **Shape**: (cells,) -> (cells,)."""
    total = counts.sum()
    if total < LEAST_ROWS_OF_A_CELL:
        return np.full(len(counts), np.nan)
    kept = counts >= LEAST_ROWS_OF_A_CELL
    order = np.argsort(np.where(kept, counts, np.inf), kind="stable")
    for k in order[: int(kept.sum())]:  # at most one round: a kept cell holds enough by itself
        if kept.all() or not 0 < counts[~kept].sum() < LEAST_ROWS_OF_A_CELL:
            break
        kept[k] = False
    return np.where(kept, counts / total, np.nan)
