"""Linked tables made up from a public schema: units with all their rows, within the bounds, nobody's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.encoding.arrays import Bools, Floats, Ints
from synthkit.encoding.datetime_numbers import as_steps, moments_of, step_bounds
from synthkit.planning.imagined_domain import CATALOGUE, MISSING_SHARE
from synthkit.schema.columns import Column, Datetime, Identifier, Numeric
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.link import Link
from synthkit.schema.linked.linked_table import LinkedTable

CLASSES = 4  # hidden ones, which cells of a unit follow
SPAN = 1 / 40  # mean share of the time of a unit that a row lasts
NUMBERS = (0.0, 100.0)  # of a number whose bounds nobody declared
YEARS = {"min": "2000-01-01", "max": "2019-12-31"}  # of moments whose bounds nobody declared

Cells = NDArray[np.object_]


@dataclass(frozen=True, kw_only=True)
class ImaginedRows:
    """Rows of one table.

    Args:
        cells: by column. **Shape**: (n,) each.
        owner: number of the owner of each row. **Shape**: (n,).
        unit: number of its unit. **Shape**: (n,).
        start, until: when it begins and ends, as shares of the whole time. **Shape**: (n,).
    """

    cells: dict[str, Cells]
    owner: Ints
    unit: Ints
    start: Floats
    until: Floats


def imagined_units(
    schema: LinkedSchema, units: int, means: Mapping[str, float], tie: float, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Tables of units that are nobody's, catalogues among them.

    An owner has any number of rows from none to its bound, each as likely; where the mean of a table is stated, numbers
    are geometric with that mean, cut at the bound. Numbers and moments are uniform within their declared bounds, levels
    come in shares of 1, 1/2, 1/3 and so on; with a probability a cell follows a hidden class of its unit, so that
    rows lean on their unit, and on each other. Rules are not looked at: a budget maps cells, it refuses none.

    Args:
        schema: the public one.
        units: how many.
        means: rows of a unit in the mean, of the tables of which they are stated.
        tie: probability that a cell follows the class of its unit, 0 for independent cells.
        rng: of the tables, which are nobody's.

    Example:
        >>> key = {"kind": "identifier"}
        >>> owner = {"columns": ["id"], "to": "people", "kind": "owner", "max_rows_per_owner": 9}
        >>> tables = {"people": {"key": ["id"], "columns": {"id": key}}, "visits": {"links": [owner],
        ...           "columns": {"id": key, "ill": {"kind": "boolean"}}}}
        >>> made = imagined_units(LinkedSchema(unit="people", tables=tables), 100, {}, 0.0, np.random.default_rng(1))
        >>> len(made["people"]), 300 < len(made["visits"]) < 600
        (100, True)
    """
    people = _People(hidden=rng.integers(CLASSES, size=units), tie=tie)
    catalogues = {name: _catalogue(name, schema, rng) for name in schema.graph.references}
    made: dict[str, ImaginedRows] = {}
    for name in schema.graph.records:
        made[name] = _rows(name, schema, made, means, people, rng)
    for name in schema.graph.records:
        for link in schema.tables[name].links:
            _point(name, link, schema, made, catalogues, rng)
    return {
        name: pd.DataFrame(each.cells, columns=list(schema.tables[name].columns)) for name, each in made.items()
    } | {name: pd.DataFrame(cells) for name, cells in catalogues.items()}


@dataclass(frozen=True, kw_only=True)
class _People:
    """The hidden class of each unit, and how much cells follow it. **Shape**: (units,)."""

    hidden: Ints
    tie: float


def rows_of_owner(name: str, schema: LinkedSchema, means: Mapping[str, float]) -> float:
    """Rows of a table that an owner is taken to have in the mean, before any bound but its own cuts them.

    Args:
        name: of the table.
        schema: the public one, with a bound for each owner.
        means: rows of a unit in the mean, of the tables of which they are stated.
    """
    table, owner = schema.tables[name], schema.graph.owners[name]
    owners = rows_of_unit(owner, schema, means)
    if name in means:
        return means[name] / max(owners, 1e-9)
    assert table.owner is not None
    if table.owner.max_rows_per_owner is not None:
        return table.owner.max_rows_per_owner / 2
    assert table.max_rows_per_unit is not None
    return table.max_rows_per_unit / 2 / max(owners, 1.0)


def rows_of_unit(name: str, schema: LinkedSchema, means: Mapping[str, float]) -> float:
    """Rows of a table that a unit is taken to have in the mean, before bounds on a unit cut them."""
    if name == schema.unit:
        return 1.0
    if name in means:
        return means[name]
    return rows_of_owner(name, schema, means) * rows_of_unit(schema.graph.owners[name], schema, means)


def _many(name: str, schema: LinkedSchema, means: Mapping[str, float], owners: int, rng: np.random.Generator) -> Ints:
    """Rows that each owner has. **Shape**: -> (owners,)."""
    link = schema.tables[name].owner
    assert link is not None
    most = link.max_rows_per_owner
    if name not in means and most is not None:
        return rng.integers(0, most + 1, owners)
    many = rng.geometric(1 / (1 + rows_of_owner(name, schema, means)), owners) - 1
    return many if most is None else np.minimum(many, most)


def _rows(
    name: str,
    schema: LinkedSchema,
    made: Mapping[str, ImaginedRows],
    means: Mapping[str, float],
    people: _People,
    rng: np.random.Generator,
) -> ImaginedRows:
    """Rows of a table whose owners are made, links left open."""
    table = schema.tables[name]
    if name == schema.unit:
        owner = unit = np.arange(len(people.hidden))
        ends = np.sort(rng.random((len(owner), 2)), axis=1)
        start, until = ends[:, 0], ends[:, 1]
    else:
        above = made[schema.graph.owners[name]]
        owner = np.repeat(np.arange(len(above.unit)), _many(name, schema, means, len(above.unit), rng))
        unit, begin, end = above.unit[owner], above.start[owner], above.until[owner]
        start = begin + rng.random(len(owner)) * (end - begin)
        start = start[np.lexsort((start, owner))]
        until = np.minimum(start + rng.exponential(SPAN, len(owner)), 1.0)
    cells = {
        c: _names(f"{name} ", len(owner))
        if isinstance(kind, Identifier)
        else _cells(kind, len(owner), people.hidden[unit], people.tie, rng)
        for c, kind in table.columns.items()
    }
    reach = _reach(schema)
    for column, share in _moments(table, start, until):
        kind = table.columns[column]
        missing = rng.random(len(owner)) < MISSING_SHARE * kind.nullable
        cells[column] = _emptied(_moment(kind, reach, share), missing)
    place = (np.arange(len(owner)) - np.searchsorted(owner, owner) + 1).astype(object)
    cells |= {c: place for c in _numbered(table)}
    return ImaginedRows(cells=cells, owner=owner, unit=unit, start=start, until=until)


def _numbered(table: LinkedTable) -> Iterator[str]:
    """Columns that number the rows of an owner: the position, and numbers of the key that say no moment."""
    for column, kind in table.columns.items():
        in_key = column in table.key and column not in table.moments
        if isinstance(kind, Numeric) and (column == table.position or in_key):
            yield column


def _moments(table: LinkedTable, start: Floats, until: Floats) -> Iterator[tuple[str, Floats]]:
    """Columns that say when rows happen, with shares of the whole time."""
    if table.order is not None:
        yield table.order.start, start
        if table.order.until is not None:
            yield table.order.until, until
    if table.end is not None:
        yield table.end, until


def _reach(schema: LinkedSchema) -> dict[type, tuple[float, float]]:
    """The whole time: microseconds of moments, numbers of others; from the first declared bound to the last."""
    out = dict[type, tuple[float, float]]()
    for name in schema.graph.records:
        table = schema.tables[name]
        for column in table.moments:
            kind = table.columns[column]
            low, high = _ends(kind)
            known = out.get(type(kind), (low, high))
            out[type(kind)] = min(known[0], low), max(known[1], high)
    return out


def _ends(kind: Column) -> tuple[float, float]:
    """Declared or usual bounds: microseconds of moments, numbers of others."""
    if isinstance(kind, Datetime):
        usual = {key: value for key, value in YEARS.items() if getattr(kind, key) is None}
        first, last = step_bounds(kind.model_copy(update=usual))
        return float(first * kind.step), float(last * kind.step)
    assert isinstance(kind, Numeric)
    low = kind.min if kind.min is not None else (NUMBERS[0] if kind.max is None else kind.max - NUMBERS[1])
    return low, kind.max if kind.max is not None else low + NUMBERS[1]


def _moment(kind: Column, reach: Mapping[type, tuple[float, float]], share: Floats) -> Cells:
    """Shares of the whole time as cells. **Shape**: (n,) -> (n,)."""
    first, last = reach.get(type(kind)) or _ends(kind)
    return _written(kind, first + share * (last - first))


def _written(kind: Column, x: Floats) -> Cells:
    """Microseconds or numbers as cells. **Shape**: (n,) -> (n,)."""
    if isinstance(kind, Datetime):
        found = moments_of(as_steps((x // kind.step).astype(np.int64)), kind)
        return found.astype(object).to_numpy()
    assert isinstance(kind, Numeric)
    if kind.lattice is not None:
        low, high = (-np.inf if kind.min is None else kind.min), (np.inf if kind.max is None else kind.max)
        return kind.lattice.inside(x, low, high).astype(object)
    return (x if kind.decimals is None else x.round(kind.decimals)).astype(object)


def _cells(kind: Column, rows: int, hidden: Ints, tie: float, rng: np.random.Generator) -> Cells:
    """Cells of a column, some of which follow the hidden class of their unit. **Shape**: -> (n,)."""
    at = rng.random(rows)
    at = np.where(rng.random(rows) < tie, (hidden + at) / CLASSES, at)
    if isinstance(kind, Numeric | Datetime):
        low, high = _ends(kind)
        cells = _written(kind, low + at * (high - low))
    else:
        levels = getattr(kind, "levels", None) or tuple(f"code {k}" for k in range(CATALOGUE))
        law = 1 / np.arange(1.0, 1 + len(levels))
        which = np.searchsorted((law / law.sum()).cumsum(), at, side="right")
        cells = _objects(levels)[np.minimum(which, len(levels) - 1)]
    return _emptied(cells, rng.random(rows) < MISSING_SHARE * kind.nullable)


def _names(word: str, rows: int) -> Cells:
    return _objects([f"{word}{k}" for k in range(rows)])


def _objects(cells: Sequence[object]) -> Cells:
    return np.array([*cells, None], dtype=object)[:-1]  # the last one keeps numbers and texts what they are


def _emptied(cells: Cells, missing: Bools) -> Cells:
    out = cells.copy()
    out[missing] = None
    return out


def _catalogue(name: str, schema: LinkedSchema, rng: np.random.Generator) -> dict[str, Cells]:
    """A catalogue of as many rows as one is taken to have that nobody listed; keys as those that point to it know."""
    table = schema.tables[name]
    pointing = [
        (t.columns[c], at)
        for t in schema.tables.values()
        for link in t.links
        if link.to == name
        for at, c in enumerate(link.columns)
    ]
    links = [link.columns for t in schema.tables.values() for link in t.links if link.to == name]
    key = table.key or next(iter(links), ())
    known = {at: tuple(levels) for kind, at in pointing if (levels := getattr(kind, "levels", None))}
    rows = max([len(levels) for levels in known.values()], default=CATALOGUE)
    none = np.zeros(rows, dtype=np.int64)
    out = {c: _cells(kind, rows, none, 0.0, rng) for c, kind in table.columns.items()}
    for at, column in enumerate(key):
        levels = known.get(at)
        listed = None if levels is None else _objects([levels[k % len(levels)] for k in range(rows)])
        out[column] = _names(f"{name} ", rows) if listed is None else listed
    return out


def _point(
    name: str,
    link: Link,
    schema: LinkedSchema,
    made: Mapping[str, ImaginedRows],
    catalogues: Mapping[str, Mapping[str, Cells]],
    rng: np.random.Generator,
) -> None:
    """Fill in the keys of a link: owners as they are, other rows by chance."""
    rows, key = made[name], schema.tables[link.to].key
    there = catalogues[link.to] if link.kind == "reference" else made[link.to].cells
    if link.kind == "reference":
        key = key or link.columns
        law = 1 / np.arange(1.0, 1 + len(there[key[0]]))
        at = rng.choice(len(law), len(rows.unit), p=law / law.sum())
    elif link.kind in ("owner", "implied"):
        at, above = rows.owner, schema.graph.owners[name]
        while above != link.to:
            at, above = made[above].owner[at], schema.graph.owners[above]
    elif link.kind == "earlier":
        at = _another(rows.unit, made[link.to].unit, rng)
    else:
        at = rng.integers(max(len(made[link.to].unit), 1), size=len(rows.unit))
    for column, named in zip(link.columns, key, strict=True):
        cells = there[named]
        none = np.full(len(at), None, dtype=object)
        rows.cells[column] = _emptied(cells[np.maximum(at, 0)], at < 0) if len(cells) else none


def _another(unit: Ints, units: Ints, rng: np.random.Generator) -> Ints:
    """A row of the same unit, by chance; -1 where it has none. **Shape**: (n,), (m,) -> (n,)."""
    first, last = np.searchsorted(units, unit), np.searchsorted(units, unit, side="right")
    return np.where(last > first, first + (rng.random(len(unit)) * (last - first)).astype(np.int64), -1)
