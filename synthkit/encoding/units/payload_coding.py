"""The values of a row as slots, with a slot before each value that rows repeat: drawn anew, or the same again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from synthkit.encoding.arrays import Bools, Cells, Floats, Ints
from synthkit.encoding.datetime_numbers import MISSING_STEP, as_steps
from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.layout import ForbiddenCombination, Layout, Rows, Slot
from synthkit.encoding.smoothing import log_shares
from synthkit.schema import Datetime, Schema

ANEW, AS_BEFORE, AS_IN_SERIES = 0, 1, 2  # levels of a copy slot


@dataclass(frozen=True, kw_only=True)
class PayloadCoding:
    """Coding of the learned columns of one table, copies included.

    Args:
        encoder: of the learned columns.
        copies: coded columns that rows repeat, with how many rows of each level of the series take them anew, from the
            row before, or from the last row of their series. **Shape**: (S, 2 or 3) each.
        series: column that tells series apart.
        nearest: of each such column, which source a value equal to both is taken from, by level of the series: two
            values that agree always must not be told apart by chance. **Shape**: (S,) each.
    """

    encoder: TableEncoder
    copies: Mapping[str, Ints]
    series: str | None = None
    nearest: Mapping[str, Ints] = field(default_factory=dict)

    @cached_property
    def layout(self) -> Layout:
        """The slots, a copy slot right before the slots of the value it speaks of."""
        old, slots, columns = self.encoder.layout, list[Slot](), list[str]()
        for j, slot in enumerate(old.slots):
            name = old.columns[j]
            if name in self.copies and slot.parent is None:
                prior = log_shares(self.copies[name].sum(axis=0))
                slots.append(
                    Slot(name=f"{name}:copy", size=len(prior), ordinal=False, missing=False, parent=None, prior=prior)
                )
                columns.append(name)
            parent = None if slot.parent is None else int(self.plain[slot.parent])
            slots.append(replace(slot, parent=parent))
            columns.append(name)
        clauses = tuple(
            ForbiddenCombination(tuple((int(self.plain[s]), marked) for s, marked in clause.literals))
            for clause in old.clauses
        )
        return Layout(tuple(slots), tuple(columns), old.residuals, clauses)

    @cached_property
    def plain(self) -> Ints:
        """Slot of each of the encoder's slots. **Shape**: (d,)."""
        old, out, at = self.encoder.layout, [], 0
        for j, slot in enumerate(old.slots):
            at += old.columns[j] in self.copies and slot.parent is None
            out.append(at)
            at += 1
        return np.array(out, dtype=np.int64)

    @cached_property
    def copied(self) -> dict[int, tuple[tuple[int, ...], int | None]]:
        """For each copy slot the slots of its value, and its residual."""
        out: dict[int, tuple[tuple[int, ...], int | None]] = {}
        for name in self.copies:
            mine = self.encoder.layout.slots_of(name)
            slots = tuple(int(self.plain[j]) for j in mine)
            residual = self.encoder.layout.residuals_of(name)
            out[slots[0] - 1] = (slots, residual[0] if residual else None)
        return out

    @cached_property
    def series_slot(self) -> int | None:
        """The slot that is known from the event."""
        return None if self.series is None else self.slot(self.series)

    def taken(self, at: int, cat: Ints) -> Bools:
        """Sources that rows of each series have ever taken a value from: others would be odd. **Shape**: (n, K)."""
        counts = self.copies[self.layout.columns[at]]
        level = np.zeros(len(cat), dtype=np.int64) if self.series_slot is None else cat[:, self.series_slot]
        return np.asarray(counts[level] > 0)

    def slot(self, column: str) -> int:
        """First slot of the value of a learned column."""
        return self.coarse(next(name for name, members in self.encoder.recoding.columns.items() if column in members))

    def coarse(self, coded: str) -> int:
        """First slot of the value of a coded column."""
        return int(self.plain[self.encoder.layout.slots_of(coded)[0]])

    def widen(self, rows: Rows, before: Ints, in_series: Ints) -> Rows:
        """Encoded rows with their copy slots.

        Args:
            rows: as the encoder codes them.
            before: row before each in its unit, -1 for none. **Shape**: (n,).
            in_series: last row of its series. **Shape**: (n,).
        """
        cat = torch.zeros((len(rows), len(self.layout.slots)), dtype=torch.int32)
        cat[:, torch.from_numpy(self.plain)] = rows.cat.int()
        for at, (slots, residual) in self.copied.items():
            again = _same(cat, rows.num, slots, residual, before)
            level = np.where(again, AS_BEFORE, ANEW)
            if self.layout.sizes[at] > AS_IN_SERIES and self.series_slot is not None:
                continued = _same(cat, rows.num, slots, residual, in_series)
                first = self.nearest[self.layout.columns[at]][cat[:, self.series_slot].numpy()]
                level = np.where(continued & (~again | (first == AS_IN_SERIES)), AS_IN_SERIES, level)
            cat[:, at] = torch.from_numpy(level.astype(np.int32))
        return Rows(cat, rows.num)

    def narrow(self, rows: Rows) -> Rows:
        """Rows as the encoder decodes them."""
        return Rows(rows.cat[:, torch.from_numpy(self.plain)], rows.num)

    def numbers(self, rows: Rows, names: tuple[str, ...]) -> dict[str, Floats]:
        """Some numeric columns and levels that are numbers, decoded. **Shape**: Rows of n -> (n,) each."""
        encoder = self.encoder
        gaps = {gap.column: gap for gap in encoder.recoding.gaps}
        wanted, queue = dict[str, None](), list(names)
        while queue:
            name = queue.pop()
            wanted[name] = None
            queue += [a.column for a in gaps[name].anchors if a.column not in wanted] if name in gaps else []
        narrow = self.narrow(rows)
        cat, num = narrow.cat.cpu().numpy(), narrow.num.cpu().numpy()
        out: dict[str, Cells] = {}
        for name in wanted:
            codec, layout = encoder.codecs[name], encoder.layout
            levels = cat[:, list(layout.slots_of(name))].astype(np.int64)
            out[name] = codec.decode_column(levels, num[:, list(layout.residuals_of(name))])[0]
        kinds = encoder.schema.columns
        read = {k: as_steps(v) if isinstance(kinds[k], Datetime) else _floats(v) for k, v in out.items()}
        for name, gap in gaps.items():
            if name in wanted:
                read[name] = gap.measured(read, kinds[name])
        return {n: np.where(read[n] == MISSING_STEP, np.nan, read[n].astype(np.float64)) for n in names}

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; the schema travels beside it."""
        copies = {name: counts.tolist() for name, counts in self.copies.items()}
        nearest = {name: sources.tolist() for name, sources in self.nearest.items()}
        return {"encoder": self.encoder.to_dict(), "copies": copies, "series": self.series, "nearest": nearest}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], schema: Schema) -> PayloadCoding:
        """Read what `to_dict` gave."""
        copies = {name: np.array(counts, dtype=np.int64) for name, counts in data["copies"].items()}
        nearest = {name: np.array(sources, dtype=np.int64) for name, sources in data["nearest"].items()}
        encoder = TableEncoder.from_dict(dict(data["encoder"]), schema)
        return cls(encoder=encoder, copies=copies, series=data["series"], nearest=nearest)


def _floats(values: Cells) -> Floats:
    """Numbers, NaN where there is none. **Shape**: (n,) -> (n,)."""
    return np.asarray(pd.to_numeric(pd.Series(values), errors="coerce"), dtype=np.float64)


def _same(cat: torch.Tensor, num: torch.Tensor, slots: tuple[int, ...], residual: int | None, source: Ints) -> Bools:
    """Rows whose value is coded as that of another row is. **Shape**: (n, d), (n, r), (n,) -> (n,)."""
    there = torch.from_numpy(np.maximum(source, 0))
    same = (cat[:, list(slots)] == cat[there][:, list(slots)]).all(dim=1)
    if residual is not None:
        same &= num[:, residual] == num[there, residual]
    return np.asarray(same.numpy() & (source >= 0))


def may_be_copied(encoder: TableEncoder, name: str) -> bool:
    """Whether the value of a coded column may be taken from another row: it stands by itself, and is no bookkeeping."""
    members = encoder.recoding.columns[name]
    gapped = {gap.column for gap in encoder.recoding.gaps}
    return len(members) == 1 and name not in gapped and not name.startswith("(")


def coarse_levels(encoder: TableEncoder, column: str, coded: pd.DataFrame) -> Ints:
    """Coarse level of each row in a coded column. **Shape**: recoded frame of n rows -> (n,)."""
    found, _ = encoder.codecs[column].encode_column(coded[list(encoder.recoding.columns[column])])
    return found[:, 0].astype(np.int64)
