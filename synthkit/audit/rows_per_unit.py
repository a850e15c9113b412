"""Whether the rows of a unit that are used are no more than was promised, and any of its rows as likely as another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synthkit.audit.poisson_batches import BatchCheck
from synthkit.privacy.mechanisms.unit_sampling import kept

Keeper = Callable[[NDArray[np.int64], int], NDArray[np.bool_]]


def audit_kept(
    keep: Keeper = kept, *, rows: int = 5, most: int = 2, trials: int = 20_000
) -> tuple[int, int, tuple[BatchCheck, ...]]:
    """Rows used of many units of the same size.

    Args:
        keep: what chooses the rows.
        rows: of each unit, more than `most`.
        most: rows of one unit that may be used.
        trials: units.

    Returns:
        The most rows of one unit that were used, the fewest, and checks that rows and units are chosen independently.
    """
    owner = np.tile(np.arange(trials), rows)  # the rows of a unit lie far apart
    chosen = np.asarray(keep(owner, most)).reshape(rows, trials)
    many = chosen.sum(axis=0)
    places = np.arange(rows) @ chosen.astype(np.float64)
    total = float(chosen.sum())
    even = np.square(chosen.sum(axis=1) - total / rows).sum()
    # sums over units without replacement: the covariance of the places is that of `most` of `rows`, all alike
    spread = trials * most * (rows - most) / (rows * (rows - 1))
    fair = BatchCheck(what="each row of a unit as likely", p_value=float(stats.chi2.sf(even / spread, rows - 1)))
    centred = places - most * (rows - 1) / 2
    neighbours = float(centred[1:] @ centred[:-1])
    scale = most * (rows - most) * (rows + 1) / 12 * np.sqrt(trials - 1)
    alone = BatchCheck(what="each unit by itself", p_value=float(2 * stats.norm.sf(abs(neighbours) / scale)))
    return int(many.max()), int(many.min()), (fair, alone)
