"""What is known of units before anything below them is drawn."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthkit.encoding.arrays import Ints
from synthkit.encoding.units.learned_table import FIRST, LAST, rows_of
from synthkit.encoding.units.moment_bounds import MomentBounds, owned_between
from synthkit.encoding.units.unit_clock import LATEST, MISSING_TICK
from synthkit.encoding.units.unit_encoder import UnitEncoder


@dataclass(frozen=True, kw_only=True)
class RootFacts:
    """What is known of units before anything below them is drawn. **Shape**: (units,) each.

    Args:
        cat: their levels. **Shape**: (units, d).
        owed: rows of each table that they own. **Shape**: (units, T).
        first, last: moments of the first and the last of them in time.
        ends: moment after which no row of each table happens. **Shape**: (units, T).
        born, gone: when the units themselves begin and end, MISSING_TICK where they do not say.
    """

    cat: Tensor
    owed: Ints
    first: Ints
    last: Ints
    ends: Ints
    born: Ints
    gone: Ints

    @classmethod
    def of(cls, encoder: UnitEncoder, roots: pd.DataFrame) -> RootFacts:
        """Of learned columns of units."""
        n, names, clock = len(roots), encoder.tables, encoder.clock
        owed = np.zeros((n, len(names)), dtype=np.int64)
        kinds = encoder.learned[encoder.schema.unit].schema.columns
        for child in encoder.schema.graph.children(encoder.schema.unit):
            owed[:, names.index(child)] = roots[rows_of(child)].to_numpy(dtype=np.int64)
        span = [np.full(n, MISSING_TICK)] * 2
        if FIRST in kinds:
            span = [clock.ticks(roots[name], kinds[name]) for name in (FIRST, LAST)]
        ends = np.full((n, len(names)), LATEST)
        for t, name in enumerate(names):
            for column in encoder.learned[name].bounds:
                if encoder.learned[name].timed and column in roots:
                    kind = encoder.schema.tables[encoder.schema.unit].columns[column]
                    when = clock.ticks(roots[column], kind)
                    until = when + clock.shared_step(kind) - 1  # a day without an hour is over when the next begins
                    ends[:, t] = np.minimum(ends[:, t], np.where(when == MISSING_TICK, LATEST, until))
        timed = np.array([encoder.learned[name].timed for name in names], dtype=bool)
        last = np.where(owed[:, timed].sum(axis=1) > 1, np.maximum(*span), span[0])  # one row is first and last
        bounds = [MomentBounds.of(encoder.learned[name], clock) for name in names]
        born, gone = _of_units(encoder, roots)
        low, high = owned_between(bounds, (owed > 0) & timed)
        low = np.maximum(low, np.where(born == MISSING_TICK, low, np.minimum(born, high)))
        first, last = (np.where(x == MISSING_TICK, x, np.clip(x, low, high)) for x in (span[0], last))
        cat = encoder.root.encode(roots).cat.long()
        return cls(cat=cat, owed=owed, first=first, last=last, ends=ends, born=born, gone=gone)

    def take(self, units: Ints) -> RootFacts:
        """Those of some units."""
        others = {each.name: getattr(self, each.name)[units] for each in fields(self) if each.name != "cat"}
        return RootFacts(cat=self.cat[torch.from_numpy(units)], **others)


def _of_units(encoder: UnitEncoder, roots: pd.DataFrame) -> tuple[Ints, Ints]:
    """When units begin and end by their own `order`. **Shape**: -> two of (units,)."""
    table = encoder.schema.tables[encoder.schema.unit]
    out = [np.full(len(roots), MISSING_TICK), np.full(len(roots), MISSING_TICK)]
    for k, column in enumerate(table.moments):
        if column in roots and encoder.clock.tells(table.columns[column]):
            out[k] = encoder.clock.ticks(roots[column], table.columns[column])
    return out[0], out[1]
