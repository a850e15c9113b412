"""How many numbers are told of a step, whether there is any or not."""

from __future__ import annotations

import numpy as np

from synthkit.encoding.units.step_state import StepState, row_features
from synthkit.encoding.units.unit_clock import MISSING_TICK
from synthkit.encoding.units.unit_encoder import UnitEncoder


def feature_widths(encoder: UnitEncoder) -> tuple[int, int]:
    """How many numbers are told before a step, and how many once its event is; they follow from the coding alone."""
    tables = len(encoder.tables)
    none = np.full(1, MISSING_TICK)
    zero = np.zeros(1, dtype=np.int64)
    owed, kinds = np.zeros((1, tables), dtype=np.int64), np.zeros((1, encoder.counters), dtype=np.int64)
    state = StepState(
        owed=owed,
        owed_unit=owed,
        owner=zero,
        now=none,
        first=none,
        last=none,
        begin=none,
        end=none,
        index=zero,
        place=zero,
        run=zero,
        happened=kinds,
        latest=kinds,
    )
    before = state.features(encoder.scale).shape[1] + encoder.means.width
    told = row_features(encoder.scale, *np.zeros((5, 1), dtype=np.int64)).shape[1] + 2 * encoder.ranks.width
    return before, told
