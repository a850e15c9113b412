"""Drawn units as linked tables: values, moments, keys of every kind, totals and what is computed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.codecs.identifier import fresh
from synthkit.encoding.layout import Rows
from synthkit.encoding.units.drawn_units import DrawnRows, DrawnUnits
from synthkit.encoding.units.learned_table import LearnedTable, pointer
from synthkit.encoding.units.moment_bounds import moments_beside
from synthkit.encoding.units.shared_tables import hub_numbers, with_fresh_keys
from synthkit.encoding.units.unit_clock import MISSING_TICK
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.schema import Identifier, Numeric
from synthkit.schema.conform import conform
from synthkit.schema.derived import rows_keeping_rules, with_derived
from synthkit.schema.linked.link import Link
from synthkit.schema.linked.linked_rules import Total


def row_values(each: LearnedTable, encoder: UnitEncoder, rows: Rows, start: Ints, until: Ints) -> pd.DataFrame:
    """Values and moments of rows: every column that is no key and is not computed. **Shape**: Rows of n -> n rows.

    Args:
        each: what is learned of the table.
        encoder: the coding.
        rows: the encoded rows.
        start: when they happen. **Shape**: (n,).
        until: when they end. **Shape**: (n,).
    """
    payload, clock, columns = encoder.payloads[each.name], encoder.clock, each.table.columns
    decoded = payload.encoder.decode(payload.narrow(rows), np.random.default_rng(0))  # nothing is drawn: no identifiers
    out: dict[str, pd.Series] = {}
    for name, column in columns.items():
        if each.timed and name == each.start and clock.tells(column):
            out[name] = clock.values(start, column)
        elif name == each.until:
            out[name] = clock.values(until, column)
        elif name in each.offsets:
            told = pd.to_numeric(decoded[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
            away = np.where(np.isnan(told), MISSING_TICK, np.nan_to_num(told).astype(np.int64))
            kind = each.schema.columns[name]
            assert isinstance(kind, Numeric)
            out[name] = clock.values(moments_beside(start, away, kind, column, clock), column)
        elif name in decoded:
            out[name] = decoded[name]
    return pd.DataFrame(out, index=range(len(start)), copy=False)


def obeying(each: LearnedTable, encoder: UnitEncoder, rows: Rows, start: Ints, until: Ints) -> Bools:
    """Which rows obey the rules of their table. **Shape**: Rows of n -> (n,)."""
    assert each.check is not None
    frame = conform(row_values(each, encoder, rows, start, until), each.check, partial=True)
    return rows_keeping_rules(with_derived(frame, each.check), each.check)


def decode_units(
    encoder: UnitEncoder,
    roots: pd.DataFrame,
    drawn: DrawnUnits,
    rng: np.random.Generator,
    shared: Mapping[str, pd.DataFrame] | None = None,
    told: Mapping[str, tuple[Ints, pd.DataFrame]] | None = None,
) -> dict[str, pd.DataFrame]:
    """Drawn units as tables: keys fresh and right, totals and derived columns computed last.

    Args:
        encoder: the coding.
        roots: learned columns of the units. **Shape**: (units, d).
        drawn: everything below them.
        rng: of fresh identifiers, and of rows of other units that are pointed to.
        shared: rows that several units have in common, see `shared_tables.remade`.
        told: by table, rows whose values are known, and these.
    """
    schema = encoder.schema
    unit = schema.unit
    common = with_fresh_keys(shared or {}, schema, rng)
    root = {c: roots[c] for c in schema.tables[unit].columns if c in roots}
    frames = {unit: pd.DataFrame(root, index=range(len(roots)))}
    units = {unit: np.arange(len(roots))}
    for name, rows in drawn.tables.items():
        frames[name] = row_values(encoder.learned[name], encoder, rows.rows, rows.start, rows.until)
        if told and name in told:
            frames[name] = _as_told(frames[name], *told[name])
        units[name] = units[schema.graph.owners[name]][rows.owner]
    for name in schema.graph.records:
        each = encoder.learned[name]
        frames[name] = _identified(each, frames[name], drawn.tables.get(name), rng)
    frames[unit] = _units_linked(encoder, {**frames, **common}, roots, units, rng)
    for name in schema.graph.owners:
        frames[name] = _linked(name, encoder, {**frames, **common}, drawn, units, rng)
    for name in reversed(schema.graph.records):
        frames[name] = _computed(name, encoder, frames, drawn)
    out = {
        name: _in_order(encoder.learned[name], frames[name], drawn.tables.get(name)) for name in schema.graph.records
    }
    return {name: frame[list(schema.tables[name].columns)] for name, frame in {**out, **common}.items()}


def _in_order(each: LearnedTable, frame: pd.DataFrame, drawn: DrawnRows | None) -> pd.DataFrame:
    """Rows of one owner by when they happen, then by when they end."""
    if drawn is None or not each.table.moments:
        return frame
    return frame.iloc[_order(each, frame, drawn)].reset_index(drop=True)


def _order(each: LearnedTable, frame: pd.DataFrame, drawn: DrawnRows | None) -> Ints:
    owner = np.zeros(len(frame), dtype=np.int64) if drawn is None else drawn.owner
    order = np.arange(len(frame))
    for column in reversed([c for c in each.table.moments if c in frame]):
        order = order[np.argsort(frame[column].to_numpy()[order], kind="stable")]
    return order[np.argsort(owner[order], kind="stable")]


def _as_told(frame: pd.DataFrame, rows: Ints, known: pd.DataFrame) -> pd.DataFrame:
    """Rows with values that are known exactly as they are."""
    out = {}
    for name in frame:
        cells = frame[name].astype(object).to_numpy(copy=True)
        cells[rows] = known[name].astype(object).to_numpy()
        out[name] = pd.Series(cells, dtype=object)
    return pd.DataFrame(out, index=frame.index)


def _identified(
    each: LearnedTable, frame: pd.DataFrame, drawn: DrawnRows | None, rng: np.random.Generator
) -> pd.DataFrame:
    """Fresh identifiers, and the numbers of rows within their owner."""
    linked = {c for link in each.table.links if link.kind != "reference" for c in link.columns}
    out = {}
    for name, column in each.table.columns.items():
        if name in frame or name in linked or not isinstance(column, Identifier):
            continue
        key = name in each.table.key
        made = fresh(name, column.model_copy(update={"unique": True}) if key else column, len(frame), rng)
        in_order = each.table.order is not None and name in each.table.moments
        out[name] = pd.Series(np.sort(made.to_numpy(dtype=object))) if in_order else made
    for name in each.numbered:
        out[name] = pd.Series(_places(each, frame, drawn) + 1)
    return frame.assign(**out)


def _places(each: LearnedTable, frame: pd.DataFrame, drawn: DrawnRows | None) -> Ints:
    """Place of each row among those of its owner, by when they happen. **Shape**: (n,)."""
    owner = np.zeros(len(frame), dtype=np.int64) if drawn is None else drawn.owner
    order = _order(each, frame, drawn)
    out = np.empty(len(order), dtype=np.int64)
    out[order] = np.arange(len(order)) - np.searchsorted(owner[order], owner[order])
    return out


def _units_linked(
    encoder: UnitEncoder,
    frames: Mapping[str, pd.DataFrame],
    roots: pd.DataFrame,
    units: Mapping[str, Ints],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Keys of units that point to rows they share with others, or to other units."""
    unit = encoder.schema.unit
    out: dict[str, pd.Series] = {}
    for k, kind in encoder.learned[unit].linked.items():
        link, told = encoder.schema.tables[unit].links[k], roots[pointer(k)]
        if kind == "shared":
            rows = hub_numbers(told)
        elif kind == "peer":
            rows = told.to_numpy(dtype=np.int64)
        else:
            continue
        there = _pointed(rows, link, frames, units, unit, rng)
        out |= _keys(link, frames[link.to], encoder.schema.tables[link.to].key, there)
    return frames[unit].assign(**out)[[*frames[unit], *(c for c in out if c not in frames[unit])]]


def _linked(
    name: str,
    encoder: UnitEncoder,
    frames: Mapping[str, pd.DataFrame],
    drawn: DrawnUnits,
    units: Mapping[str, Ints],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Keys that point to other rows; what the owner says goes before what others say."""
    schema, frame = encoder.schema, frames[name]
    owners = {schema.graph.owners[name]: drawn.tables[name].owner}
    out: dict[str, pd.Series] = {}
    for k, link in enumerate(schema.tables[name].links):
        if link.kind in ("earlier", "shared", "peer"):
            there = _pointed(
                drawn.tables[name].links.get(k, np.empty(0, dtype=np.int64)), link, frames, units, name, rng
            )
            out |= _keys(link, frames[link.to], schema.tables[link.to].key, there)
    above, rows = schema.graph.owners[name], drawn.tables[name].owner
    for ancestor in schema.graph.ancestors(name)[1:]:
        rows = drawn.tables[above].owner[rows]
        above = ancestor
        owners[ancestor] = rows
    for kind in ("implied", "owner"):
        for link in schema.tables[name].links:
            if link.kind == kind:
                out |= _keys(link, frames[link.to], schema.tables[link.to].key, owners[link.to])
    learned = {c for link in schema.tables[name].links if link.kind == "reference" for c in link.columns}
    return frame.assign(**{c: v for c, v in out.items() if c not in learned or c not in frame})


def _keys(link: Link, to: pd.DataFrame, key: tuple[str, ...], rows: Ints) -> dict[str, pd.Series]:
    """The key of a row for each row, missing where it points nowhere."""
    out = {}
    for column, there in zip(link.columns, key, strict=True):
        values = to[there].to_numpy(dtype=object)
        found = np.full(len(rows), None, dtype=object)
        found[rows >= 0] = values[rows[rows >= 0]]
        out[column] = pd.Series(found, dtype=object)
    return out


def _pointed(
    told: Ints,
    link: Link,
    frames: Mapping[str, pd.DataFrame],
    units: Mapping[str, Ints],
    name: str,
    rng: np.random.Generator,
) -> Ints:
    """Rows that links point to, -1 for none. **Shape**: (n,)."""
    if link.kind == "earlier" or not len(told):
        return told
    many = len(frames[link.to])
    if not many:
        return np.full(len(told), -1)
    if link.kind == "shared":
        return np.where(told == -2, many - 1, np.minimum(told, many - 1))  # the last row stands for all others
    anyone = rng.integers(many, size=len(told))
    for _ in range(20):
        own = units[link.to][anyone] == units[name]
        if not own.any():
            break
        anyone[own] = rng.integers(many, size=int(own.sum()))
    return np.where((told > 0) & (units[link.to][anyone] != units[name]), anyone, -1)


def _computed(name: str, encoder: UnitEncoder, frames: Mapping[str, pd.DataFrame], drawn: DrawnUnits) -> pd.DataFrame:
    """Totals over what rows own, and derived columns."""
    schema, frame = encoder.schema, frames[name]
    for rule in schema.rules:
        table, _, column = rule.parent.partition(".") if isinstance(rule, Total) else ("", "", "")
        if table != name or not isinstance(rule, Total):
            continue
        child, _, summed = rule.child.partition(".")
        kind, owner = schema.tables[name].columns[column], drawn.tables[child].owner
        assert isinstance(kind, Numeric)
        values = (
            np.ones(len(owner)) if not summed else frames[child][summed].to_numpy(dtype=np.float64, na_value=np.nan)
        )
        total = np.bincount(owner, weights=np.nan_to_num(values), minlength=len(frame))
        frame = frame.assign(**{column: total if kind.decimals is None else np.round(total, kind.decimals)})
    alone = schema.tables[name].alone(name)
    frame = conform(frame[[c for c in alone.columns if c in frame]], alone, partial=True)
    return with_derived(frame, alone)
