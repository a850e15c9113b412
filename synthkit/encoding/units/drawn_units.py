"""Rows drawn below units, still encoded: where each belongs, when it happens, whom it points to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from synthkit.encoding.arrays import Ints, put_together
from synthkit.encoding.layout import Rows


@dataclass(frozen=True, kw_only=True)
class DrawnRows:
    """Rows of one table, rows of a unit together and in order.

    Args:
        rows: the encoded rows, copies included.
        owner: row of the owner's table. **Shape**: (n,).
        start, until: ticks at which the row happens, or its nearest timed owner, and ends; MISSING_TICK for never.
        links: by number of the link, the row that it points to, -1 for none; of a shared table the hub, or 0.
    """

    rows: Rows
    owner: Ints
    start: Ints
    until: Ints
    links: Mapping[int, Ints]

    def __len__(self) -> int:
        return len(self.owner)


@dataclass(frozen=True, kw_only=True)
class DrawnUnits:
    """Everything drawn below units.

    Args:
        tables: rows of each table that has an owner.
    """

    tables: Mapping[str, DrawnRows]


@dataclass(frozen=True, kw_only=True)
class RoundRows:
    """Rows of one table drawn in one round: see `DrawnRows`; `unit` and `round` say where they stand."""

    unit: Ints
    round: int
    rows: Rows
    owner: Ints
    start: Ints
    until: Ints
    links: Mapping[int, Ints]


def joined(
    rounds: Mapping[str, list[RoundRows]],
    owners: Mapping[str, str],
    unit: str,
    to: Mapping[tuple[str, int], str],
    empty: Mapping[str, Rows],
) -> DrawnUnits:
    """Rows of all rounds, put in order.

    Args:
        rounds: what was drawn of each table; owners and links are told by number of the row as it was drawn.
        owners: owner of each table, owners first.
        unit: table of the units.
        to: table that each link to a row of the unit points to.
        empty: no rows, by table.
    """
    new: dict[str, Ints] = {}
    out = {}
    for name in owners:
        parts = rounds.get(name, [])
        units = put_together([p.unit for p in parts])
        number = np.repeat([p.round for p in parts], [len(p.unit) for p in parts]).astype(np.int64)
        order = np.lexsort((number, units))
        new[name] = np.empty(len(order) + 1, dtype=np.int64)
        new[name][order], new[name][-1] = np.arange(len(order)), -1
        whole = Rows.cat_rows([p.rows for p in parts]) if parts else empty[name]
        owner = put_together([p.owner for p in parts])[order]
        links = {k: put_together([p.links[k] for p in parts])[order] for k in (parts[0].links if parts else {})}
        out[name] = DrawnRows(
            rows=whole[torch.from_numpy(order)],
            owner=owner if owners[name] == unit else new[owners[name]][owner],
            start=put_together([p.start for p in parts])[order],
            until=put_together([p.until for p in parts])[order],
            links=links,
        )
    return DrawnUnits(tables={name: _moved(name, each, new, to) for name, each in out.items()})


def _moved(name: str, each: DrawnRows, new: Mapping[str, Ints], to: Mapping[tuple[str, int], str]) -> DrawnRows:
    links = {k: new[to[name, k]][rows] if to.get((name, k)) in new else rows for k, rows in each.links.items()}
    return DrawnRows(rows=each.rows, owner=each.owner, start=each.start, until=each.until, links=links)
