"""Rare events: what hardly anybody has and one synthetic unit has too, rows equal in type and all values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from synthkit.metrics.attacks.membership_scores import RARE_COMBINATION_COUNT
from synthkit.metrics.linked.shared_runs import event_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_side import LinkedSide

_HELD_SUMS = 1 << 24


def rare_event_scores(targets: LinkedSide, synthetic: LinkedSide, reference: LinkedSide) -> NDArray[np.float64]:
    r"""The most that is rare about a person's rows and stands together in one synthetic unit. **Shape**: -> (m,).

    $\max_s \sum_{e \in u \cap s, c_e \le 2} \log (N / c_e)$ over the different events e of the person u that the
    synthetic unit s has, $c_e$ of the N people attacked and of the reference having it. Events are equal in type and
    all values but the time: a few rows of one person in one synthetic unit stand out, where rows equal by chance lie
    scattered.

    Args:
        targets: the people attacked.
        synthetic: units an attacker was given.
        reference: units of the population.
    """
    codes, _ = event_codes([targets, synthetic, reference])
    width = 1 + max(int(each.max(initial=-1)) for each in codes)
    if width == 0:
        return np.zeros(targets.size)
    mine, drawn, known = (
        _events(c, side, width) for c, side in zip(codes, (targets, synthetic, reference), strict=True)
    )
    count = np.asarray(mine.sum(axis=0) + known.sum(axis=0)).ravel()
    weight = np.where(
        count <= RARE_COMBINATION_COUNT, np.log((targets.size + reference.size) / np.maximum(count, 1)), 0.0
    )
    weighted, others = mine.multiply(weight).tocsr(), drawn.T.tocsc()
    best, step = np.zeros(targets.size), max(1, _HELD_SUMS // max(synthetic.size, 1))
    for start in range(0, targets.size, step):
        sums = (weighted[start : start + step] @ others).tocsr()
        best[start : start + step] = np.asarray(sums.max(axis=1).todense()).ravel()
    return best


def _events(codes: NDArray[np.int64], side: LinkedSide, width: int) -> sparse.csr_matrix:
    """Which events each unit has. **Shape**: (units, width) of nought and one."""
    unit = side.timeline.unit
    found = sparse.csr_matrix((np.ones(len(unit)), (unit, codes)), shape=(side.size, width))
    found.sum_duplicates()
    found.data[:] = 1.0
    return found
