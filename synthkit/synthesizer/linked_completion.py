"""Units that are known in part: static values, beginnings to be continued, missing cells, values never seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.layout import Given, Rows
from synthkit.encoding.units.begun_units import BegunUnits
from synthkit.encoding.units.drawn_units import DrawnUnits
from synthkit.encoding.units.learned_table import FIRST, LAST, rows_of
from synthkit.encoding.units.sequences import Sequences
from synthkit.encoding.units.unit_classes import UnitClasses
from synthkit.encoding.units.unit_decoder import row_values
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.errors import SchemaError
from synthkit.models.unit_base import UnitModel
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Datetime
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.linked_rules import NothingAfter
from synthkit.synthesizer.conditional import ConditionalSampler
from synthkit.synthesizer.given_keys import parted_keys
from synthkit.synthesizer.rule_sampling import REDRAW_ROUNDS
from synthkit.tables.linked_tables import LinkedTables

ROUNDS_OF_ROOTS = 12  # how often a root is drawn again that falls short of what has happened


@dataclass(frozen=True, kw_only=True)
class KnownUnits:
    """What is known of units that are to be drawn.

    Args:
        units: how many.
        encoder: the coding.
        static: values all units have, by column, or a frame of a row a unit.
        begun: what has happened to them so far.
        tables: the same, as it was given.
        keys: of the units, where they are given. **Shape**: (units, columns).
    """

    units: int
    encoder: UnitEncoder
    static: Mapping[str, Any] | pd.DataFrame
    begun: BegunUnits | None
    tables: LinkedTables | None = None
    keys: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    def of(
        cls, given: Mapping[str, Any], units: int, encoder: UnitEncoder, references: Mapping[str, pd.DataFrame]
    ) -> KnownUnits:
        """What `given` says.

        Args:
            given: by table, what is known.
            units: how many.
            encoder: the coding.
            references: public catalogues, to which what has happened may point.

        Raises:
            SchemaError: it names other than tables of records, begins units without saying which they are, or has a
                key twice.
        """
        schema = encoder.schema
        strange = sorted(name for name in given if name not in schema.graph.records)
        if strange:
            msg = f"`given` must name tables of records; however: `{strange[0]}` is none. Give values by table"
            raise SchemaError(msg)
        static = given.get(schema.unit, {})
        bare, named = parted_keys(static, schema)
        rows = {name: frame for name, frame in given.items() if name != schema.unit}
        if not rows:
            return cls(units=units, encoder=encoder, static=bare, begun=None, keys=named)
        if not isinstance(static, pd.DataFrame) or len(static) != units:
            msg = (
                f"units that are to be continued must be given as a frame of `{schema.unit}` with their keys, one row "
                f"each; however: {len(static) if isinstance(static, pd.DataFrame) else 'no'} rows for {units}"
            )
            raise SchemaError(msg)
        whole = {name: _whole(name, rows.get(name), encoder) for name in schema.graph.owners}
        shared = {name: _empty(tuple(schema.tables[name].columns)) for name in schema.graph.shared}
        known = static.reset_index(drop=True).reindex(columns=list(schema.tables[schema.unit].columns))
        tables = LinkedTables.of({schema.unit: known, **whole, **shared, **references}, schema, few=True)
        frames = encoder.frames(tables)
        coded = replace(frames, frames={**frames.frames, schema.unit: _any_root(encoder, units)})
        sequences = encoder.encode(coded)
        keys = [c for c in static.columns if c in encoder.root.schema.learned]
        begun = BegunUnits(frames=frames, sequences=sequences, tables=encoder.tables)
        return cls(units=units, encoder=encoder, static=static[keys], begun=begun, tables=tables, keys=named)

    def complete(self, model: UnitModel, seeds: Seeds) -> pd.DataFrame:
        """Learned columns of the units; they own at least as many rows as they have. **Shape**: (units, d).

        Raises:
            SchemaError: what is given contradicts the schema.
        """
        sampler = ConditionalSampler(self.encoder.root, model.root, seeds, REDRAW_ROUNDS)
        frame, known = sampler.partial(self.units, self.static)
        if self.begun is None:
            return sampler.fill(frame, known, present=False)
        unit = self.encoder.schema.unit
        out = sampler.fill(frame, known, present=False)
        for _ in range(ROUNDS_OF_ROOTS):
            short = self._short(out)
            if not short.any():
                break
            at = np.flatnonzero(short)
            again = sampler.fill(
                frame.iloc[at].reset_index(drop=True), known.iloc[at].reset_index(drop=True), present=False
            )
            out = pd.concat([out[~short], again.set_index(at)]).sort_index()
        so_far = self.begun.frames
        for child in self.encoder.schema.graph.children(unit):
            column = rows_of(child)
            out[column] = np.maximum(out[column].to_numpy(dtype=np.int64), so_far.counts[child])
        if FIRST in out:
            first, last = so_far.frames[unit][FIRST].reset_index(drop=True), _last(so_far.frames[unit])
            out[FIRST] = _either(first, out[FIRST], first.notna())
            later = _either(out[LAST], last, out[LAST].notna() & ~(out[LAST] < last))
            out[LAST] = _either(later, out[FIRST], later.notna() & ~(later < out[FIRST]))
        return out

    def told(self, drawn: DrawnUnits) -> dict[str, tuple[Ints, pd.DataFrame]]:
        """Where the rows that were given stand among the drawn ones, by table, and their values as they came."""
        if self.begun is None or self.tables is None:
            return {}
        units, out = {self.encoder.schema.unit: np.arange(self.units)}, {}
        for name, rows in drawn.tables.items():
            unit = units[name] = units[self.encoder.schema.graph.owners[name]][rows.owner]
            so_far = np.bincount(self.tables.units[name], minlength=self.units)
            place = np.arange(len(unit)) - np.searchsorted(unit, unit)
            out[name] = np.flatnonzero(place < so_far[unit]), self.tables.frames[name]
        return out

    def _short(self, roots: pd.DataFrame) -> NDArray[np.bool_]:
        """Units that own fewer rows than they have had, or end before the last of these."""
        assert self.begun is not None
        unit, frames = self.encoder.schema.unit, self.begun.frames
        out = np.zeros(len(roots), dtype=bool)
        for child in self.encoder.schema.graph.children(unit):
            out |= roots[rows_of(child)].to_numpy(dtype=np.int64) < frames.counts[child]
        if LAST in roots:
            out |= (roots[LAST] < _last(frames.frames[unit])).fillna(value=False).to_numpy(dtype=bool)
        return out


def _last(units: pd.DataFrame) -> pd.Series:
    """Last moment of each unit so far: of a single row the first says it. **Shape**: (units,)."""
    return units[LAST].fillna(units[FIRST]).reset_index(drop=True)


def _either(one: pd.Series, other: pd.Series, where: pd.Series) -> pd.Series:
    """The one where it holds, the other elsewhere."""
    return pd.Series(np.where(where.to_numpy(dtype=bool), one.to_numpy(), other.to_numpy()))


def _any_root(encoder: UnitEncoder, units: int) -> pd.DataFrame:
    """Units that can be encoded, whatever they are; what is drawn takes their place. **Shape**: (units, d)."""
    layout = encoder.root.layout
    rows = torch.zeros((1, len(layout.slots)), dtype=torch.long)
    frame = encoder.root.decode(Rows(rows, torch.full((1, len(layout.residuals)), 0.5)), np.random.default_rng(0))
    return frame.iloc[np.zeros(units, dtype=np.int64)].reset_index(drop=True)


def _whole(name: str, frame: pd.DataFrame | None, encoder: UnitEncoder) -> pd.DataFrame:
    columns = tuple(encoder.schema.tables[name].columns)
    return _empty(columns) if frame is None else frame.reset_index(drop=True).reindex(columns=list(columns))


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({c: pd.Series([], dtype=object) for c in columns})


def usual(frames: UnitFrames, encoder: UnitEncoder) -> tuple[UnitFrames, dict[str, Floats]]:
    """Units in which values never seen are the commonest ones, and what that costs each row, by table, nats."""
    out, extra = dict(frames.frames), dict[str, Floats]()
    for name, frame in frames.frames.items():
        coding = encoder.root if name == encoder.schema.unit else encoder.payloads[name].encoder
        extra[name] = np.zeros(len(frame))
        coded = coding.recoding.forward(frame)
        for column, codec in coding.codecs.items():
            members = list(coding.recoding.columns[column])
            strange, common = codec.unseen(coded[members])
            if strange.any():
                extra[name] += np.where(strange, np.log(max(float(codec.level_counts.sum()), 1.0)), 0.0)
                frame = frame.assign(  # noqa: PLW2901
                    **{
                        c: frame[c].astype(object).mask(strange, value)
                        for c, value in zip(members, common, strict=True)
                    }
                )
            extra[name] += codec.log_width(coded[members], graded=True)
        out[name] = frame
    return replace(frames, frames=out), extra


def fillable(schema: LinkedSchema, name: str) -> tuple[str, ...]:
    """Columns of a table whose missing cells can be filled: values that are no keys and tell no time.

    A moment that is missing says that something has not happened: that a stay goes on, or that a person lives.
    """
    table = schema.tables[name]
    ends = (
        {r.moment.partition(".")[2] for r in schema.rules if isinstance(r, NothingAfter)} if name == schema.unit else ()
    )
    told = {*table.moments, table.end, *ends}
    return tuple(c for c in table.payload if c not in told and not isinstance(table.columns[c], Datetime))


def imputed(
    tables: LinkedTables, encoder: UnitEncoder, model: UnitModel, seeds: Seeds, classes: UnitClasses | None
) -> dict[str, pd.DataFrame]:
    """Tables with missing cells of values filled, rows where they stood. **Shape**: by table, as it was.

    Args:
        tables: the units.
        encoder: the coding.
        model: the fitted model.
        seeds: of the draws.
        classes: how units are put into latent classes.
    """
    unit = encoder.schema.unit
    told = encoder.frames(tables)
    told = told if classes is None else told.with_classes(unit, classes.of(told))
    frames, _ = usual(told, encoder)
    out = {unit: _imputed_roots(tables.frames[unit], frames.frames[unit], encoder, model, seeds)}
    sequences = encoder.encode(frames)
    for name in encoder.tables:
        whole, each = tables.frames[name], encoder.learned[name]  # in the order of the units
        values = [c for c in each.schema.columns if c in fillable(encoder.schema, name)]
        rows = np.flatnonzero(whole[values].isna().any(axis=1).to_numpy()) if values else np.empty(0, dtype=np.int64)
        if len(rows):
            drawn = _filled(name, rows, values, frames, encoder, model, seeds, sequences)
            whole = _with_filled(whole, drawn, rows, values)
        out[name] = whole
    return {n: frame.iloc[np.argsort(tables.places[n])].reset_index(drop=True) for n, frame in out.items()}


def _filled(
    name: str,
    rows: Ints,
    values: list[str],
    frames: UnitFrames,
    encoder: UnitEncoder,
    model: UnitModel,
    seeds: Seeds,
    sequences: Sequences,
) -> pd.DataFrame:
    """Some rows of a table with their missing values drawn. **Shape**: rows (n,) -> frame of n rows."""
    coding, learned = encoder.payloads[name], frames.frames[name].iloc[rows].reset_index(drop=True)
    known = learned.notna()
    known[[c for c in learned.columns if c not in values]] = True
    narrow = coding.encoder.given(learned, known, present=True)
    cat = torch.full((len(rows), len(coding.layout.slots)), -1, dtype=torch.long)
    cat[:, torch.from_numpy(coding.plain)] = narrow.cat
    for at in coding.copied:
        cat[:, at] = 0  # what is filled is drawn anew
    allowed = {int(coding.plain[j]): told for j, told in narrow.allowed.items()}
    steps = frames.order.step[name][rows]
    drawn = model.complete(name, sequences, steps, Given(cat, allowed), seeds.torch(f"impute {name}"))
    times = frames.times[name]
    return row_values(encoder.learned[name], encoder, drawn, times.start[rows], times.until[rows])


def _with_filled(whole: pd.DataFrame, found: pd.DataFrame, rows: Ints, values: list[str]) -> pd.DataFrame:
    """A table whose missing cells in some rows are those that were found."""
    out = whole.copy()
    for column in values:
        if column in found:
            missing = out[column].isna().to_numpy()[rows]
            cells = out[column].astype(object).to_numpy(copy=True)
            cells[rows[missing]] = found[column].astype(object).to_numpy()[missing]
            out[column] = pd.Series(cells, dtype=object)
    return out


def _imputed_roots(
    whole: pd.DataFrame, learned: pd.DataFrame, encoder: UnitEncoder, model: UnitModel, seeds: Seeds
) -> pd.DataFrame:
    """Units with missing cells filled, given how many rows they own and when these begin and end."""
    values = [c for c in encoder.root.schema.learned if c in fillable(encoder.schema, encoder.schema.unit)]
    rows = np.flatnonzero(whole[values].isna().any(axis=1).to_numpy()) if values else np.empty(0, dtype=np.int64)
    if not len(rows):
        return whole
    part = learned.iloc[rows].reset_index(drop=True)
    known = part.notna()
    known[[c for c in part.columns if c not in values]] = True
    sampler = ConditionalSampler(encoder.root, model.root, seeds, REDRAW_ROUNDS)
    found = sampler.fill(part, known, present=True)
    return _with_filled(whole, found, rows, values)
