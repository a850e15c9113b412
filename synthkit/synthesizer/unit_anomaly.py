"""How odd rows of linked tables are to a model, and units with all their rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.models.unit_base import UnitModel
from synthkit.synthesizer.linked_completion import usual


def unit_anomaly_scores(frames: UnitFrames, encoder: UnitEncoder, model: UnitModel) -> dict[str, NDArray[np.float64]]:
    """Minus the log-probability of each row given all before it, and of each unit, nats.

    Args:
        frames: what is learned of the tables; a value never seen counts as log n beside the commonest in its place.
        encoder: the coding.
        model: tells probabilities.

    **Shape**: by table, one number a row.
    """
    frames, extra = usual(frames, encoder)
    sequences = encoder.encode(frames)
    below = -model.row_log_prob(sequences)
    out = {name: below[frames.order.step[name]] + extra[name] for name in encoder.tables}
    own = encoder.schema.unit
    unit = -model.log_prob(sequences) + extra[own]
    for name in out:
        where = np.searchsorted(sequences.offsets, frames.order.step[name], side="right") - 1
        unit += np.bincount(where, weights=extra[name], minlength=len(unit))
    return {own: unit, **out}
