"""How what came before tilts the law of a slot: from counts that were told, set right by drawing from the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.slot_counts import MeasuredCounts
from synthkit.models.unit_marginal.mixture_laws import FlatMixture

ROUNDS_OF_TILTS = 12  # of drawing and setting right
STEP_OF_TILTS = 0.8  # part of a miss that is made good at once, shared by the memories of a slot
LEAST_SEEN = 2.0  # rows that are added to both sides of a ratio, and two standard deviations of the noise
WIDEST_TILT = 6.0  # of a log-factor


def first_tilts(told: Sequence[MeasuredCounts]) -> list[Tensor]:
    """Log-factors that tables of (own slot, what came before it) suggest, none where nothing came before.

    A factor is the count over that of independent slots; as many rows as the noise may make are added to both.

    Args:
        told: tables over all levels. **Shape**: (K_j, S_m) each.

    **Shape**: -> (S_m, K_j) each.
    """
    out = []
    for table in told:
        counts = np.maximum(table.counts.T.astype(np.float64), 0)
        few = LEAST_SEEN * (1 + table.sigma)
        whole = max(float(counts.sum()), 1.0)
        expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / whole
        tilt = np.log((counts + few) / (expected + few))
        tilt[-1] = 0  # what stands first is told by its place
        out.append(torch.from_numpy(tilt).float())
    return out


def settle_tilts(
    mixtures: Sequence[FlatMixture], told: Sequence[Sequence[MeasuredCounts]], draw: Callable[[], None]
) -> None:
    """Set tilts right until draws have the tables that were told; nothing but these is looked at.

    Args:
        mixtures: whose tilts are changed in place, and which count what is drawn.
        told: tables of each, as of `first_tilts`.
        draw: draws units from the mixtures as they are.
    """
    for _ in range(ROUNDS_OF_TILTS):
        for mixture in mixtures:
            for drawn in mixture.drawn:
                drawn.zero_()
        draw()
        for mixture, tables in zip(mixtures, told, strict=True):
            many = [j for j, _ in mixture.flat.memories]
            for k, table in enumerate(tables):
                _set_right(mixture.tilts[k], mixture.drawn[k], table, STEP_OF_TILTS / many.count(many[k]))


def _set_right(tilt: Tensor, drawn: Tensor, table: MeasuredCounts, step: float) -> None:
    counts = np.maximum(table.counts.T.astype(np.float64), 0)
    got = drawn.numpy()
    rows, wanted = got.sum(axis=1, keepdims=True), counts.sum(axis=1, keepdims=True)
    scale = rows / np.maximum(wanted, 1.0)
    few = LEAST_SEEN * (1 + table.sigma * scale)
    miss = np.log((counts * scale + few) / (got + few))
    tilt += step * torch.from_numpy(np.where(wanted > 0, miss, 0)).float()
    tilt.clamp_(-WIDEST_TILT, WIDEST_TILT)
