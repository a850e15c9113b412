"""What happens next, and when: the type of a row, its series, and the gap before it, as slots.

A gap is told by a level where many rows share it (none at all, a year, a week, all the time that is left), and as a
share of the time that is left otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthkit.encoding.arrays import Bools, Floats, Ints
from synthkit.encoding.layout import Layout, Slot
from synthkit.encoding.smoothing import log_shares

GAP_ATOMS, LEAST_ATOM_SHARE, SHARE_CELLS = 48, 0.004, 48
LEAST_TIED = 0.004  # share of a table's rows that happen together with the row before, if any of those drawn may
NO_CLOCK = 0  # level of the gap of a row without a clock; the atoms follow, then "all that is left", then "a share"


@dataclass(frozen=True, kw_only=True)
class EventCoding:
    """Slots of an event: type, series of each table that has them, gap, share of the time left.

    Args:
        tables: those that have an owner, in order.
        types: rows of each. **Shape**: (T,).
        tied: whether rows of each happen together with the row before of the same owner. **Shape**: (T,).
        series: by table, rows of each level of its series.
        atoms: gaps that many rows share, in ticks, from 0 up. **Shape**: (A,).
        gaps: rows at each level of the gap. **Shape**: (A + 3,).
        edges: shares at which the cells of a share begin, and 1. **Shape**: (cells + 1,).
    """

    tables: tuple[str, ...]
    types: Ints
    tied: Bools
    series: Mapping[str, Floats]
    atoms: Ints
    gaps: Ints
    edges: Floats

    @property
    def all_left(self) -> int:
        """Level of a gap that takes all the time that is left."""
        return len(self.atoms) + 1

    @property
    def a_share(self) -> int:
        """Level of a gap that takes a share of it."""
        return len(self.atoms) + 2

    @property
    def layout(self) -> Layout:
        """The slots."""
        slots = [_slot("type", log_shares(self.types))]
        for name, counts in self.series.items():
            prior = np.full((len(self.tables), len(counts)), -np.inf, dtype=np.float32)
            prior[self.tables.index(name)] = log_shares(counts)
            slots.append(_slot(f"series of {name}", prior, parent=0))
        slots.append(_slot("gap", log_shares(self.gaps)))
        cells = len(self.edges) - 1
        share = np.full((len(self.gaps), cells), -np.inf, dtype=np.float32)
        share[self.a_share] = -np.log(cells)
        slots.append(_slot("share", share, parent=len(slots) - 1, ordinal=True))
        return Layout(tuple(slots), tuple(slot.name for slot in slots))

    @property
    def series_slots(self) -> dict[str, int]:
        """Slot of the series of each table that has them."""
        return {name: 1 + k for k, name in enumerate(self.series)}

    @property
    def gap_slot(self) -> int:
        """Slot of the gap; that of the share follows."""
        return 1 + len(self.series)

    def told(self, gap: Ints, left: Ints, timed: Bools) -> tuple[Ints, Ints]:
        """Levels of gaps, of which so much could be at most. **Shape**: (n,) each -> (n,), (n,)."""
        at = np.clip(np.searchsorted(self.atoms, gap), 0, len(self.atoms) - 1)
        atom = self.atoms[at] == gap
        level = np.where(atom, at + 1, self.a_share)
        level = np.where((gap >= left) & (gap > 0), self.all_left, level)
        level = np.where(timed, level, NO_CLOCK)
        share = np.clip(gap / np.maximum(left, 1), 0, 1)
        cell = np.clip(np.searchsorted(self.edges, share, side="right") - 1, 0, len(self.edges) - 2)
        return level.astype(np.int64), np.where(level == self.a_share, cell, 0).astype(np.int64)

    def allowed(self, left: Ints, timed: Bools) -> Bools:
        """Levels of the gap that fit into the time left. **Shape**: (n,), (n,) -> (n, A + 3)."""
        out = np.zeros((len(left), self.a_share + 1), dtype=bool)
        out[:, 1 : self.all_left] = self.atoms <= left[:, None]
        out[:, self.all_left] = left > 0
        out[:, self.a_share] = left > 1
        out &= timed[:, None]
        out[:, NO_CLOCK] = ~timed
        return out

    def kept_apart(self, fits: Bools, left: Ints, table: Ints, others: Bools) -> Bools:
        """Levels that fit, less those that would bring rows together which never are: all of them if none is left.

        Args:
            fits: levels that fit. **Shape**: (n, A + 3).
            left: the time that is left. **Shape**: (n,).
            table: number of the table of the row. **Shape**: (n,).
            others: tables of which rows are due after it. **Shape**: (n, T).
        """
        out, due = fits.copy(), np.asarray((others & ~self.tied).any(axis=1))
        out[:, 1] &= self.tied[table]
        out[:, 1 : self.all_left] &= ~due[:, None] | (self.atoms < left[:, None])
        out[:, self.all_left] &= ~due
        return np.where(out.any(axis=1, keepdims=True), out, fits)

    def gap_of(self, level: Ints, cell: Ints, left: Ints, inside: Floats) -> Ints:
        """Gaps of levels, in ticks. **Shape**: (n,) each -> (n,)."""
        atom = self.atoms[np.clip(level - 1, 0, len(self.atoms) - 1)]
        low, high = self.edges[cell], self.edges[cell + 1]
        share = np.round((low + inside * (high - low)) * left).astype(np.int64)
        share = np.clip(share, 1, np.maximum(left - 1, 1))
        out = np.where(level == self.all_left, left, np.where(level == self.a_share, share, atom))
        return np.where(level == NO_CLOCK, 0, out).astype(np.int64)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        arrays = {k: getattr(self, k).tolist() for k in ("types", "atoms", "gaps", "edges")}
        arrays["tied"] = self.tied.tolist()
        return arrays | {"tables": list(self.tables), "series": {k: v.tolist() for k, v in self.series.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> EventCoding:
        """Read what `to_dict` gave."""
        whole = {k: np.array(data[k], dtype=np.int64) for k in ("types", "atoms", "gaps")}
        return cls(
            tables=tuple(data["tables"]),
            series={k: np.array(v, dtype=np.float64) for k, v in data["series"].items()},
            edges=np.array(data["edges"], dtype=np.float64),
            tied=np.array(data["tied"], dtype=bool),
            **whole,
        )


def fit_event_coding(
    types: Mapping[str, int], tied: Bools, series: Mapping[str, Floats], gap: Ints, left: Ints, untimed: int
) -> EventCoding:
    """The coding that the gaps of rows suggest.

    Args:
        types: rows of each table, in order.
        tied: whether rows of each happen together with the row before of the same owner. **Shape**: (T,).
        series: rows of each level of the series of a table that has them.
        gap: of each row that is told by the clock and is not the first of its owner. **Shape**: (n,).
        left: the time that was left. **Shape**: (n,).
        untimed: rows without a clock.
    """
    values, counts = np.unique(gap[gap > 0], return_counts=True)
    enough = counts >= max(LEAST_ATOM_SHARE * max(len(gap), 1), 5)
    often = np.argsort(-counts * enough, kind="stable")[:GAP_ATOMS]
    atoms = np.concatenate([[0], np.sort(values[often[enough[often]]])]).astype(np.int64)
    draft = EventCoding(
        tables=tuple(types),
        types=np.array(list(types.values()), dtype=np.int64),
        tied=tied,
        series=series,
        atoms=atoms,
        gaps=np.zeros(len(atoms) + 3, dtype=np.int64),
        edges=np.array([0.0, 1.0]),
    )
    level, _ = draft.told(gap, left, np.ones(len(gap), dtype=bool))
    gaps = np.bincount(level, minlength=len(atoms) + 3)
    gaps[NO_CLOCK] = untimed
    share = (gap / np.maximum(left, 1))[level == draft.a_share]
    inner = (
        np.quantile(share, np.linspace(0, 1, SHARE_CELLS + 1)[1:-1])
        if len(share) > 4 * SHARE_CELLS
        else np.linspace(0, 1, 9)[1:-1]
    )
    edges = np.unique(np.concatenate([[0.0], np.clip(np.unique(inner), 1e-9, 1 - 1e-9), [1.0]]))
    return replace(draft, gaps=gaps.astype(np.int64), edges=edges)


def _slot(name: str, prior: NDArray[Any], parent: int | None = None, *, ordinal: bool = False) -> Slot:
    size = prior.shape[-1]
    return Slot(name=name, size=size, ordinal=ordinal, missing=False, parent=parent, prior=prior.astype(np.float32))
