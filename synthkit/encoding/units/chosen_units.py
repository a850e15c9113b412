"""Units taken each from one of several draws, with all that was drawn below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from synthkit.encoding.arrays import Ints, put_together
from synthkit.encoding.layout import Rows
from synthkit.encoding.units.drawn_units import DrawnRows, DrawnUnits

if TYPE_CHECKING:
    from synthkit.schema.linked import LinkedSchema

NO_LINKS = np.empty(0, dtype=np.int64)  # links of a table without rows


def chosen_units(draws: Sequence[DrawnUnits], which: Ints, units: Ints, schema: LinkedSchema) -> DrawnUnits:
    """Unit `units[i]` of draw `which[i]` for each i, with all its rows; links within a unit follow.

    Args:
        draws: from which units are taken, each at most once.
        which: the draw of each unit. **Shape**: (n,).
        units: its number there. **Shape**: (n,).
        schema: who owns whom, and which links stay in a unit.
    """
    new = [_new_units(draw, np.flatnonzero(which == k), units, schema) for k, draw in enumerate(draws)]
    above = [dict(each) for each in new]  # of every row, the new number of its unit
    kept: dict[str, list[Ints]] = {}
    for name, owner in schema.graph.owners.items():
        for draw, unit in zip(draws, above, strict=True):
            unit[name] = unit[owner][draw.tables[name].owner]
        kept[name] = [np.flatnonzero(unit[name] >= 0) for unit in above]
        order = np.argsort(
            put_together([u[name][rows] for u, rows in zip(above, kept[name], strict=True)]), kind="stable"
        )
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        ends = np.cumsum([len(rows) for rows in kept[name]])
        for k, rows in enumerate(kept[name]):
            new[k][name] = np.full(len(above[k][name]) + 1, -1)  # the last: where a link points that points nowhere
            new[k][name][rows] = place[ends[k] - len(rows) : ends[k]]
    return DrawnUnits(tables={name: _rows(name, draws, kept[name], new, schema) for name in kept})


def _new_units(draw: DrawnUnits, mine: Ints, units: Ints, schema: LinkedSchema) -> dict[str, Ints]:
    """The new number of each unit of a draw, -1 for those that are not taken."""
    owners = [draw.tables[name].owner for name in schema.graph.children(schema.unit)]
    out = np.full(1 + max(int(each.max(initial=-1)) for each in (units[mine], *owners)), -1)
    out[units[mine]] = mine
    return {schema.unit: out}


def _rows(
    name: str,
    draws: Sequence[DrawnUnits],
    kept: Sequence[Ints],
    new: Sequence[Mapping[str, Ints]],
    schema: LinkedSchema,
) -> DrawnRows:
    """The kept rows of one table, those of a unit together and in their order."""
    parts, owner = [draw.tables[name] for draw in draws], schema.graph.owners[name]
    order = np.argsort(np.concatenate([to[name][rows] for to, rows in zip(new, kept, strict=True)]), kind="stable")

    def together(each: Sequence[Ints]) -> Ints:
        return np.concatenate([x[rows] for x, rows in zip(each, kept, strict=True)])[order]

    links = {
        k: together([_moved(part, k, name, to, schema) for part, to in zip(parts, new, strict=True)])
        for k in _numbers(parts)
    }
    picked = [part.rows[torch.from_numpy(rows)] for part, rows in zip(parts, kept, strict=True)]
    return DrawnRows(
        rows=Rows.cat_rows(picked)[torch.from_numpy(order)],
        owner=together([to[owner][part.owner] for part, to in zip(parts, new, strict=True)]),
        start=together([part.start for part in parts]),
        until=together([part.until for part in parts]),
        links=links,
    )


def _numbers(parts: Sequence[DrawnRows]) -> tuple[int, ...]:
    """Numbers of the links that any draw has."""
    return tuple(dict.fromkeys(k for part in parts for k in part.links))


def _moved(part: DrawnRows, k: int, name: str, new: Mapping[str, Ints], schema: LinkedSchema) -> Ints:
    """Where a link points; to a row of the same unit it follows that row."""
    told, link = part.links.get(k, NO_LINKS), schema.tables[name].links[k]
    return new[link.to][told] if link.kind == "earlier" else told
